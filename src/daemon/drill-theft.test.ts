import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../test/kit/drill-facts.ts";
import { drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import type { Evidence } from "../core/drill/judge.ts";
import type { DrillResult } from "../core/drill/result.ts";
import { judgeRobbed, type DrillTheft } from "./drill-theft.ts";

const made = planFor(drillKind("link-down")!, facts);
assert.ok(typeof made !== "string");
const plan = made;

/** Longer than promised by 100 ms while the fault was there. */
function judged(theft: DrillTheft, outcome: Partial<Evidence["outcome"]> = {}): DrillResult {
  const undoMs = plan.promise.outageMs + 1000;
  const silentMs = plan.promise.outageMs + 100;
  const sentMs = Array.from({ length: 2 * undoMs }, (_, ms) => ms);
  const record = {
    sentMs,
    answeredMs: sentMs.map((ms) => (ms > 0 && ms < silentMs ? null : ms)),
    by: sentMs.map(() => 0),
    answerers: ["lb1"],
    target: "10.0.0.200",
    intervalMs: 1,
    endMs: 2 * undoMs,
  };
  const evidence: Evidence = {
    id: "x",
    plan,
    site: "lab",
    outcome: {
      faulted: true,
      happened: true,
      deviations: [],
      aborted: undefined,
      error: undefined,
      ...outcome,
    },
    record,
    moments: { faultMs: 0, undoMs, endMs: 2 * undoMs },
    events: [],
    faultWallMs: 0,
    startedWallMs: 0,
    endedWallMs: 0,
    steps: [],
    undoneBy: "guard",
  };
  return judgeRobbed(evidence, theft);
}

test("an outage that the host made longer breaks no promise, and that is told", () => {
  const { verdict, reason, switched } = judged({ outageMs: 150, returnOutageMs: 0 });
  assert.deepEqual([verdict, switched], ["passed", true], reason);
  assert.match(reason, /^as promised: .*; the host took 150 ms of the CPUs meanwhile$/u);
});

test("what was stolen too little for it, or at another time, excuses nothing", () => {
  for (const theft of [
    { outageMs: 0, returnOutageMs: 0 },
    { outageMs: 50, returnOutageMs: 0 },
    { outageMs: 0, returnOutageMs: 500 },
  ]) {
    assert.equal(judged(theft).verdict, "deviated", JSON.stringify(theft));
  }
});

test("nor does a theft excuse what is no matter of time", () => {
  const { verdict, reason } = judged(
    { outageMs: 500, returnOutageMs: 500 },
    { deviations: ["nobody took it over"] },
  );
  assert.deepEqual([verdict, reason], ["deviated", "nobody took it over"]);
});
