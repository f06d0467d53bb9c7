import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TICK_MS, Timed, TimerWheel } from "./timer-wheel.ts";

class Probe extends Timed {
  readonly fired: number[] = [];
  onDue: (now: number) => void = () => {};
  due(now: number): void {
    this.fired.push(now);
    this.onDue(now);
  }
}

/** Wakes the wheel exactly when it asks for it. */
function runUntil(wheel: TimerWheel, end: number): void {
  for (let rounds = 0; wheel.deadline <= end; rounds++) {
    assert.ok(rounds < 100_000, "the wheel asks for the same moment for ever");
    wheel.wake(wheel.deadline);
  }
  wheel.wake(end);
}

test("a moment is met within one tick and never early, however far away", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 400_000, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (start, delays) => {
        const wheel = new TimerWheel(start);
        const probes = delays.map((delay) => {
          const probe = new Probe();
          wheel.set(probe, start + delay);
          return probe;
        });
        runUntil(wheel, start + 500_000);
        probes.forEach((probe, i) => {
          const wanted = start + delays[i]!;
          assert.equal(probe.fired.length, 1);
          assert.ok(probe.fired[0]! >= wanted);
          assert.ok(probe.fired[0]! <= Math.max(wanted, start) + 2 * TICK_MS);
        });
        assert.equal(wheel.deadline, Infinity);
        assert.equal(wheel.hanging, 0);
      },
    ),
  );
});

test("a moment moved later is met at the later one, moved earlier at the earlier one", () => {
  const wheel = new TimerWheel(0);
  const later = new Probe();
  const earlier = new Probe();
  wheel.set(later, 1000);
  wheel.set(later, 5000);
  wheel.set(earlier, 5000);
  wheel.set(earlier, 1000);
  runUntil(wheel, 4000);
  assert.deepEqual(later.fired, []);
  assert.equal(earlier.fired.length, 1);
  runUntil(wheel, 6000);
  assert.equal(later.fired.length, 1);
});

test("a node that was taken off is never called, also by a neighbour of the same slot", () => {
  const wheel = new TimerWheel(0);
  const first = new Probe();
  const second = new Probe();
  wheel.set(first, 500);
  wheel.set(second, 500);
  first.onDue = () => wheel.remove(second);
  runUntil(wheel, 1000);
  assert.equal(first.fired.length, 1);
  assert.deepEqual(second.fired, []);
});

test("a node may ask for its next moment while it is called, also a whole round later", () => {
  const wheel = new TimerWheel(0);
  const probe = new Probe();
  probe.onDue = (now) => {
    if (probe.fired.length < 5) wheel.set(probe, now + 1024 * TICK_MS);
  };
  wheel.set(probe, 10);
  runUntil(wheel, 10 * 1024 * TICK_MS);
  assert.equal(probe.fired.length, 5);
});

test("after a long stop everything that is due is called at once", () => {
  const wheel = new TimerWheel(0);
  const probes = Array.from({ length: 50 }, (_, i) => {
    const probe = new Probe();
    wheel.set(probe, i * 3000);
    return probe;
  });
  wheel.wake(10_000_000);
  assert.ok(probes.every((probe) => probe.fired.length === 1));
});
