/** The page of a real `nines run`: a server dies under it, an operator gives an order, the daemon is started anew. */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createListener, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { createToken, tokensPath } from "../../src/console/tokens.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { disorder, launch, open } from "./kit.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-whole-"));
const state = join(folder, "state");
const file = join(folder, "nines.yaml");
const webs: Server[] = [];
let daemon: ChildProcess | undefined;
let log = "";
let front = 0;
let server = { url: "", token: "" };

before(async () => {
  const ports = await freePorts(4);
  const [page, front_, web1, web2] = ports as [number, number, number, number];
  front = front_;
  for (const port of [web1, web2]) webs.push(await web(port));
  writeFileSync(
    file,
    `
console:
  listen: 127.0.0.1:${page}
workers: 1
frontends:
  web:
    listen: 127.0.0.1:${front}
    pool: web
pools:
  web:
    servers:
      - { name: web1, address: "127.0.0.1:${web1}" }
      - { name: web2, address: "127.0.0.1:${web2}" }
    check: { http: /, every: 500ms, timeout: 400ms, rise: 1, fall: 2 }
`,
  );
  mkdirSync(state, { mode: 0o700 });
  const token = createToken(tokensPath(state), { name: "ops", role: "operate" }, Date.now());
  server = { url: `http://127.0.0.1:${page}/`, token };
  start();
  await waitFor(answers, 60_000, `the console; the log:\n${log}`);
});

after(async () => {
  await (await launch()).close();
  await stop();
  for (const one of webs) {
    one.closeAllConnections();
    one.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

function start(): void {
  const words = ["run", "-f", file, "--run-dir", join(folder, "run"), "--state-dir", state];
  daemon = spawn(resolve("bin/nines"), words, { stdio: ["ignore", "pipe", "pipe"] });
  const keep = (piece: Buffer): void => void (log += piece.toString());
  daemon.stdout?.on("data", keep);
  daemon.stderr?.on("data", keep);
}

async function stop(): Promise<void> {
  const ended = daemon;
  if (ended === undefined || ended.exitCode !== null) return;
  const exit = new Promise<void>((done) => ended.once("exit", () => done()));
  ended.kill("SIGTERM");
  await exit;
}

async function answers(): Promise<boolean> {
  if (daemon?.exitCode !== null) throw new Error(`nines ended: ${log}`);
  try {
    return (await fetch(`${server.url}readyz`)).ok;
  } catch {
    return false;
  }
}

function web(port: number): Promise<Server> {
  const made = createServer((_request, response) => response.end("hello"));
  return new Promise((done) => made.listen(port, "127.0.0.1", () => done(made)));
}

/** All at once, so that no two are the same. */
async function freePorts(count: number): Promise<readonly number[]> {
  const all = Array.from({ length: count }, () => createListener());
  const ports: number[] = [];
  for (const one of all) {
    await new Promise<void>((done) => one.listen(0, "127.0.0.1", done));
    ports.push((one.address() as AddressInfo).port);
  }
  for (const one of all) await new Promise((done) => one.close(done));
  return ports;
}

test("a server's death, an operator's order and a new daemon are seen without a reload", async () => {
  const { page, troubles } = await open(server, { operator: true, alone: true });
  page.setDefaultTimeout(15_000);
  const box = (id: string, word: string): Promise<void> =>
    page.locator(`.node[data-id="${id}"][data-state="${word}"]`).waitFor();
  await box("server web/web1", "UP");
  await box("server web/web2", "UP");
  await box("pool web", "UP");
  assert.deepEqual(await disorder(page, ".panel, .node"), []);

  // Traffic is on the line while it flows.
  const asking = setInterval(
    () => void fetch(`http://127.0.0.1:${front}/`).catch(() => undefined),
    30,
  ).unref();
  await page.locator('.edge[data-to="pool web"] .flow').waitFor({ state: "attached" });
  clearInterval(asking);

  const [, second] = webs;
  const address = second!.address() as AddressInfo;
  second!.closeAllConnections();
  await new Promise((done) => second!.close(done));
  await box("server web/web2", "DOWN");
  await box("pool web", "DEGRADED");
  assert.equal(await page.locator("#answer-survival .headline").innerText(), "No");
  await page.locator("#answer-changes", { hasText: "web/web2" }).waitFor();
  assert.match((await page.locator("#spoken").textContent()) ?? "", /web2 is (DOWN|GOING-DOWN)/u);

  webs[1] = await web(address.port);
  await box("server web/web2", "UP");
  await page.locator('.node[data-id="server web/web2"]').click();
  await page.getByRole("button", { name: "Drain" }).click();
  const window = page.getByRole("dialog");
  await window.getByText("gets no new requests").waitFor();
  assert.match(await window.locator(".command").innerText(), /^nines backend drain web\/web2/u);
  await window.getByLabel("Reason").fill("the page's own test");
  const typed = window.getByLabel("Type ");
  if ((await typed.count()) > 0) await typed.fill("web/web2");
  await window.getByRole("button", { name: "Drain", exact: true }).click();
  await page.locator(".subject-head .state", { hasText: "DRAINING" }).waitFor();
  await page.getByText("the page's own test").first().waitFor();

  // What the other parts of the console say is what their pages understand.
  await page.evaluate(`location.hash = "#/drills"`);
  await page.locator(".drills li").nth(19).waitFor();
  await page.evaluate(`location.hash = "#/incidents"`);
  await page.locator("h1", { hasText: "Incidents" }).waitFor();
  assert.deepEqual(await disorder(page, ".panel, .card > *"), []);

  await page.evaluate(`location.hash = "#/"`);
  await stop();
  await page.locator(".is-lost").waitFor();
  start();
  await box("server web/web2", "DRAINING");
  await page.locator(".is-live").waitFor();
  const other = troubles.filter(
    (line) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)|Failed to load/u.test(line),
  );
  assert.deepEqual(other, []);
  await page.close();
});
