import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../../test/kit/drill-facts.ts";
import { drillKind } from "./catalogue/catalogue.ts";
import { planFor } from "./catalogue/drill-kind.ts";
import { judge } from "./judge.ts";
import type { Detection } from "./result.ts";

const FAULT_WALL_MS = 1_000_000;

/** Mended 2 s after the fault; events: ms after the fault, kind. */
function detectionOf(...events: readonly (readonly [number, string])[]): Detection | undefined {
  const plan = planFor(drillKind("kill-control")!, facts);
  assert.ok(typeof plan !== "string");
  return judge({
    id: "x",
    plan,
    site: "lb1",
    outcome: {
      faulted: true,
      happened: true,
      deviations: [],
      aborted: undefined,
      error: undefined,
    },
    record: undefined,
    moments: { faultMs: 500, undoMs: 2500, endMs: 9000 },
    events: events.map(([afterMs, kind]) => {
      return { node: "lb1", kind, reason: kind, wallMs: FAULT_WALL_MS + afterMs };
    }),
    faultWallMs: FAULT_WALL_MS,
    startedWallMs: FAULT_WALL_MS - 1000,
    endedWallMs: FAULT_WALL_MS + 9000,
    steps: [],
    undoneBy: "guard",
  }).detection;
}

test("the first word between the fault and its end is the detection", () => {
  const found = detectionOf([-5, "role-ended"], [700, "peer-lost"], [900, "state-changed"]);
  assert.deepEqual([found?.afterMs, found?.kind], [700, "peer-lost"]);
});

test("what is said after it was mended, by a process that starts again, is none", () => {
  assert.equal(detectionOf([100, "operator-asked"], [6160, "configuration-warning"]), undefined);
});
