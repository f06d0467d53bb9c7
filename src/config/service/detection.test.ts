/** The expected times against the machine that takes them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CheckTiming } from "../../core/check/check-settings.ts";
import { ServerCheck } from "../../core/check/server-check.ts";
import { detectionOf, recoveryMs } from "./detection.ts";

type Answer = "good" | "refuses" | "hangs";

/** When the verdict becomes `up`, for a server that answers like that. */
function verdictAt(timing: CheckTiming, up: boolean, answer: (now: number) => Answer): number {
  const endpoint = { kind: "ip", address: "10.0.0.1", port: 80 } as const;
  const check = { name: "c", protocol: { kind: "tcp" }, timing } as const;
  const machine = new ServerCheck({ subject: "s", check, endpoint }, 0);
  for (let steps = 0; steps < 10_000; steps++) {
    const now = machine.deadline;
    let actions = machine.step(now, { type: "woken" });
    if (actions.some((action) => action.type === "start-probe") && answer(now) !== "hangs") {
      const result = { ok: answer(now) === "good", reason: "x" };
      actions = machine.step(now, { type: "probe-ended", result });
    }
    for (const action of actions) {
      if (action.type === "report" && action.verdict.up === up && now >= CHANGE_MS) return now;
    }
  }
  return Infinity;
}

/** Long after the start. */
const CHANGE_MS = 20_000;

const timings: fc.Arbitrary<CheckTiming> = fc
  .record({
    intervalMs: fc.integer({ min: 50, max: 5000 }),
    fastIntervalMs: fc.integer({ min: 50, max: 5000 }),
    downIntervalMs: fc.integer({ min: 50, max: 5000 }),
    timeoutMs: fc.integer({ min: 1, max: 3000 }),
    rise: fc.integer({ min: 1, max: 4 }),
    fall: fc.integer({ min: 1, max: 4 }),
    retry: fc.integer({ min: 0, max: 3 }),
    delayBeforeRetryMs: fc.integer({ min: 0, max: 1000 }),
  })
  .map((some) => ({ ...some, warmupMs: 0, startDown: false }));

test("a dead server is found between the best and the worst time, and both are reached", () => {
  fc.assert(
    fc.property(timings, fc.double({ min: 0, max: 1, noNaN: true }), (timing, part) => {
      const { bestMs, worstMs } = detectionOf(timing);
      const { intervalMs } = timing;
      const lastCheck = Math.ceil(CHANGE_MS / intervalMs) * intervalMs;
      const after = (diedMs: number, how: Answer): number => {
        return verdictAt(timing, false, (now) => (now >= diedMs ? how : "good")) - diedMs;
      };
      for (const how of ["refuses", "hangs"] as const) {
        const took = after(lastCheck + part * intervalMs, how);
        assert.ok(took >= bestMs - 1e-6 && took <= worstMs + 1e-6, `${took} ${how}`);
      }
      assert.ok(Math.abs(after(lastCheck, "refuses") - bestMs) < 1e-6);
      assert.ok(Math.abs(after(lastCheck + 0.001, "hangs") - worstMs) < 0.01);
    }),
  );
});

test("a server that is well again is used within the time that is told", () => {
  fc.assert(
    fc.property(timings, fc.double({ min: 0, max: 5000, noNaN: true }), (timing, later) => {
      const backMs = CHANGE_MS + later;
      for (const before of ["refuses", "hangs"] as const) {
        const at = verdictAt(timing, true, (now) => (now >= backMs ? "good" : before));
        assert.ok(at - backMs <= recoveryMs(timing) + 1e-6, `${at - backMs} after it ${before}`);
      }
    }),
  );
});
