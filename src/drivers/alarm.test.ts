import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarm } from "./alarm.ts";
import { monotonicMs } from "./clock.ts";

test("the monotonic clock is the kernel's CLOCK_MONOTONIC", () => {
  const before = Number(process.hrtime.bigint()) / 1e6;
  const now = monotonicMs();
  const after = Number(process.hrtime.bigint()) / 1e6;
  // Where the process was preempted while it measured, the two may differ by microseconds.
  assert.ok(now >= before - 0.05 && now <= after + 0.05, `${before} ${now} ${after}`);
});

test("an alarm never rings before its deadline and rings once", async () => {
  let rings = 0;
  const { deadline, rang } = await new Promise<{ deadline: number; rang: number }>((resolve) => {
    const due = monotonicMs() + 3.3;
    const alarm = new Alarm(() => {
      rings++;
      alarm.close();
      resolve({ deadline: due, rang: monotonicMs() });
    });
    alarm.set(due);
  });
  assert.ok(rang >= deadline, `${deadline} ${rang}`);
  assert.equal(rings, 1);
});

test("a deadline in the past rings at once, also zero and below", async () => {
  for (const past of [0, -5, monotonicMs() - 1]) {
    await new Promise<void>((resolve) => {
      const alarm = new Alarm(() => {
        alarm.close();
        resolve();
      });
      alarm.set(past);
    });
  }
});

test("an alarm that was put off or taken back does not ring at the old deadline", async () => {
  await new Promise<void>((resolve, reject) => {
    const taken = new Alarm(() => reject(new Error("rang although taken back")));
    const start = monotonicMs();
    const putOff = new Alarm(() => {
      if (monotonicMs() < start + 10) reject(new Error("rang at the old deadline"));
      taken.close();
      putOff.close();
      resolve();
    });
    taken.set(start + 2);
    putOff.set(start + 2);
    taken.set(Infinity);
    putOff.set(start + 10);
  });
});

test("the same deadline can be set again after it rang", async () => {
  let rings = 0;
  await new Promise<void>((resolve) => {
    const alarm = new Alarm(() => {
      rings++;
      if (rings === 2) {
        alarm.close();
        resolve();
      } else alarm.set(1);
    });
    alarm.set(1);
  });
  assert.equal(rings, 2);
});
