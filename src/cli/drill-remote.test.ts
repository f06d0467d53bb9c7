import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../test/kit/drill-facts.ts";
import { drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import { brokenPromises, type DrillResult, type Measured } from "../core/drill/result.ts";
import { withOwnEyes } from "./drill-remote.ts";

const made = planFor(drillKind("link-down")!, facts);
assert.ok(typeof made !== "string");
const plan = made;
const WELL: Measured = {
  requests: 50,
  failed: 2,
  outageMs: 900,
  returnOutageMs: 20,
  slowestMs: 30,
};
const BAD: Measured = { ...WELL, returnOutageMs: 60_000 };

/** As the node that was cut off judged itself. */
function there(more: readonly string[] = []): DrillResult {
  const deviations = [...more, ...brokenPromises(plan, BAD)];
  const verdict = { verdict: "deviated", reason: deviations[0]!, deviations } as const;
  const rest = { promise: plan.promise.text, measured: BAD };
  return { ...verdict, ...rest } as unknown as DrillResult;
}

test("what the broken node's own client saw gives way to the client that asks from here", () => {
  const result = withOwnEyes(there(), { plan, seen: WELL, written: undefined });
  assert.equal(result.verdict, "passed");
  assert.deepEqual(result.deviations, []);
  assert.equal(result.measured, WELL);
  assert.match(result.reason, /^as promised: /u);
});

test("what was not about clients stays, and so does everything when nobody asks from here", () => {
  const told = there(["nobody took it over"]);
  const seen = withOwnEyes(told, { plan, seen: WELL, written: undefined });
  assert.deepEqual([seen.verdict, seen.reason], ["deviated", "nobody took it over"]);
  const blind = withOwnEyes(told, { plan, seen: undefined, written: undefined });
  assert.deepEqual(blind.deviations, told.deviations);
});

test("an outage that is seen from here makes the drill deviate", () => {
  const seen = { ...WELL, outageMs: 90_000 };
  const result = withOwnEyes(there(), { plan, seen, written: undefined });
  assert.equal(result.verdict, "deviated");
  assert.match(result.reason, /no answer for 1m 30s as seen from here/u);
});

test("an abortion stays one, whatever clients saw", () => {
  const aborted = { ...there(), verdict: "aborted" as const, reason: "by hand" };
  const result = withOwnEyes(aborted, { plan, seen: WELL, written: undefined });
  assert.deepEqual([result.verdict, result.reason], ["aborted", "by hand"]);
});
