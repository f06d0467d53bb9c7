import assert from "node:assert/strict";
import { test } from "node:test";
import { stolenMs } from "./stolen.ts";

test("stolen time is the eighth count of all CPUs, in hundredths of a second", () => {
  const stat = "cpu  100 2 30 4000 5 0 7 42 0 0\ncpu0 50 1 15 2000 2 0 3 40 0 0\n";
  assert.equal(stolenMs(stat), 420);
});

test("this machine's own account is a number that never goes back", () => {
  const before = stolenMs();
  assert.ok(before >= 0);
  assert.ok(stolenMs() >= before);
});
