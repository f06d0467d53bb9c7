/** Every drill of the catalogue, in one world, with the promise that its configuration makes. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { catalogue } from "../../src/core/drill/catalogue/catalogue.ts";
import { planFor } from "../../src/core/drill/catalogue/drill-kind.ts";
import { switchCoverage } from "../../src/core/drill/coverage.ts";
import type { DrillResult } from "../../src/core/drill/result.ts";
import { conduct } from "../../src/daemon/drill-conductor.ts";
import { pendingUndos } from "../../src/drivers/drill-files.ts";
import { buildDrillWorld, type DrillWorld } from "../../src/lab/drill-world.ts";
import { BIN } from "../../src/lab/peers/nines.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;

/** What this world has not: the reason must be told instead of a plan. */
const IMPOSSIBLE: Readonly<Record<string, RegExp>> = {
  "service-death": /serves nothing by itself/,
  "kill-console": /no console process/,
  deaf: /only a `witness` tells it/,
};

let world: DrillWorld;
const results: DrillResult[] = [];

before(async () => {
  if (skip === false) world = await buildDrillWorld();
});

after(() => {
  if (skip === false) world.farm.destroy();
});

const wanted = process.env["DRILLS"]?.split(",");

for (const kind of catalogue) {
  if (wanted !== undefined && !wanted.includes(kind.name)) continue;
  test(`${kind.name}: ${kind.title}`, { skip, timeout: 60_000 }, async () => {
    const { site } = world;
    const plan = planFor(kind, await site.facts());
    const reason = IMPOSSIBLE[kind.name];
    if (typeof plan === "string") return assert.match(plan, reason ?? /^$/);
    const heard: string[] = [];
    const startMs = performance.now();
    const result = await conduct(plan, site, {
      nines: [BIN],
      heard: ({ node, kind: what, reason: why, wallMs }) =>
        heard.push(`${new Date(wallMs).toISOString().slice(14, 23)} ${node} ${what}: ${why}`),
    });
    results.push(result);
    if (process.env["DRILLS_TALK"] !== undefined) {
      const took = Math.round(performance.now() - startMs);
      const { steps: _, ...brief } = result;
      process.stdout.write(`${JSON.stringify({ took, ...brief })}\n`);
    }
    const said = [
      result.deviations.join("\n"),
      ...result.steps.map((s) => `${s.atMs} ${s.what}`),
      ...heard,
    ];
    assert.equal(result.verdict, "passed", `${result.reason}\n${said.join("\n")}`);
    assert.equal(result.undoneBy, "guard");
    assert.deepEqual(pendingUndos(site.stateDirectory), []);
  });
}

test("what had to switch has switched", { skip }, () => {
  const { faults, ratio } = switchCoverage(results);
  assert.ok(wanted !== undefined || faults >= 10, `${faults}`);
  assert.equal(ratio, 1);
});
