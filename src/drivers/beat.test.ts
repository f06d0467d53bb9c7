import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Beat, untilBeatMs } from "./beat.ts";

const START = 1_800_000_000_000;

/** A clock and timers that agree, until somebody sets the clock. */
function clock(t: TestContext): { nowMs: number; readonly beat: Beat; pass(ms: number): void } {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const it = {
    nowMs: START,
    beat: new Beat(),
    pass: (ms: number): void => {
      for (let i = 0; i < ms; i += 10) {
        it.nowMs += 10;
        t.mock.timers.tick(10);
      }
    },
  };
  t.mock.method(Date, "now", () => it.nowMs);
  return it;
}

test("what begins at different moments is done in the same ones, each at its own pace", (t) => {
  const time = clock(t);
  const done: string[] = [];
  const ends = [1_000, 2_000, 5_000].map((everyMs, i) => {
    time.pass(170);
    return time.beat.on(() => done.push(`${i} at ${(time.nowMs - START - 10) / 1000} s`), everyMs);
  });
  time.pass(6_000);
  assert.deepEqual(
    done,
    [1, 2, 3, 4, 5, 6].flatMap((s) => [
      `0 at ${s} s`,
      ...(s % 2 === 0 ? [`1 at ${s} s`] : []),
      ...(s % 5 === 0 ? [`2 at ${s} s`] : []),
    ]),
  );
  for (const end of ends.slice(0, 2)) end();
  time.pass(4_000);
  assert.deepEqual(done.slice(10), ["2 at 10 s"]);
  ends[2]!();
  time.pass(10_000);
  assert.equal(done.length, 11);
});

test("who was held up past a turn asks for no time that has passed", (t) => {
  const time = clock(t);
  const asked = t.mock.method(globalThis, "setTimeout");
  let turns = 0;
  const end = time.beat.on(() => turns++, 1_000);
  time.nowMs += 1_100;
  const endOther = time.beat.on(() => {}, 5_000);
  assert.ok(asked.mock.calls.every(({ arguments: [, delayMs] }) => Number(delayMs) >= 0));
  time.pass(10);
  assert.equal(turns, 1);
  end();
  endOther();
});

test("a clock that is set neither stops it nor makes it hurry", (t) => {
  const time = clock(t);
  let turns = 0;
  const end = time.beat.on(() => turns++, 2_000);
  for (const stepMs of [0, -3_600_000, 7_200_000]) {
    time.nowMs += stepMs;
    const before = turns;
    time.pass(20_000);
    assert.ok(Math.abs(turns - before - 10) <= 1, `${turns - before} turns in 20 s`);
  }
  end();
});

test("whoever has a timer of its own can wake at the same moment", (t) => {
  const time = clock(t);
  const done: string[] = [];
  time.pass(130);
  const end = time.beat.on(() => done.push(`beat ${time.nowMs}`), 1_000);
  setTimeout(() => done.push(`own ${time.nowMs}`), untilBeatMs());
  time.pass(1_000);
  end();
  assert.deepEqual(done, [`beat ${START + 1_010}`, `own ${START + 1_010}`]);
});

test("a timer that comes too early does nothing, and comes again", (t) => {
  const time = clock(t);
  let turns = 0;
  const end = time.beat.on(() => turns++, 1_000);
  time.nowMs += 999;
  t.mock.timers.tick(1_002);
  assert.equal(turns, 0);
  time.pass(10);
  assert.equal(turns, 1);
  end();
});
