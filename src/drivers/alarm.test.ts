import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarm } from "./alarm.ts";
import { monotonicMs } from "./clock.ts";

/** Settled from `setImmediate`: promises do not go on from within an alarm (see poll.ts). */
function afterwards<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, resolve: (value) => setImmediate(resolve, value) };
}

test("the monotonic clock is the kernel's CLOCK_MONOTONIC", () => {
  const before = Number(process.hrtime.bigint()) / 1e6;
  const now = monotonicMs();
  const after = Number(process.hrtime.bigint()) / 1e6;
  // Where the process was preempted while it measured, the two may differ by microseconds.
  assert.ok(now >= before - 0.05 && now <= after + 0.05, `${before} ${now} ${after}`);
});

test("an alarm never rings before its deadline and rings once", async () => {
  const { promise, resolve } = afterwards<number>();
  let rings = 0;
  const deadline = monotonicMs() + 3.3;
  const alarm = new Alarm(() => {
    rings++;
    resolve(monotonicMs());
  });
  alarm.set(deadline);
  const rang = await promise;
  alarm.close();
  assert.ok(rang >= deadline, `${deadline} ${rang}`);
  assert.equal(rings, 1);
});

test("a deadline in the past rings at once, also zero and below", async () => {
  for (const past of [0, -5, monotonicMs() - 1]) {
    const { promise, resolve } = afterwards<void>();
    const alarm = new Alarm(resolve);
    alarm.set(past);
    await promise;
    alarm.close();
  }
});

test("an alarm that was put off or taken back does not ring at the old deadline", async () => {
  const { promise, resolve } = afterwards<number>();
  let takenRang = false;
  const taken = new Alarm(() => (takenRang = true));
  const putOff = new Alarm(() => resolve(monotonicMs()));
  const start = monotonicMs();
  taken.set(start + 2);
  putOff.set(start + 2);
  taken.set(Infinity);
  putOff.set(start + 10);
  assert.ok((await promise) >= start + 10);
  assert.equal(takenRang, false);
  taken.close();
  putOff.close();
});

test("the same deadline can be set again after it rang", async () => {
  const { promise, resolve } = afterwards<void>();
  let rings = 0;
  const alarm = new Alarm(() => {
    rings++;
    if (rings < 2) alarm.set(1);
    else resolve();
  });
  alarm.set(1);
  await promise;
  alarm.close();
  assert.equal(rings, 2);
});

test("an alarm that is put off again and again rings once, at the last deadline", async () => {
  const { promise, resolve } = afterwards<number>();
  const alarm = new Alarm(() => resolve(monotonicMs()));
  const start = monotonicMs();
  for (let i = 1; i <= 10; i++) alarm.set(start + i);
  alarm.set(start + 20);
  // An earlier one than the kernel knows is not lost among the later ones.
  const early = afterwards<number>();
  const other = new Alarm(() => early.resolve(monotonicMs()));
  other.set(start + 500);
  other.set(start + 1000);
  other.set(start + 5);
  assert.ok((await early.promise) < start + 400);
  assert.ok((await promise) >= start + 20);
  alarm.close();
  other.close();
});
