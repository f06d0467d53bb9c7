import assert from "node:assert/strict";
import { test } from "node:test";
import { plainTiming } from "../../../test/kit/plain-timing.ts";
import type { CheckProtocol, CheckTarget } from "./check-settings.ts";
import { readAgentLine } from "./line-probes.ts";
import type { ProbeResult } from "./probe.ts";
import { judgeScript } from "./script-probe.ts";
import { ServerCheck } from "./server-check.ts";

function targetOf(protocol: CheckProtocol, fall: number): CheckTarget {
  const timing = { ...plainTiming(1000, 1000), rise: 2, fall };
  return {
    subject: "web/a",
    check: { name: "c", protocol, timing },
    endpoint: { kind: "ip", address: "10.0.0.1", port: 80 },
  };
}

/** What is told when the next probe ends so. */
function told(check: ServerCheck, result: ProbeResult): string[] {
  const now = check.deadline;
  check.step(now, { type: "woken" });
  const actions = check.step(now, { type: "probe-ended", result });
  return actions.flatMap((one) => (one.type === "report" ? one.verdict.reason : []));
}

test("a server that is down says anew what is wrong when that is another thing", () => {
  const check = new ServerCheck(targetOf({ kind: "tcp" }, 1), 0);
  const said = (reason: string, ok = false): string[] => told(check, { ok, reason });
  assert.deepEqual(said("Access denied"), ["check failed: Access denied, 1 of 1"]);
  assert.deepEqual(said("Access denied"), []);
  assert.deepEqual(said("it is read-only"), ["check failed: it is read-only, 1 of 1"]);
  assert.deepEqual(said("well", true), []);
  assert.deepEqual(said("it is read-only"), []);
  const heir = new ServerCheck(targetOf({ kind: "tcp" }, 3), 0, check.verdict);
  assert.deepEqual(told(heir, { ok: false, reason: "it is read-only" }), []);
  said("well", true);
  assert.deepEqual(said("well", true), ["check passed: well, 2 of 2"]);
});

test("why an agent took its server out stays, whatever else it speaks of", () => {
  const check = new ServerCheck(targetOf({ kind: "agent", send: "" }, 1), 0);
  const reasons = ["up", "down#disk", "75%", "stopped#anna"].map((word) => {
    told(check, readAgentLine(word));
    return check.verdict?.reason;
  });
  const down = 'check failed: the agent said "down" (disk), 1 of 1';
  const stopped = 'check failed: the agent said "stopped" (anna), 1 of 1';
  assert.deepEqual(reasons.slice(1), [down, down, stopped]);
});

test("the weight that a dynamic script said stays until it says another", () => {
  const weights = (dynamic: boolean): (number | undefined)[] => {
    const check = new ServerCheck(targetOf({ kind: "script", argv: ["/x"], dynamic }, 1), 0);
    return [52, 0, 1, 0, 0, 2].map((code) => {
      told(check, judgeScript({ dynamic }, { kind: "exited", code }, ""));
      return check.verdict?.weightPercent;
    });
  };
  assert.deepEqual(weights(true), [50, 50, 50, 50, 50, 0]);
  assert.ok(weights(false).every((weight) => weight === undefined));
});
