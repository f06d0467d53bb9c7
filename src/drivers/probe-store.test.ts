import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ProbeBucket } from "../core/probe/report.ts";
import { ProbeStore } from "./probe-store.ts";

function bucket(fromMs: number, good = 10): ProbeBucket {
  const counts = { good, bad: 0, slow: 0, unjudged: 0 };
  return { fromMs, ...counts, longestSilenceMs: 1000, latency: [[40, good]] };
}

test("what was kept is delivered once, the oldest first, also by the next life", () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-probe-"));
  const path = join(directory, "probe.db");
  try {
    const first = new ProbeStore(path);
    for (const fromMs of [30_000, 10_000, 20_000]) first.addBucket("x", "1", bucket(fromMs));
    first.addBucket("x", "2", bucket(40_000));
    first.close();
    const store = new ProbeStore(path);
    const waiting = store.waiting(2, 10)!;
    assert.deepEqual(
      waiting.buckets.map(({ fromMs }) => fromMs),
      [10_000, 20_000],
    );
    store.delivered(waiting);
    assert.equal(store.undelivered, 2);
    const next = store.waiting(10, 10)!;
    assert.deepEqual([next.run, next.buckets.length], ["1", 1]);
    store.delivered(next);
    const last = store.waiting(10, 10)!;
    assert.equal(last.run, "2");
    store.delivered(last);
    assert.equal(store.waiting(10, 10), undefined);
    store.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("an outage that ended while it was on its way is delivered again", () => {
  const store = new ProbeStore(":memory:");
  const outage = { fromMs: 5, failed: 1, ownMs: 0, reason: "ECONNREFUSED" };
  store.addOutage("x", "1", outage);
  const waiting = store.waiting(10, 10)!;
  store.addOutage("x", "1", { ...outage, toMs: 99, failed: 4 });
  store.delivered(waiting);
  assert.equal(store.waiting(10, 10)!.outages[0]!.toMs, 99);
  store.delivered(store.waiting(10, 10)!);
  assert.equal(store.waiting(10, 10), undefined);
  // The same again is nothing new.
  store.addOutage("x", "1", { ...outage, toMs: 99, failed: 4 });
  assert.equal(store.waiting(10, 10), undefined);
  store.close();
});

test("buckets go after forty days, outages stay", () => {
  const store = new ProbeStore(":memory:");
  store.addBucket("x", "1", bucket(10_000));
  store.addOutage("x", "1", { fromMs: 5, failed: 1, ownMs: 0, reason: "x" });
  store.prune(41 * 86_400_000);
  assert.equal(store.undelivered, 0);
  assert.equal(store.waiting(10, 10)!.outages.length, 1);
  store.close();
});

test("a long absence leaves more old buckets than one pruning takes; the oldest go first", () => {
  const store = new ProbeStore(":memory:");
  for (let i = 0; i < 2_500; i++) store.addBucket("x", "1", bucket(i * 10_000));
  const left = [0, 1, 2].map(() => {
    store.prune(41 * 86_400_000);
    return [store.undelivered, store.waiting(1, 1)?.buckets[0]?.fromMs];
  });
  assert.deepEqual(left, [
    [1_500, 10_000_000],
    [500, 20_000_000],
    [0, undefined],
  ]);
  store.close();
});
