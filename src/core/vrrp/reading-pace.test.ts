import assert from "node:assert/strict";
import { test } from "node:test";
import { GATHER_MS, ReadingPace } from "./reading-pace.ts";

/** Reads `perSecond` adverts evenly for `forMs`, each as it comes or as told; the last answer. */
function hear(pace: ReadingPace, from: number, perSecond: number, forMs: number): boolean {
  let gathers = false;
  let readUntil = from;
  for (let now = from; now <= from + forMs; now += gathers ? GATHER_MS : 1000 / perSecond) {
    const count = gathers ? Math.floor(((now - readUntil) * perSecond) / 1000) : 1;
    readUntil += (count * 1000) / perSecond;
    gathers = pace.read(now, count);
  }
  return gathers;
}

test("a hundred adverts a second are read one by one", () => {
  assert.equal(hear(new ReadingPace(), 1000, 100, 2000), false);
});

test("thousands in a second are gathered, until they become few again", () => {
  const pace = new ReadingPace();
  assert.equal(hear(pace, 1000, 2550, 1000), true);
  assert.equal(hear(pace, 2000, 700, 1000), true, "between the two bounds nothing changes");
  assert.equal(hear(pace, 3000, 300, 1000), false);
  assert.equal(hear(pace, 4000, 700, 1000), false, "between the two bounds nothing changes");
});

test("a burst is gathered from its eighth advert on, whatever the second around it holds", () => {
  const pace = new ReadingPace();
  for (let second = 1; second < 4; second++) {
    const from = second * 1000;
    const answers = Array.from({ length: 8 }, (_, i) => pace.read(from + i / 16, 1));
    assert.deepEqual(answers, [...Array.from({ length: 7 }, () => false), true]);
    assert.equal(pace.read(from + GATHER_MS, 60), true);
    assert.equal(pace.read(from + 3 * GATHER_MS, 0), true);
    assert.equal(pace.read(from + 5 * GATHER_MS, 0), false, "and it is over");
  }
});

test("after a pause adverts are read one by one, however many came before it", () => {
  const pace = new ReadingPace();
  hear(pace, 1000, 2550, 1000);
  assert.equal(pace.read(5000, 7), false);
});
