import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventQueue } from "./event-queue.ts";

test("events run by time, equal times in the order of scheduling", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
      const queue = new EventQueue();
      const ran: [number, number][] = [];
      for (const [i, time] of times.entries()) queue.at(time, () => ran.push([queue.now, i]));
      while (queue.runNext());
      const wanted = times.map((time, i): [number, number] => [time, i]);
      wanted.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      assert.deepEqual(ran, wanted);
    }),
  );
});

test("an event for a moment already past runs next, and the clock never goes back", () => {
  const queue = new EventQueue();
  const seen: number[] = [];
  queue.at(10, () => queue.at(3, () => seen.push(queue.now)));
  queue.at(11, () => seen.push(queue.now));
  while (queue.runNext());
  assert.deepEqual(seen, [10, 11]);
  assert.equal(queue.nextTime, Infinity);
});
