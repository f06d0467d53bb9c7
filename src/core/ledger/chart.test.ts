import assert from "node:assert/strict";
import { test } from "node:test";
import { histogramBucket } from "../proxy/histogram.ts";
import { Chart, frameOf, stepsOf } from "./chart.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const frame = { fromMs: 0, toMs: 5 * MINUTE, stepMs: MINUTE };

function measured(vantage: string, fromMs: number, good: number, bad = 0) {
  return { vantage, fromMs, lengthMs: 10_000, good, bad };
}

test("an hour, a day and 30 days have as many points as a chart has room for", () => {
  for (const [span, stepMs] of [
    [HOUR, 10_000],
    [24 * HOUR, 5 * MINUTE],
    [30 * 24 * HOUR, 2 * HOUR],
    [90 * 24 * HOUR, 6 * HOUR],
  ] as const) {
    const made = frameOf(1_000_000, 1_000_000 + span);
    assert.equal(made.stepMs, stepMs);
    assert.deepEqual([made.fromMs % stepMs, made.toMs % stepMs], [0, 0]);
    assert.ok(made.fromMs <= 1_000_000 && made.toMs >= 1_000_000 + span);
    assert.ok(stepsOf(made) <= 400 && stepsOf(made) >= 280);
  }
  assert.equal(stepsOf(frameOf(0, 4000 * 24 * HOUR)), 400, "bounded");
});

test("spans of ten seconds and minutes fall into the steps they began in", () => {
  const chart = new Chart(frame);
  chart.add(measured("balancer", 0, 5));
  chart.add(measured("balancer", 59_999, 1, 2));
  chart.add(measured("balancer", 4 * MINUTE, 7));
  chart.add(measured("balancer", 5 * MINUTE, 100));
  chart.add(measured("balancer", -1, 100));
  const [points] = chart.points;
  assert.deepEqual(points?.good, [6, null, null, null, 7]);
  assert.deepEqual(points?.bad, [2, null, null, null, 0]);
  assert.deepEqual(points?.p99, [null, null, null, null, null]);
});

test("no request is 0 where somebody looked, and nothing where nobody did", () => {
  const chart = new Chart(frame);
  chart.looked(-10_000, 10_000);
  for (let at = 0; at < 2 * MINUTE; at += 10_000) chart.looked(at, 10_000);
  chart.looked(4 * MINUTE, MINUTE);
  assert.equal(chart.points.length, 0, "of what never was, there is no line");
  chart.add(measured("balancer", 0, 5));
  chart.add(measured("probe:far", 0, 5));
  chart.merge({
    vantage: "balancer",
    good: [1, null, null, 2],
    bad: [0, null, null, 0],
    latency: [],
  });
  const [balancer, probe] = chart.points;
  assert.deepEqual(balancer?.good, [6, 0, null, 2, 0]);
  assert.deepEqual(balancer?.bad, [0, 0, null, 0, 0]);
  assert.deepEqual(probe?.good, [5, null, null, null, null], "a prober asks, or did not run");
});

test("a span that is longer than a step lies evenly over its steps, as far as they are shown", () => {
  const fine = { fromMs: 30_000, toMs: 90_000, stepMs: 10_000 };
  const chart = new Chart(fine);
  chart.add({ ...measured("balancer", -HOUR, 600), lengthMs: HOUR });
  assert.equal(chart.points.length, 0, "it was over before");
  chart.add({ ...measured("balancer", 0, 12, 6), lengthMs: MINUTE, latency: [[7, 12]] });
  chart.looked(MINUTE, MINUTE);
  const [points] = chart.points;
  assert.deepEqual(points?.good, [2, 2, 2, 0, 0, 0]);
  assert.deepEqual(points?.bad, [1, 1, 1, 0, 0, 0]);
  assert.deepEqual(
    points?.p50.map((time) => time !== null),
    [true, true, true, false, false, false],
  );
});

test("times are those of all answers of the step", () => {
  const chart = new Chart(frame);
  const fast = [[histogramBucket(1), 60]] as const;
  const slow = [[histogramBucket(80), 40]] as const;
  chart.add({ ...measured("balancer", 0, 60), latency: fast });
  chart.merge({ vantage: "balancer", good: [40], bad: [0], latency: [slow] });
  const [points] = chart.points;
  assert.ok(points!.p50[0]! >= 1 && points!.p50[0]! <= 1.25);
  assert.ok(points!.p99[0]! >= 80 && points!.p99[0]! <= 100);
});

test("balancers of several nodes add up, a prober that told both is counted once", () => {
  const chart = new Chart(frame);
  chart.add(measured("balancer", 0, 5));
  chart.add(measured("probe:far", 0, 3));
  chart.merge({ vantage: "balancer", good: [1, 2], bad: [0, 4], latency: [] });
  chart.merge({ vantage: "probe:far", good: [2, 9], bad: [0, 0], latency: [] });
  const [balancer, probe] = chart.points;
  assert.deepEqual(
    [balancer?.good, balancer?.bad],
    [
      [6, 2, null, null, null],
      [0, 4, null, null, null],
    ],
  );
  assert.deepEqual(probe?.good, [3, 9, null, null, null]);
});

test("names from outside cannot grow it without end", () => {
  const chart = new Chart(frame);
  for (let i = 0; i < 100; i++) chart.add(measured(`probe:${i}`, 0, 1));
  assert.equal(chart.points.length, 32);
});
