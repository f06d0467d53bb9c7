import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type LookQuery, MeasureStore, type MeasurementQuery } from "../drivers/measure-store.ts";
import { ServerMeasureStore } from "../drivers/server-measure-store.ts";
import { SeriesReader, wishOf } from "./series.ts";

const STEP = 10_000;
const DAY = 86_400_000;
const nothing = { find: () => [], looked: () => [] };

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

test("a server's day has a gap where nobody looked, zeros where nobody asked, and the hours of before", async () => {
  const store = new ServerMeasureStore(new DatabaseSync(":memory:"));
  const span = { vantage: "balancer", bad: 0 };
  const add = (subject: string, fromMs: number, lengthMs: number, good: number): void =>
    store.add([{ ...span, subject, fromMs, lengthMs, good }]);
  add("server web/a", 0, 3_600_000, 720);
  add("looks", 0, 3_600_000, 60);
  for (let at = 8 * 3_600_000; at < 9 * 3_600_000; at += 60_000) add("looks", at, 60_000, 1);
  add("server web/a", 8 * 3_600_000, 60_000, 30);
  const looked = (query: LookQuery) => store.looked({ ...query, subject: "looks" });
  const measures = { find: (query: MeasurementQuery) => store.find(query), looked };
  const reader = new SeriesReader({ services: () => [], measures, neighbours: () => [] });
  const frame = { fromMs: 300_000, toMs: 300_000 + DAY, stepMs: 300_000 };
  const { vantages } = await reader.ofGroup({ subject: "server web/a", ...frame });
  const [line] = vantages;
  assert.deepEqual(new Set(line?.good.slice(0, 11)), new Set([60]), "evenly over its hour");
  assert.deepEqual(new Set(line?.good.slice(11, 95)), new Set([null]));
  assert.deepEqual([line?.good[95], line?.good[96], line?.good[106]], [30, 0, 0]);
  assert.deepEqual(new Set(line?.bad.slice(107)), new Set([null]));
});

test("more readers than there is room for are sent away", async () => {
  const model = { services: () => [], measures: nothing, neighbours: () => [] };
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
