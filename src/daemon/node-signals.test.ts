/** A node that gets signals before it has read its own code. */

import { after, test } from "node:test";
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import {
  closeSync,
  constants,
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFifo } from "../drivers/descriptors.ts";
import { isAlive } from "./role-spawn.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-signals-"));
const file = join(folder, "nines.yaml");
const run = join(folder, "run");
const nodes: ChildProcess[] = [];
after(() => {
  for (const node of nodes) node.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

interface Node {
  readonly process: ChildProcess;
  /** Goes on to its end; what it logs. */
  readonly logged: () => AsyncIterable<string>;
}

/** A start that waits for somebody who reads its log. */
function start(name: string): Node {
  const log = join(folder, name);
  assert.equal(makeFifo(log), 0);
  const entry = join(import.meta.dirname, "../../bin/nines.ts");
  const places = ["--run-dir", run, "--state-dir", join(folder, "state"), "--log", log];
  const words = ["run", "-f", file, "--no-console", ...places];
  const node = spawn(process.execPath, [entry, ...words], { stdio: "ignore" });
  nodes.push(node);
  node.once("exit", () => hangUp(log));
  return { process: node, logged: () => createInterface({ input: createReadStream(log) }) };
}

/** Who waits for a node that ended before it wrote anything gets an end, too. */
function hangUp(log: string): void {
  try {
    closeSync(openSync(log, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Nobody waits.
  }
}

const SIGHUP = 1;

/** Resolves when signals are held. SIGHUP is the last of them, and Node catches it for nobody else. */
async function holdsSignals({ process: { pid } }: Node): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)![1]}`);
    if ((caught >> BigInt(SIGHUP - 1)) & 1n) return;
    await sleep(100);
  }
  assert.fail("signals would still end it");
}

test("a hang-up during the start is a reload, and a wish for the end is an orderly one", async () => {
  writeFileSync(
    file,
    `
frontends: { web: { listen: "unix:${folder}/web.sock", pool: web } }
pools: { web: { servers: { a: "unix:${folder}/a.sock" } } }
`,
  );
  const first = start("first");
  await holdsSignals(first);
  first.process.kill("SIGHUP");
  const awaited = new Set(["configuration-loaded", "accepts on"]);
  for await (const line of first.logged()) {
    for (const one of awaited) if (line.includes(one)) awaited.delete(one);
    if (awaited.size === 0) break;
  }
  const worker = Number(readFileSync(join(run, "balance-1.pid"), "utf8"));
  first.process.kill("SIGKILL");
  assert.ok(isAlive(worker), "it outlives control");

  const second = start("second");
  await holdsSignals(second);
  second.process.kill("SIGTERM");
  const ended = new Promise((resolve) => second.process.once("exit", resolve));
  const lines = await Array.fromAsync(second.logged());
  assert.ok(lines.some((line) => line.includes("stopping: SIGTERM")));
  assert.equal(await ended, 0);
  assert.ok(!isAlive(worker), "it took over whom it found, and ended it");
});
