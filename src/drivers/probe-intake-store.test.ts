import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { ProbeIntakeStore } from "./probe-intake-store.ts";

const DAY_MS = 86_400_000;

test("of what probers told long ago one pruning takes a bounded number, the oldest first", () => {
  const store = new ProbeIntakeStore(new DatabaseSync(":memory:"));
  const key = { probe: "home", target: "x", run: "1" };
  const starts = Array.from({ length: 3_000 }, (_, i) => i * 10_000);
  store.noteBuckets(key, starts);
  for (const fromMs of starts) {
    store.noteOutage(key, fromMs, { service: "shop", fromMs, failed: 1, ownMs: 0, reason: "x" });
  }
  const left = (): number[] => [
    starts.filter((one) => store.hasBucket(key, one)).length,
    store.outages(0, Infinity).length,
  ];
  assert.equal(store.prune(402 * DAY_MS), true, "there is more");
  assert.deepEqual(left(), [1_000, 1_000]);
  assert.equal(store.hasBucket(key, starts.at(-1)!), true);
  assert.equal(store.prune(402 * DAY_MS), false);
  assert.deepEqual(left(), [0, 0]);
});
