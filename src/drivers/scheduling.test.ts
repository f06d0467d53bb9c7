import assert from "node:assert/strict";
import { test } from "node:test";
import { applyScheduling, isRealtime } from "./scheduling.ts";

test("what the kernel refuses is told with its reason and does not throw", () => {
  const [priority, cpus, score] = applyScheduling({
    realtimePriority: 100,
    cpus: [1023],
    oomScoreAdjust: 5000,
  });
  assert.equal(priority?.applied, false);
  assert.match(priority?.reason ?? "", /sched_setscheduler to 100: EINVAL/);
  assert.equal(cpus?.applied, false);
  assert.match(cpus?.reason ?? "", /CPU 1023: EINVAL/);
  assert.equal(score?.applied, false);
  assert.match(score?.reason ?? "", /oom_score_adj: EINVAL/);
  assert.equal(isRealtime(), false);
});

test("nothing asked, nothing done", () => {
  assert.deepEqual(applyScheduling({}), []);
});
