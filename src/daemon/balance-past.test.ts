import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { COUNTERS, Traffic } from "../core/proxy/traffic.ts";
import type { WorkerLink } from "./balance-hub.ts";
import { PastCounts } from "./balance-past.ts";
import { trafficNumbers, type WorkerStatus } from "./balance-status.ts";
import { addUp } from "./balance-totals.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-past-"));
const path = join(folder, "counts.json");
after(() => rmSync(folder, { recursive: true }));

function noTrouble(trouble: string): void {
  assert.fail(trouble);
}

function status(requests: number, open = 0): WorkerStatus {
  const counted = new Traffic();
  counted.add(COUNTERS.requests, requests);
  counted.add(COUNTERS.openConnections, open);
  const traffic = trafficNumbers(counted, true);
  const facts = { version: "1", startedWallMs: 0, isDraining: false, logLinesDropped: 0 };
  const frontends = [{ name: "web", listening: [":80"], traffic }];
  return { ...facts, pid: 7, serial: 1, residentBytes: 0, cpuMs: 0, frontends, pools: [] };
}

/** A worker that answers with what `told` says now. */
function worker(serial: number, told: () => WorkerStatus | undefined): WorkerLink {
  const ask = async () => ({ reply: { status: told() } });
  return { hello: { serial, pid: 7 }, ask } as unknown as WorkerLink;
}

async function requests(past: PastCounts, links: readonly WorkerLink[]): Promise<number[]> {
  const counts = await past.look(links, true);
  const [web] = addUp(counts.living, counts.past).frontends;
  const { requests: all = 0, openConnections = 0 } = web?.traffic.counts ?? {};
  return [all, openConnections];
}

test("sums never go back: a worker ends, one is killed, one does not answer, control starts anew", async () => {
  const past = new PastCounts(path, noTrouble);
  past.adopt(true);
  let told: WorkerStatus | undefined = status(10, 3);
  const a = worker(1, () => status(100, 2));
  const b = worker(2, () => told);
  assert.deepEqual(await requests(past, [a, b]), [110, 5]);
  past.ended(a, status(105));
  assert.deepEqual(await requests(past, [a, b]), [115, 3], "its connection may still be there");
  told = undefined;
  assert.deepEqual(await requests(past, [b]), [115, 0], "as it told last");
  told = status(12, 1);
  assert.deepEqual(await requests(past, [b]), [117, 1]);
  assert.deepEqual(await requests(past, [worker(3, () => status(1))]), [118, 0], "killed");

  const next = new PastCounts(path, noTrouble);
  next.adopt(false);
  assert.deepEqual(await requests(next, [b]), [117, 1]);
});

test("a node that begins has counted nothing, and a broken file counts as none", async () => {
  for (const isBeginning of [true, false]) {
    writeFileSync(path, isBeginning ? JSON.stringify(status(9)) : '{"frontends": 1}');
    const past = new PastCounts(path, noTrouble);
    past.adopt(isBeginning);
    assert.deepEqual(await requests(past, [worker(1, () => status(1))]), [1, 0]);
  }
});

test("counts that cannot be kept are told, and count all the same", async () => {
  const troubles: string[] = [];
  const past = new PastCounts(join(folder, "absent", "counts.json"), (text) => troubles.push(text));
  past.ended(
    worker(1, () => undefined),
    status(5),
  );
  assert.match(troubles.join(), /^counts of workers that ended cannot be kept in .* \(ENOENT\)$/u);
  assert.deepEqual(await requests(past, [worker(2, () => status(1))]), [6, 0]);
});
