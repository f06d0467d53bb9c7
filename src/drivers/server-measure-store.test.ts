import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Measurement } from "../core/journal/measurement.ts";
import { ServerMeasureStore } from "./server-measure-store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1_800_000_000_000;

function minute(server: string, fromMs: number, more: Partial<Measurement> = {}): Measurement {
  const subject = `server web/${server}`;
  return { subject, vantage: "balancer", fromMs, lengthMs: MINUTE, good: 1, bad: 0, ...more };
}

function all(server: string) {
  return { subject: `server web/${server}`, fromMs: 0, toMs: Infinity, limit: 100_000 };
}

function rolled(store: ServerMeasureStore, nowMs: number): void {
  for (let i = 0; i < 100 && store.rollUp(nowMs); i++);
}

test("a minute of a server is found as it was; what comes later of it is added", () => {
  const store = new ServerMeasureStore(new DatabaseSync(":memory:"));
  const one = minute("a", NOW, { bad: 2, latency: [[3, 1]] });
  store.add([one, minute("b", NOW)]);
  assert.deepEqual(store.find(all("a")), [one]);
  store.add([minute("a", NOW, { latency: [[3, 1]] })]);
  assert.deepEqual(store.find(all("a")), [{ ...one, good: 2, latency: [[3, 2]] }]);
  assert.equal(store.rows, 2);
  assert.deepEqual(store.find(all("nobody")), []);
});

test("after a day minutes become hours that lose no request, and after a month they go", () => {
  const database = new DatabaseSync(":memory:");
  const store = new ServerMeasureStore(database);
  const from = Math.floor((NOW - 30 * HOUR) / HOUR) * HOUR;
  for (let i = 0; i < 180; i++) store.add([minute("a", from + i * MINUTE, { latency: [[5, 1]] })]);
  store.add([minute("a", NOW - HOUR)]);
  rolled(store, NOW);
  const kept = store.find(all("a"));
  assert.deepEqual(
    kept.map(({ lengthMs, good, latency }) => [lengthMs, good, latency?.[0]?.[1]]),
    [
      [HOUR, 60, 60],
      [HOUR, 60, 60],
      [HOUR, 60, 60],
      [MINUTE, 1, undefined],
    ],
  );
  assert.equal(store.rows, 4);
  assert.equal(new ServerMeasureStore(database).rows, 4, "also for who opens it later");
  rolled(store, NOW + 32 * 24 * HOUR);
  assert.deepEqual(store.find(all("a")), []);
  assert.equal(store.rows, 0);
  assert.equal(Number(database.prepare("SELECT count(*) AS n FROM server").get()?.["n"]), 0);
  store.add([minute("a", NOW)]);
  assert.equal(store.find(all("a")).length, 1, "a server that was forgotten may come back");
});

test("where there are too many rows the oldest minutes go first, then the oldest hours", () => {
  const store = new ServerMeasureStore(new DatabaseSync(":memory:"), { rows: 100 });
  const names = Array.from({ length: 30 }, (_, i) => `s${i}`);
  const from = Math.floor(NOW / HOUR) * HOUR;
  for (let i = 0; i < 5; i++) {
    store.add(names.map((name) => minute(name, from + i * MINUTE)));
    rolled(store, from + i * MINUTE + 1);
  }
  assert.ok(store.rows <= 100, `${store.rows}`);
  for (const name of names) {
    assert.equal(
      store.find(all(name)).reduce((sum, { good }) => sum + good, 0),
      5,
      "coarser, but nothing is lost",
    );
  }
  for (let hour = 1; hour < 9; hour++) {
    store.add(names.map((name) => minute(name, from + hour * HOUR)));
    rolled(store, from + hour * HOUR + 1);
  }
  assert.ok(store.rows <= 100, `${store.rows}`);
  const last = store.find(all("s0")).at(-1);
  assert.equal(last?.fromMs, from + 8 * HOUR, "the newest stay");
});

test("when somebody looked is told for each step once", () => {
  const store = new ServerMeasureStore(new DatabaseSync(":memory:"));
  const looks = Array.from({ length: 10 }, (_, i) => minute("a", i * MINUTE));
  store.add(looks.map((one) => ({ ...one, subject: "looks" })));
  const query = { subject: "looks", fromMs: 0, toMs: HOUR };
  assert.deepEqual(store.looked({ ...query, stepMs: 5 * MINUTE }), [
    { fromMs: 0, lengthMs: MINUTE },
    { fromMs: 5 * MINUTE, lengthMs: MINUTE },
  ]);
  assert.equal(store.looked({ ...query, stepMs: 10_000 }).length, 10);
});
