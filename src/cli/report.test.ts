import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOfRecount } from "./report.ts";

function figures(score: number): string[] {
  const times = {
    startMs: 0,
    detectedMs: 604,
    harmMs: 14_983,
    counts: true,
    isOver: true,
    harm: [],
    isFault: true,
    byItself: true,
  };
  const incident = { ...times, score, scoreFromStart: score };
  const budget = { allowedMinutes: 1, usedMinutes: 0, allowedRequests: 1, usedRequests: 0 };
  const means = { failures: 1, downMs: 14_983, rtoMs: [], rpoMs: [], switchMs: [], ...budget };
  const faults = { faults: 1, switched: 1, score };
  const counted = { service: "shop", vantages: [], latencies: [], incidents: [incident] };
  return figuresOfRecount([{ ...counted, means: { ...means, ...faults } }]);
}

test("a score between two figures is written the same however it was added up", () => {
  const atOnce = (14_379 / 60_000) * 5;
  const below = 1.1982499999999998;
  assert.notEqual(atOnce.toFixed(4), below.toFixed(4), "the two sums differ in their last bit");
  assert.deepEqual(figures(atOnce), figures(below));
  assert.match(figures(below)[0]!, /score 1\.1983, from start 1\.1983$/u);
});
