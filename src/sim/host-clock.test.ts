import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HostClock } from "./host-clock.ts";

test("local and world time are each other's inverse, whatever the drift", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -0.02, max: 0.02, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (drift, worldMs) => {
        const clock = new HostClock(drift, 5000);
        assert.ok(Math.abs(clock.world(clock.local(worldMs)) - worldMs) < 1e-6);
      },
    ),
  );
});

test("a frozen host's clock stands still and goes on where it stood", () => {
  const clock = new HostClock(0, 100);
  clock.freeze(50);
  assert.equal(clock.local(5000), 150);
  assert.equal(clock.world(151), Infinity);
  clock.thaw(5000);
  assert.equal(clock.local(5010), 160);
  assert.equal(clock.world(160), 5010);
});

test("a step of the wall clock leaves monotonic time alone", () => {
  const clock = new HostClock(0, 0);
  const before = clock.wall(1000);
  clock.wallOffsetMs -= 3_600_000;
  assert.equal(clock.wall(1000), before - 3_600_000);
  assert.equal(clock.local(1000), 1000);
});
