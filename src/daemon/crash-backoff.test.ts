import { test } from "node:test";
import assert from "node:assert/strict";
import { CrashBackoff } from "./crash-backoff.ts";

test("the first death costs no pause, a crash loop costs more and more up to the bound", () => {
  const backoff = new CrashBackoff();
  const pauses: number[] = [];
  for (let now = 0; pauses.length < 10; now += 100) {
    backoff.started(now);
    pauses.push(backoff.ended(now + 50));
  }
  assert.deepEqual(pauses, [0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test("a long life forgives the deaths before it", () => {
  const backoff = new CrashBackoff();
  for (let now = 0; now < 500; now += 100) {
    backoff.started(now);
    backoff.ended(now + 1);
  }
  backoff.started(1000);
  assert.equal(backoff.ended(11_000), 0);
});
