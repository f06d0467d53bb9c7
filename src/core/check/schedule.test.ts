import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Schedule, startOffset } from "./schedule.ts";

test("a late run does not shift the grid and missed points are skipped", () => {
  const schedule = new Schedule(100, 50);
  assert.equal(schedule.due(99.9), false);
  assert.equal(schedule.due(100), true);
  schedule.advance(103);
  assert.equal(schedule.nextMs, 150);
  schedule.advance(321);
  assert.equal(schedule.nextMs, 350);
});

test("the next point is always later than now and on the grid", () => {
  const property = fc.property(
    fc.integer({ min: 0, max: 1e6 }),
    fc.integer({ min: 1, max: 100_000 }),
    fc.integer({ min: 0, max: 1e9 }),
    (first, interval, late) => {
      const schedule = new Schedule(first, interval);
      schedule.advance(first + late);
      assert.ok(schedule.nextMs > first + late);
      assert.ok(schedule.nextMs <= first + late + interval);
      assert.equal((schedule.nextMs - first) % interval, 0);
    },
  );
  fc.assert(property);
});

test("checks that start together are spread, and all have started within one interval", () => {
  assert.equal(startOffset(0, 3, 1000), 0);
  assert.equal(startOffset(2, 3, 1000), 40);
  assert.ok(startOffset(254, 255, 100) < 100);
});
