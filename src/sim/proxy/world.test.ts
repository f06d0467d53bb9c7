import assert from "node:assert/strict";
import { test } from "node:test";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { drawScenario } from "./swarm.ts";
import { ProxyViolation } from "./violation.ts";
import { playProxy } from "./world.ts";

const SEEDS = 400;
const KILL_SEEDS = 300;

test(`${SEEDS} worlds: no byte lost, doubled or crossed, nothing sent twice, nothing left`, () => {
  let answered = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      const { entries } = playProxy(drawScenario(seed));
      answered += entries.filter((entry) => entry.fromServer).length;
    } catch (error) {
      assert.fail(`seed ${seed}: ${String(error)}`);
    }
  }
  assert.ok(answered > SEEDS, "servers answered more than once per world");
});

test("the same seed gives the same run", () => {
  for (const seed of [3, 77, 1000]) {
    const one = playProxy(drawScenario(seed));
    const other = playProxy(drawScenario(seed));
    assert.deepEqual([one.events, one.virtualMs], [other.events, other.virtualMs]);
  }
});

for (const { name, make } of PLANTED_BUGS) {
  test(`planted bug dies: ${name}`, () => {
    for (let seed = 1; seed <= KILL_SEEDS; seed++) {
      try {
        playProxy(drawScenario(seed), make);
      } catch (error) {
        if (error instanceof ProxyViolation) return;
        throw error;
      }
    }
    assert.fail(`it lived through ${KILL_SEEDS} worlds`);
  });
}
