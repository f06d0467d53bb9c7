import assert from "node:assert/strict";
import { test } from "node:test";
import { halfway, sinceLastAdvertMs } from "../bench/advert-watch.ts";
import type { ProbeRecord } from "../src/core/drill/probe-record.ts";

/** One probe per ms from 0, answered half a ms later by lb1 until `dies`, by lb2 from `back` on. */
function record(dies: number, back: number): ProbeRecord {
  const sentMs = Array.from({ length: back + 100 }, (_, i) => i);
  const by = sentMs.map((at) => (at < dies ? 0 : at < back ? -1 : 1));
  return {
    target: "192.0.2.1:7007",
    intervalMs: 1,
    sentMs,
    answeredMs: sentMs.map((at, i) => (by[i] === -1 ? null : at + 0.5)),
    by,
    answerers: ["lb1", "lb2"],
    endMs: sentMs.length,
  };
}

test("a strike falls into the middle between two adverts, whichever comes next", () => {
  assert.equal(halfway(100, 10, 101), 105);
  assert.equal(halfway(100, 10, 104.8), 115);
  assert.equal(halfway(100, 10, 127), 135);
  assert.equal(halfway(100, 1000, 101), 600);
});

test("what is counted from the last advert does not depend on the phase of the fault", () => {
  const adverts: Readonly<Record<string, readonly number[]>> = {
    lb1: [80, 90, 100],
    lb2: [137, 147],
  };
  const sent = (answerer: string): readonly number[] => adverts[answerer] ?? [];
  for (const dies of [101, 105, 109]) {
    assert.equal(sinceLastAdvertMs(record(dies, 137), dies, sent), 37.5);
  }
});

test("adverts after the take-over are no silence, and without a take-over there is none", () => {
  const sent = (): readonly number[] => [100, 200];
  assert.equal(sinceLastAdvertMs(record(101, 137), 101, sent), 37.5);
  assert.equal(
    sinceLastAdvertMs(record(101, 137), 101, () => [200]),
    undefined,
  );
  assert.equal(
    sinceLastAdvertMs(record(400, 200), 145, () => [100]),
    undefined,
  );
});
