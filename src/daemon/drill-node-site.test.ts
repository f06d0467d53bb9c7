import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NodeSite, startLine } from "./drill-node-site.ts";

test("a peer whose command prints no status is a peer that does not answer", async () => {
  const site = new NodeSite({
    runDirectory: "/nowhere",
    stateDirectory: "/nowhere",
    nines: ["nines"],
    peers: ["echo Welcome to lb2", "true", "false"],
    everyMs: 20,
  });
  const { target, others } = await site.look();
  assert.deepEqual([target, others], [undefined, []]);
});

test("a program is started again where it was started: its paths may be relative", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nines started here "));
  t.after(() => rmSync(folder, { recursive: true }));
  const argv = ["-e", 'require("fs").writeFileSync("here", ""); setTimeout(() => {}, 5000)'];
  const first = spawn(process.execPath, argv, { cwd: folder, stdio: "ignore" });
  const isThere = async (): Promise<boolean> => {
    for (let i = 0; i < 500 && !existsSync(join(folder, "here")); i++) await sleep(10);
    return existsSync(join(folder, "here"));
  };
  assert.ok(await isThere());
  const line = startLine(first.pid!);
  first.kill("SIGKILL");
  rmSync(join(folder, "here"));
  execFileSync("sh", ["-c", `{ ${line} }`], { cwd: "/" });
  assert.ok(await isThere());
});

test("what is to be undone is written where the node looks for it, whatever --state-dir says", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nines-site-"));
  const file = join(folder, "nines.yaml");
  writeFileSync(file, "frontends: { www: { listen: ':8080', servers: ['127.0.0.1:1'] } }\n");
  const status = {
    version: "1",
    pid: process.pid,
    wallMs: Date.now(),
    configuration: { file, warnings: 0 },
    roles: [],
    stateDirectory: join(folder, "state"),
    routerAgeMs: 0,
  };
  const server = createServer((_request, response) => response.end(JSON.stringify(status)));
  await new Promise<void>((resolve) => server.listen(join(folder, "control.sock"), resolve));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const wrong = join(folder, "elsewhere");
  const site = new NodeSite({
    runDirectory: folder,
    stateDirectory: wrong,
    nines: ["nines"],
    peers: [],
    everyMs: 20,
  });
  const { stateDirectory } = await site.facts();
  assert.equal(stateDirectory, status.stateDirectory);
  site.record({ wallMs: 1, kind: "drill-started", id: "1", drill: "x", reason: "r" });
  assert.ok(existsSync(join(status.stateDirectory, "drills.jsonl")) && !existsSync(wrong));
});
