import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUCKET_MS, type Measurement } from "../core/journal/measurement.ts";
import { openJournal } from "./journal-database.ts";
import { MeasureStore } from "./measure-store.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-measure-"));
after(() => rmSync(folder, { recursive: true }));
const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;

function span(fromMs: number, good: number, more: Partial<Measurement> = {}): Measurement {
  const base = { subject: "frontend web", vantage: "balancer", lengthMs: BUCKET_MS, bad: 0 };
  return { ...base, fromMs, good, ...more };
}

const all = { subject: "frontend web", fromMs: 0, toMs: Infinity, limit: 1e6 };

test("what was measured is found as it was; the same span twice is added up", () => {
  const { database } = openJournal(join(folder, "a.db"), 0);
  const store = new MeasureStore(database);
  const one = span(NOW, 5, { bad: 2, firstBadMs: NOW + 1000, lastBadMs: NOW + 2000, slow: 1 });
  const whole = { ...one, latency: [[3, 5]] as const };
  store.add([whole, span(NOW, 1, { vantage: "probe:x" })]);
  assert.deepEqual(store.find({ ...all, vantage: "balancer" }), [whole]);
  store.add([
    span(NOW, 3, {
      latency: [
        [3, 1],
        [9, 2],
      ],
    }),
  ]);
  const [sum] = store.find({ ...all, vantage: "balancer" });
  assert.deepEqual(
    [sum?.good, sum?.bad, sum?.latency],
    [
      8,
      2,
      [
        [3, 6],
        [9, 2],
      ],
    ],
  );
  assert.deepEqual(
    store.subjects().map(({ vantage }) => vantage),
    ["balancer", "probe:x"],
  );
  database.close();
});

test("after a week spans become minutes, after 400 days they go, and no request is lost before", () => {
  const { database } = openJournal(join(folder, "b.db"), 0);
  const store = new MeasureStore(database);
  const from = Math.floor((NOW - 8 * DAY_MS) / 60_000) * 60_000;
  const spans = Array.from({ length: 3_000 }, (_, i) => span(from + i * BUCKET_MS, i));
  store.add([
    ...spans,
    span(NOW - 401 * DAY_MS, 1, { lengthMs: 60_000 }),
    span(NOW - BUCKET_MS, 1),
  ]);
  while (store.rollUp(NOW));
  const kept = store.find(all);
  assert.equal(kept.filter(({ lengthMs }) => lengthMs === 60_000).length, 500);
  assert.equal(kept.filter(({ lengthMs }) => lengthMs === BUCKET_MS).length, 1);
  const sum = kept.reduce((total, { good }) => total + good, 0);
  assert.equal(sum, (2_999 * 3_000) / 2 + 1);
  database.close();
});

test("what hurt somebody stays exact for 400 days", () => {
  const { database } = openJournal(join(folder, "c.db"), 0);
  const store = new MeasureStore(database);
  const from = Math.floor((NOW - 8 * DAY_MS) / 60_000) * 60_000;
  const bad = span(from + BUCKET_MS, 90, { bad: 10, firstBadMs: from, lastBadMs: from + 1 });
  store.add([span(from, 100, { bad: 1 }), bad, span(from + 2 * BUCKET_MS, 100)]);
  store.add([span(NOW - 401 * DAY_MS, 0, { bad: 5 })]);
  while (store.rollUp(NOW));
  assert.deepEqual(store.find(all), [span(from, 200, { bad: 1, lengthMs: 60_000 }), bad]);
  database.close();
});

test("what was too slow for somebody stays exact, too", () => {
  const { database } = openJournal(join(folder, "slow.db"), 0);
  const store = new MeasureStore(database);
  const from = Math.floor((NOW - 8 * DAY_MS) / 60_000) * 60_000;
  const slow = span(from, 100, {
    latency: [
      [3, 49],
      [20, 51],
    ],
  });
  const quick = span(from + BUCKET_MS, 100, { latency: [[3, 100]] });
  const other = { ...slow, subject: "frontend other" };
  store.add([slow, quick, span(from + 2 * BUCKET_MS, 10), other]);
  while (store.rollUp(NOW, [{ subject: "frontend web", fromIndex: 20 }]));
  const rest = span(from, 110, { lengthMs: 60_000, latency: [[3, 100]] });
  assert.deepEqual(
    store.find(all).sort((a, b) => b.lengthMs - a.lengthMs),
    [rest, slow],
  );
  assert.equal(store.find({ ...all, subject: "frontend other" })[0]?.lengthMs, 60_000);
  database.close();
});

test("what stays exact is looked at step by step, and only again when the rules change or spans come late", () => {
  const { database } = openJournal(join(folder, "judged.db"), 0);
  const store = new MeasureStore(database);
  const minutes = (): number =>
    store.find(all).filter(({ lengthMs }) => lengthMs === 60_000).length;
  const calls = (nowMs: number, fromIndex = 20): number => {
    let count = 1;
    while (store.rollUp(nowMs, [{ subject: "frontend web", fromIndex }])) count++;
    return count;
  };
  const from = Math.floor((NOW - 9 * DAY_MS) / 60_000) * 60_000;
  const slow = Array.from({ length: 2_400 }, (_, i) =>
    span(from + i * BUCKET_MS, 100, { latency: [[20, 100]] }),
  );
  store.add([...slow, span(from + 2_400 * BUCKET_MS, 100)]);
  assert.equal(calls(NOW), 3);
  assert.equal(minutes(), 1, "the one behind the slow ones");
  assert.equal(calls(NOW + 60_000), 1, "the slow ones were looked at");
  store.add([span(from + 60_000, 1, { vantage: "probe:late" })]);
  calls(NOW + 120_000);
  assert.equal(minutes(), 2);
  // As if no time were too long any more.
  calls(NOW + 180_000, 21);
  assert.equal(minutes(), 402);
  assert.equal(store.find(all).length, 402);
  database.close();
});

test("more spans of one moment than a call looks at are passed", () => {
  const { database } = openJournal(join(folder, "moment.db"), 0);
  const store = new MeasureStore(database);
  const from = Math.floor((NOW - 9 * DAY_MS) / 60_000) * 60_000;
  store.add(
    Array.from({ length: 1_500 }, (_, i) => span(from, 0, { bad: 5, vantage: `probe:${i}` })),
  );
  store.add([span(from + BUCKET_MS, 100)]);
  for (let i = 0; i < 5 && store.rollUp(NOW); i++);
  assert.equal(store.find({ ...all, vantage: "balancer" })[0]?.lengthMs, 60_000);
  database.close();
});

test("of spans that are too old each call takes a bounded number, and says that there are more", () => {
  const { database } = openJournal(join(folder, "aged.db"), 0);
  const store = new MeasureStore(database);
  const from = Math.floor((NOW - 402 * DAY_MS) / 60_000) * 60_000;
  const aged = Array.from({ length: 2_500 }, (_, i) =>
    span(from + i * 60_000, 1, { lengthMs: 60_000 }),
  );
  store.add([...aged, span(NOW, 1)]);
  const rest = (): number => store.find(all).length;
  assert.equal(store.rollUp(NOW), true);
  assert.equal(rest(), 1_501);
  while (store.rollUp(NOW));
  assert.equal(rest(), 1);
  database.close();
});
