/** Every drill of the catalogue, in one world, with the promise that its configuration makes. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { catalogue, drillKind } from "../../src/core/drill/catalogue/catalogue.ts";
import { planFor } from "../../src/core/drill/catalogue/drill-kind.ts";
import { switchCoverage } from "../../src/core/drill/coverage.ts";
import type { DrillPlan } from "../../src/core/drill/plan.ts";
import type { DrillResult } from "../../src/core/drill/result.ts";
import { conduct } from "../../src/daemon/drill-conductor.ts";
import { pendingUndos } from "../../src/drivers/drill-files.ts";
import type { LabSite } from "../../src/lab/drill-site.ts";
import { buildDrillWorld, stageSite, type DrillWorld } from "../../src/lab/drill-world.ts";
import { BIN } from "../../src/lab/peers/nines.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";
import { Stage } from "../../src/lab/story/stage.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;

/** What this world has not: the reason must be told instead of a plan. The stage below has it. */
const IMPOSSIBLE: Readonly<Record<string, RegExp>> = {
  "service-death": /serves nothing by itself/,
  deaf: /only a `witness` tells it/,
};

let world: DrillWorld;
/** The last of each. */
const results = new Map<string, DrillResult>();

before(async () => {
  if (skip === false) world = await buildDrillWorld();
});

after(() => {
  if (skip === false) world.farm.destroy();
});

const wanted = process.env["DRILLS"]?.split(",");

for (const kind of catalogue) {
  if (wanted !== undefined && !wanted.includes(kind.name)) continue;
  test(`${kind.name}: ${kind.title}`, { skip, timeout: 90_000 }, async () => {
    const { site } = world;
    const plan = planFor(kind, await site.facts());
    if (typeof plan === "string") {
      assert.match(plan, IMPOSSIBLE[kind.name] ?? /^$/);
      return;
    }
    await perform(plan, site);
  });
}

test("latency is planned as this kernel can do it", { skip }, async () => {
  const { site } = world;
  const netem = "tc qdisc add dev lo root netem delay 1ms";
  const [file = "", ...words] = site.wrap({
    host: "lb1",
    argv: ["unshare", "--net", "sh", "-c", netem],
  });
  const hasNetem = spawnSync(file, words).status === 0;
  const plan = planFor(drillKind("latency")!, await site.facts());
  assert.ok(typeof plan !== "string");
  assert.match(plan.faults[0]!.says, hasNetem ? /\(netem\)$/u : /as this kernel has no netem/u);
});

test("service-death and deaf: with a program of its own and a witness", { skip }, async () => {
  if (wanted !== undefined && !wanted.includes("stage")) return;
  const stage = await Stage.build();
  try {
    await stage.reset({ witness: true });
    const site = stageSite(stage);
    for (const name of Object.keys(IMPOSSIBLE)) {
      const plan = planFor(drillKind(name)!, await site.facts());
      assert.ok(typeof plan !== "string", name);
      await perform(plan, site);
    }
  } finally {
    stage.destroy();
  }
});

/** It keeps its promise the first time. */
async function perform(plan: DrillPlan, site: LabSite): Promise<void> {
  const heard: string[] = [];
  const startMs = performance.now();
  const result = await conduct(plan, site, {
    nines: [BIN],
    heard: ({ node, kind: what, reason: why, wallMs }) =>
      heard.push(`${new Date(wallMs).toISOString().slice(14, 23)} ${node} ${what}: ${why}`),
  });
  results.set(plan.title, result);
  if (process.env["DRILLS_TALK"] !== undefined) {
    const took = Math.round(performance.now() - startMs);
    const { steps: _, ...brief } = result;
    process.stdout.write(`${JSON.stringify({ took, ...brief })}\n`);
  }
  const said = [
    result.deviations.join("\n"),
    ...result.steps.map((step) => `${step.atMs} ${step.what}`),
    ...heard,
  ];
  const story = `${plan.name}: ${result.verdict}: ${result.reason}\n${said.join("\n")}`;
  assert.equal(result.verdict, "passed", story);
  assert.equal(result.undoneBy, "guard");
  assert.deepEqual(pendingUndos(site.stateDirectory), []);
}

test("what had to switch has switched", { skip }, () => {
  const { faults, ratio } = switchCoverage([...results.values()]);
  assert.ok(wanted !== undefined || faults >= 10, `${faults}`);
  assert.equal(ratio, 1);
});
