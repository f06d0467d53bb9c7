import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DeadlineHeap } from "./deadline-heap.ts";

class Sleeper {
  deadline = Infinity;
}

test("whatever was pushed and changed, the earliest comes first and nobody is forgotten", () => {
  const change = fc.tuple(fc.nat(7), fc.oneof(fc.constant(Infinity), fc.nat(100)));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const sleepers = Array.from({ length: 8 }, () => new Sleeper());
      const heap = new DeadlineHeap<Sleeper>();
      for (const [i, deadline] of changes) {
        sleepers[i]!.deadline = deadline;
        heap.push(sleepers[i]!);
        assert.equal(heap.deadline, Math.min(...sleepers.map((one) => one.deadline)));
      }
      const due = sleepers.filter((one) => one.deadline < Infinity);
      const taken = new Set<Sleeper>();
      for (let last = 0, one = heap.takeDue(100); one !== undefined; one = heap.takeDue(100)) {
        assert.ok(one.deadline >= last);
        last = one.deadline;
        taken.add(one);
        one.deadline = Infinity;
      }
      assert.equal(taken.size, due.length);
    }),
  );
});

test("nobody is taken before the time", () => {
  const heap = new DeadlineHeap<Sleeper>();
  const sleeper = new Sleeper();
  sleeper.deadline = 50;
  heap.push(sleeper);
  assert.equal(heap.takeDue(49.9), undefined);
  assert.equal(heap.takeDue(50), sleeper);
  assert.equal(heap.deadline, Infinity);
});
