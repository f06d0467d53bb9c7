import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessRecord, type EndCause } from "./access-record.ts";
import type { Exchange } from "./exchange.ts";
import { countFinished } from "./exchange-traffic.ts";
import { Traffic } from "./traffic.ts";

/** What a frontend has counted after one exchange that ended so. */
function counted(status: number, cause: EndCause): { good: number; bad: number; timed: number } {
  const record = new AccessRecord();
  Object.assign(record, { status, cause, totalMs: 10_000 });
  const frontend = new Traffic();
  const parts = { record, group: undefined, placedAt: -1, dispatcher: undefined };
  countFinished(frontend, parts as unknown as Exchange);
  const timed = frontend.totalTime.total;
  return { good: frontend.get("good"), bad: frontend.get("bad"), timed };
}

test("what was answered has a time, well or not", () => {
  assert.deepEqual(counted(200, "-"), { good: 1, bad: 0, timed: 1 });
  assert.deepEqual(counted(504, "s"), { good: 0, bad: 1, timed: 1 });
});

test("a client that left, or never sent its request, makes nobody slow", () => {
  assert.deepEqual(counted(0, "C"), { good: 0, bad: 0, timed: 0 });
  assert.deepEqual(counted(408, "c"), { good: 0, bad: 0, timed: 0 });
});

test("how long a tunnel was says nothing of how quickly it was opened", () => {
  assert.deepEqual(counted(101, "-"), { good: 1, bad: 0, timed: 0 });
});
