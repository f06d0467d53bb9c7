import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../../../test/kit/drill-facts.ts";
import { shellLine, type DrillPlan } from "../plan.ts";
import { catalogue, drillKind } from "./catalogue.ts";
import { masterLossMs, planFor, SLACK_MS } from "./drill-kind.ts";

const plans = catalogue.map((kind) => planFor(kind, facts)).filter((p) => typeof p !== "string");

test("every drill has a name of its own, and at least twenty can be planned anywhere", () => {
  assert.equal(new Set(catalogue.map(({ name }) => name)).size, catalogue.length);
  assert.ok(plans.length >= 20, `${plans.length}`);
});

test("every fault that goes on has an undo", () => {
  const mendsItself = new Set(["kill-vrrp", "kill-check", "kill-worker", "worker-upgrade"]);
  for (const plan of plans) {
    const open = plan.faults.filter(({ undo }) => undo.length === 0);
    assert.equal(open.length > 0, mendsItself.has(plan.name), plan.name);
  }
});

test("every filter is undone by a command that works without it too", () => {
  const filters = plans.filter((plan) => lines(plan).some((line) => line.startsWith("nft ")));
  assert.ok(filters.length >= 8);
  for (const plan of filters) {
    const undo = plan.faults.flatMap((fault) => fault.undo.map(({ argv }) => shellLine(argv)));
    assert.ok(
      undo.some((line) => /^nft 'add table (\w+ nines_drill); delete table \1'$/.test(line)),
      undo.join("\n"),
    );
  }
});

test("without nft the site's switch cuts the node off and blocks multicast", () => {
  for (const [name, word] of [
    ["partition", "partition"],
    ["multicast-blocked", "no-multicast"],
  ] as const) {
    const plan = planFor(drillKind(name)!, { ...facts, hasSwitch: true });
    assert.ok(typeof plan !== "string");
    const [fault] = plan.faults;
    const host = facts.target.name;
    assert.deepEqual(fault!.inject, [{ host, argv: ["switch", word], bySite: true }]);
    assert.deepEqual(fault!.undo, [{ host, argv: ["switch", "whole"], bySite: true }]);
  }
});

function lines(plan: DrillPlan): readonly string[] {
  return plan.faults.flatMap(({ inject }) => inject.map(({ argv }) => shellLine(argv)));
}

test("promises follow from the configuration: three adverts, the taker's skew, some slack", () => {
  assert.equal(masterLossMs(facts), Math.ceil(3000 + (156 / 256) * 1000) + SLACK_MS);
  const unicast = [{ ...facts.target.instances[0]!, isUnicast: true }];
  const plan = planFor(drillKind("multicast-blocked")!, {
    ...facts,
    target: { ...facts.target, instances: unicast },
  });
  assert.ok(typeof plan !== "string");
  assert.equal(plan.expect.holding, "stays");
});

test("a fault lasts longer when that is asked for, and never shorter than the drill needs", () => {
  const watched = (lastsMs?: number): number => {
    const plan = planFor(drillKind("bandwidth")!, facts, { lastsMs });
    assert.ok(typeof plan !== "string");
    return plan.watchMs;
  };
  assert.equal(watched(30_000), 30_000);
  assert.equal(watched(1), watched());
});

test("a word of the shell is quoted only where it must be", () => {
  assert.equal(shellLine(["a", "b c", "it's"]), `a 'b c' 'it'\\''s'`);
});
