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

function status(requests: number, open = 0, histograms = true): WorkerStatus {
  const counted = new Traffic();
  counted.add(COUNTERS.requests, requests);
  counted.add(COUNTERS.openConnections, open);
  counted.totalTime.record(requests);
  const traffic = trafficNumbers(counted, histograms);
  const facts = { version: "1", startedWallMs: 0, isDraining: false, logLinesDropped: 0 };
  const frontends = [{ name: "web", listening: [":80"], traffic }];
  return { ...facts, pid: 7, serial: 1, residentBytes: 0, cpuMs: 0, frontends, pools: [] };
}

/** A worker that answers with what `told` says now. */
function worker(serial: number, told: () => WorkerStatus | undefined): WorkerLink {
  const ask = async () => ({ reply: { status: told() } });
  return { hello: { serial, pid: 7 }, ask } as unknown as WorkerLink;
}

async function requests(
  past: PastCounts,
  links: readonly WorkerLink[],
  histograms = true,
): Promise<number[]> {
  const counts = await past.look(links, histograms);
  const [web] = addUp(counts.living, counts.past).frontends;
  const { requests: all = 0, openConnections = 0 } = web?.traffic.counts ?? {};
  return [all, openConnections];
}

test("sums never go back: a worker ends, one is killed, one does not answer, control starts anew", async () => {
  const past = new PastCounts(path, noTrouble);
  past.adopt([]);
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
  const c = worker(3, () => status(1));
  assert.deepEqual(await requests(past, [c]), [118, 0], "killed");
  past.gone(b.hello);
  assert.deepEqual(await requests(past, [c]), [118, 0], "and its end was noticed");

  const next = new PastCounts(path, noTrouble);
  next.adopt([c.hello]);
  assert.deepEqual(await requests(next, [c]), [118, 0]);
});

test("a worker that ends while no control process lives counts as it was seen last", async () => {
  const past = new PastCounts(path, noTrouble);
  past.adopt([]);
  const a = worker(1, () => status(100, 2));
  const b = worker(2, () => status(10));
  await requests(past, [a, b]);
  past.keep();
  for (const again of [1, 2]) {
    const next = new PastCounts(path, noTrouble);
    next.adopt([b.hello]);
    assert.deepEqual(await requests(next, [b]), [110, 0], `control process ${again} after it`);
    next.keep();
  }
});

test("what was told without histograms is not lost either, nor are the histograms told before", async () => {
  const past = new PastCounts(path, noTrouble);
  past.adopt([]);
  let told = status(10);
  const a = worker(1, () => told);
  const b = worker(2, () => status(1));
  assert.deepEqual(await requests(past, [a, b]), [11, 0]);
  const { totalTime } = told.frontends[0]!.traffic;
  assert.ok(totalTime !== undefined);
  told = status(90, 0, false);
  assert.deepEqual(await requests(past, [a, b], false), [91, 0]);
  past.gone(a.hello);
  const counts = await past.look([b], true);
  const { traffic } = addUp([], counts.past).frontends[0]!;
  assert.deepEqual([traffic.counts.requests, traffic.totalTime], [90, totalTime]);
});

test("a worker that goes while others are still asked counts once", async () => {
  const past = new PastCounts(path, noTrouble);
  past.adopt([]);
  const a = worker(1, () => status(10));
  const slow = async (): Promise<unknown> => {
    await new Promise(setImmediate);
    past.gone(a.hello);
    return { reply: { status: status(1) } };
  };
  const b = { hello: { serial: 2, pid: 7 }, ask: slow } as unknown as WorkerLink;
  assert.deepEqual(await requests(past, [a, b]), [11, 0]);
  assert.deepEqual(await requests(past, [worker(3, () => status(1))]), [12, 0]);
});

test("of any number of workers that are gone none is forgotten", async () => {
  const past = new PastCounts(path, noTrouble);
  past.adopt([]);
  for (let serial = 1; serial <= 300; serial++) {
    const one = worker(serial, () => status(1));
    assert.deepEqual(await requests(past, [one]), [serial, 0]);
    past.gone(one.hello);
  }
});

test("a node that begins has counted nothing, and a broken file counts as none", async () => {
  for (const isBeginning of [true, false]) {
    writeFileSync(path, isBeginning ? JSON.stringify(status(9)) : '{"frontends": 1}');
    const past = new PastCounts(path, noTrouble);
    past.adopt(isBeginning ? [] : [{ serial: 1, pid: 7 }]);
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
  past.keep();
  assert.match(troubles.join(), /^counts cannot be kept in .* \(ENOENT\)$/u, "told once");
  assert.deepEqual(await requests(past, [worker(2, () => status(1))]), [6, 0]);
});
