import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { drawScenario } from "./swarm.ts";

/** A scenario with many faults and nodes, so that there is something to cut. */
function rich(): Scenario {
  for (let seed = 1; ; seed++) {
    const scenario = drawScenario(seed);
    if (scenario.nodes.length >= 4 && scenario.faults.length >= 6) return scenario;
  }
}

test("only what makes the oracle bite is left", () => {
  const scenario = rich();
  const guilty = scenario.faults[4]!;
  const name = scenario.nodes[guilty.node]!.name;
  const judge = (s: Scenario): "no-flap" | undefined =>
    s.faults.some((f) => f.kind === guilty.kind && s.nodes[f.node]?.name === name)
      ? "no-flap"
      : undefined;
  const { scenario: small } = shrink(scenario, "no-flap", judge);
  assert.equal(small.faults.length, 1);
  assert.equal(small.nodes.length, 2);
  assert.equal(small.faults[0]!.kind, guilty.kind);
  assert.equal(small.nodes[small.faults[0]!.node]!.name, name);
  assert.ok(small.faults.every((f) => f.other < small.nodes.length));
});

test("another oracle's bite does not count", () => {
  const scenario = rich();
  const judge = (s: Scenario): "no-flap" | "one-owner" =>
    s.faults.length === scenario.faults.length ? "no-flap" : "one-owner";
  assert.equal(shrink(scenario, "no-flap", judge).scenario.faults.length, scenario.faults.length);
});
