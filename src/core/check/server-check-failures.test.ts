import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plainTiming } from "../../../test/kit/plain-timing.ts";
import type { CheckTarget, CheckTiming } from "./check-settings.ts";
import { ServerCheck } from "./server-check.ts";

function targetOf(timing: Partial<CheckTiming>): CheckTarget {
  return {
    subject: "web/a",
    check: {
      name: "c",
      protocol: { kind: "tcp" },
      timing: { ...plainTiming(2000, 1000), ...timing },
    },
    endpoint: { kind: "ip", address: "10.0.0.1", port: 80 },
  };
}

describe("log_failures", () => {
  it("tells of each failure that changes nothing, and of none while the server is down", () => {
    const target = targetOf({ fall: 2, retry: 1 });
    const check = new ServerCheck({ ...target, check: { ...target.check, logFailures: true } }, 0);
    const said = [true, false, false, false, false, false].map((ok) => {
      const now = check.deadline;
      check.step(now, { type: "woken" });
      const actions = check.step(now, { type: "probe-ended", result: { ok, reason: "x" } });
      return actions.map((one) =>
        one.type === "report"
          ? `${one.verdict.up}`
          : one.type === "note-failure"
            ? one.reason
            : one.type,
      );
    });
    assert.deepEqual(said, [
      ["true"],
      ["check failed: x, tries left: 1"],
      ["check failed: x, 1 of 2"],
      ["check failed: x, tries left: 1"],
      ["false"],
      [],
    ]);
  });
});

describe("a check that waits for an address", () => {
  it("asks nothing, what was found holds, and it is asked from the moment that it is told", () => {
    const check = new ServerCheck(targetOf({ fall: 1, retry: 2 }), 0);
    check.step(0, { type: "woken" });
    check.step(0, { type: "probe-ended", result: { ok: true, reason: "x" } });
    check.step(2000, { type: "woken" });
    // What the one under way says would be of a moment when nobody asks.
    assert.deepEqual(check.step(2001, { type: "suspended" }), [{ type: "abandon-probe" }]);
    const late = check.step(2002, { type: "probe-ended", result: { ok: false, reason: "x" } });
    assert.deepEqual([...late, ...check.step(9000, { type: "woken" })], []);
    assert.deepEqual(
      [check.deadline, check.isSuspended, check.verdict?.up],
      [Infinity, true, true],
    );
    check.step(9000, { type: "resumed", atMs: 9020 });
    assert.deepEqual([check.deadline, check.isSuspended], [9020, false]);
    assert.deepEqual(check.step(9020, { type: "woken" }), [{ type: "start-probe" }]);
    // Told twice: the one under way goes on.
    assert.deepEqual(check.step(9021, { type: "resumed", atMs: 9021 }), []);
    assert.equal(check.deadline, 9020 + 1000);
  });
});
