import assert from "node:assert/strict";
import { test } from "node:test";
import { Router } from "../src/core/vrrp/router.ts";
import { kill, KILL_SEEDS } from "../src/sim/campaign.ts";
import { plantedBugs } from "../src/sim/planted-bugs.ts";

for (const bug of plantedBugs) {
  test(`planted bug ${bug.name} dies: ${bug.what}`, () => {
    const { oracles } = kill(bug, (settings) => new Router(settings), {
      from: 1,
      count: KILL_SEEDS,
    });
    assert.notEqual(oracles.length, 0, `survived ${KILL_SEEDS} seeds`);
  });
}
