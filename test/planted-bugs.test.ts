import assert from "node:assert/strict";
import { test } from "node:test";
import { Router } from "../src/core/vrrp/router.ts";
import { kill } from "../src/sim/campaign.ts";
import { plantedBugs } from "../src/sim/planted-bugs.ts";

/** The slowest takes about a third of it; a new bug that needs more wants a better oracle. */
const SEEDS = 400;

for (const bug of plantedBugs) {
  test(`planted bug ${bug.name} dies: ${bug.what}`, () => {
    const { oracles } = kill(bug, (settings) => new Router(settings), { from: 1, count: SEEDS });
    assert.notEqual(oracles.length, 0, `survived ${SEEDS} seeds`);
  });
}
