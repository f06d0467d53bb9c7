import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageBy, switchCoverage, type CoverageInput } from "./coverage.ts";

const result = (switched: boolean, change: Partial<CoverageInput> = {}): CoverageInput => ({
  drill: "mute",
  layer: "network",
  faulted: true,
  switchExpected: true,
  switched,
  verdict: switched ? "passed" : "deviated",
  ...change,
});

test("the share counts what had to switch, and nothing else", () => {
  const results = [
    result(true),
    result(true, { drill: "hang-all", layer: "address" }),
    result(false),
    result(false, { verdict: "aborted" }),
    result(false, { verdict: "error" }),
    result(false, { faulted: false }),
    result(false, { switchExpected: false }),
  ];
  const { faults, switched, ratio } = switchCoverage(results);
  assert.deepEqual([faults, switched, ratio], [4, 2, 0.5]);
  assert.equal(coverageBy(results, "layer").get("address")?.ratio, 1);
  assert.equal(switchCoverage([]).ratio, undefined);
});
