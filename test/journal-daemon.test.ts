/** A real node with its console: what control tells is in the journal once, whoever is killed meanwhile. */

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JournalRecord } from "../src/core/journal/record.ts";
import { ControlClient } from "../src/daemon/control-client.ts";
import { isAlive } from "../src/daemon/role-spawn.ts";
import { journalPath, openJournalToRead } from "../src/drivers/journal-database.ts";
import { JournalReader } from "../src/drivers/journal-store.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-node-"));
const [run, state, log] = ["run", "state", "log"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const file = join(folder, "nines.yaml");
const client = new ControlClient(join(run, "control.sock"), "tester");
let node: ChildProcess;

function configure(more = ""): void {
  writeFileSync(
    file,
    `
frontends: { web: { listen: "unix:${folder}/web.sock", pool: web } }
pools: { web: { servers: { a: "unix:${folder}/a.sock", b: "unix:${folder}/b.sock" } } }
${more}`,
  );
}

function start(words: readonly string[] = []): void {
  const entry = new URL("../bin/nines.ts", import.meta.url).pathname;
  const own = ["run", "-f", file, "--run-dir", run, "--state-dir", state, "--log", log, ...words];
  node = spawn(process.execPath, [entry, ...own], { stdio: "ignore" });
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await isSo()) return;
    await sleep(100);
  }
  assert.fail(`waited too long for ${what}`);
}

function journal(): readonly JournalRecord[] {
  try {
    const reader = new JournalReader(openJournalToRead(journalPath(state)));
    const records = reader.find({ limit: 100_000 });
    reader.close();
    return records;
  } catch {
    return [];
  }
}

async function consolePid(): Promise<number | undefined> {
  try {
    return (await client.status()).roles.find(({ name }) => name === "console")?.pid;
  } catch {
    return undefined;
  }
}

const logged = (): readonly string[] =>
  readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { reason: string }).reason);
const OWN: ReadonlySet<string> = new Set(["console", "ledger"]);
const told = (): readonly string[] =>
  journal()
    .filter(({ source }) => !OWN.has(source))
    .map(({ reason }) => reason);

before(async () => {
  configure();
  start();
  await until(
    "the console",
    async () => (await consolePid()) !== undefined && journal().length > 0,
  );
});

after(async () => {
  node.kill("SIGTERM");
  await until("the end", () => node.exitCode !== null || node.signalCode !== null);
  rmSync(folder, { recursive: true });
});

test("a console that is killed again and again misses nothing and tells nothing twice", async () => {
  for (let round = 0; round < 4; round++) {
    for (const state of ["drain", "ready"] as const) {
      await client.order({ server: "web/a", state, reason: `round ${round}` });
    }
    const pid = await consolePid();
    if (pid !== undefined && pid !== process.pid) process.kill(pid, "SIGKILL");
    await client.order({ server: "web/b", weight: round + 1 });
    await until("the next console", async () => {
      const next = await consolePid();
      return next !== undefined && next !== pid;
    });
  }
  await until("the last event", () => told().length >= logged().length);
  assert.deepEqual(told(), logged());
  journal().forEach(({ seq }, i) => assert.equal(seq, i + 1));
  const order = journal().find(({ kind }) => kind === "operator-asked");
  assert.equal(order?.data?.["who"], "tester");
});

test("a console outlives control, says that it is gone, and is taken over by the next one", async () => {
  const pid = await consolePid();
  node.kill("SIGKILL");
  await until("the word of it", () => journal().some(({ kind }) => kind === "control-gone"));
  start();
  await until("control", async () => (await consolePid()) === pid);
  await until("its events", () => told().length >= logged().length);
  assert.deepEqual(told(), logged());
  assert.ok(journal().some(({ kind }) => kind === "control-back"));
});

test("a reload that switches the console off ends it, one that switches it on brings it back", async () => {
  const before = await consolePid();
  configure("console: off");
  await client.reload();
  await until("its end", async () => (await consolePid()) === undefined);
  configure("workers: 2");
  await client.reload();
  // The one before may still be writing its last records.
  await until("its return", async () => ![undefined, before].includes(await consolePid()));
  await until("the last event", () => told().length >= logged().length);
  assert.deepEqual(told(), logged(), "what happened without it was kept by control");
  assert.ok(
    journal().some(
      ({ kind, reason }) => kind === "configuration-changed" && /workers: 1 -> 2/.test(reason),
    ),
  );
});

test("a console whose run directory is gone ends: no control could ever find it again", async () => {
  const { roles } = await client.status();
  node.kill("SIGKILL");
  for (const { name, pid } of roles) {
    if (name !== "console" && pid !== undefined) process.kill(pid, "SIGKILL");
  }
  const own = roles.find(({ name }) => name === "console")?.pid;
  const lately = [JSON.stringify(roles), ...logged().slice(-6)].join("\n");
  assert.ok(own !== undefined && isAlive(own), lately);
  renameSync(run, `${run}-gone`);
  await until("its end", () => !isAlive(own));
});
