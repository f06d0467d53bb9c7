import assert from "node:assert/strict";
import { test } from "node:test";
import { afterResignationMs, hintedStartMs, masterDownMs, skewMs } from "./timing.ts";

const INTERVALS = [10, 20, 100, 1000, 5000, 40_950];
const PRIORITIES = Array.from({ length: 254 }, (_, i) => i + 1);

test("a higher priority always waits less, in both versions and at every interval", () => {
  for (const version of [2, 3] as const) {
    for (const interval of INTERVALS) {
      for (const priority of PRIORITIES) {
        const pace = { version, downTimerAdverts: 3 };
        assert.ok(skewMs(version, priority, interval) > skewMs(version, priority + 1, interval));
        assert.ok(
          masterDownMs(pace, priority, interval) > masterDownMs(pace, priority + 1, interval),
        );
      }
    }
  }
});

test("a skew is more than nothing and less than an interval (version 2: a second)", () => {
  for (const interval of INTERVALS) {
    for (const priority of [...PRIORITIES, 255]) {
      const three = skewMs(3, priority, interval);
      assert.ok(three > 0 && three < interval);
      const two = skewMs(2, priority, interval);
      assert.ok(two > 0 && two < 1000);
    }
  }
});

test("after a resignation a better backup is never later, and nobody later than a skew", () => {
  for (const interval of INTERVALS) {
    for (const priority of PRIORITIES) {
      const skew = skewMs(3, priority, interval);
      const better = skewMs(3, priority + 1, interval);
      assert.ok(afterResignationMs(better, true) <= afterResignationMs(skew, true));
      assert.ok(afterResignationMs(skew, true) <= skew);
      assert.equal(afterResignationMs(skew, false), skew);
    }
  }
});

test("the shortened first wait outlasts an interval and is shorter than the usual one", () => {
  for (const interval of INTERVALS) {
    const usual = masterDownMs({ version: 3, downTimerAdverts: 3 }, 254, interval);
    assert.ok(hintedStartMs(interval) > interval);
    assert.ok(hintedStartMs(interval) < usual);
  }
});

test("numbers of RFC 9568 section 6.1 and RFC 3768 section 6.1, worked out by hand", () => {
  assert.equal(skewMs(3, 100, 1000), 609.375);
  assert.equal(skewMs(3, 254, 100), 0.78125);
  assert.equal(skewMs(2, 100, 5000), 609.375);
  assert.equal(masterDownMs({ version: 3, downTimerAdverts: 3 }, 100, 1000), 3609.375);
  assert.equal(masterDownMs({ version: 2, downTimerAdverts: 3 }, 100, 5000), 15_609.375);
});
