/** One drill at a time: who comes second is told, whatever a dead one has left. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { drillAtWork, holdLock, type DrillLock } from "./drill-lock.ts";

const directory = mkdtempSync(join(tmpdir(), "drill-lock-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const LOCK = join(directory, "drill.lock");
/** No process has this number. */
const DEAD = JSON.stringify({ id: "0", drill: "link-down", pid: 2 ** 30 });

function held(id: string): DrillLock {
  return holdLock(directory, { id, drill: "mute" });
}

test("what a dead one has left is in nobody's way; who is at work is", () => {
  writeFileSync(LOCK, DEAD);
  const lock = held("1");
  assert.throws(() => held("2"), /the drill 'mute' is at work/u);
  lock.tell(process.pid);
  assert.deepEqual(drillAtWork(directory), {
    id: "1",
    drill: "mute",
    pid: process.pid,
    guardPid: process.pid,
  });
  assert.throws(() => held("2"), /the drill 'mute' is at work/u);
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
});

const ROUNDS = 200;

/** What each of two threads does: they meet, one leaves a dead one's file, they meet again and both want it. */
const RACE = `
  import { workerData } from "node:worker_threads";
  const { shared, directory, id, module, file, dead } = workerData;
  const { holdLock } = await import(module);
  const { writeFileSync } = await import("node:fs");
  let met = 0;
  const meet = () => {
    Atomics.add(shared, 0, 1);
    met += 2;
    while (Atomics.load(shared, 0) < met);
  };
  for (let round = 1; round <= ${ROUNDS}; round++) {
    meet();
    if (id === "a") writeFileSync(file, dead);
    meet();
    try {
      holdLock(directory, { id, drill: "mute" });
      Atomics.add(shared, round, 1);
    } catch {}
  }`;

test("of two that come at the same moment one is at work", async () => {
  const shared = new Int32Array(new SharedArrayBuffer(4 * (ROUNDS + 1)));
  const url = new URL(`data:text/javascript,${encodeURIComponent(RACE)}`);
  const module = import.meta.resolve("./drill-lock.ts");
  const ended = ["a", "b"].map((id) => {
    const worker = new Worker(url, {
      workerData: { shared, directory, id, module, file: LOCK, dead: DEAD },
    });
    return once(worker, "exit");
  });
  await Promise.all(ended);
  assert.deepEqual(
    shared.slice(1).filter((holders) => holders !== 1),
    new Int32Array(),
  );
});
