import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { MeasureStore } from "../drivers/measure-store.ts";
import { SeriesReader, wishOf } from "./series.ts";

const STEP = 10_000;

test("a long time is read in pieces, and every span is in it once", async () => {
  const store = new MeasureStore(new DatabaseSync(":memory:"));
  const base = { subject: "pool web", lengthMs: STEP, good: 1, bad: 0 };
  // Three vantages at each moment: pieces end in the middle of one.
  for (let day = 0; day < 2; day++) {
    store.add(
      Array.from({ length: 8_640 * 3 }, (_, i) => {
        const fromMs = (day * 8_640 + Math.floor(i / 3)) * STEP;
        return { ...base, vantage: `probe:${i % 3}`, fromMs };
      }),
    );
  }
  const model = { services: () => [], measures: store, neighbours: () => [] };
  const reader = new SeriesReader(model);
  const frame = { fromMs: 0, toMs: 2 * 86_400_000, stepMs: 3_600_000 };
  const { vantages, missing } = await reader.ofGroup({ subject: "pool web", ...frame });
  assert.deepEqual(missing, []);
  assert.equal(vantages.length, 3);
  for (const { good } of vantages) assert.deepEqual(new Set(good), new Set([360]));
});

test("more readers than there is room for are sent away", async () => {
  const model = { services: () => [], measures: { find: () => [] }, neighbours: () => [] };
  const reader = new SeriesReader(model);
  const wish = { subject: "pool web", fromMs: 0, toMs: 1_000_000, stepMs: STEP };
  const all = await Promise.allSettled([1, 2, 3, 4, 5].map(() => reader.own(wish)));
  assert.deepEqual(
    all.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "fulfilled", "rejected"],
  );
  assert.deepEqual(await reader.own(wish), [], "and then there is room again");
});

test("another node's question has a subject, a span and steps that can be told", () => {
  const asked = { subject: "pool web", from: "0", to: "3600000", step: "10000" };
  assert.deepEqual(wishOf(new URLSearchParams(asked)), {
    subject: "pool web",
    fromMs: 0,
    toMs: 3_600_000,
    stepMs: STEP,
  });
  for (const wrong of [
    { step: "1" },
    { to: "0" },
    { subject: "" },
    { from: "x" },
    { to: "1e300" },
  ]) {
    assert.equal(wishOf(new URLSearchParams({ ...asked, ...wrong })), undefined);
  }
});
