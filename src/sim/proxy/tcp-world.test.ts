import assert from "node:assert/strict";
import { test } from "node:test";
import { drawTcpScenario } from "./tcp-scenario.ts";
import { TCP_PLANTED_BUGS } from "./tcp-planted-bugs.ts";
import { playTcp } from "./tcp-world.ts";
import { ProxyViolation } from "./violation.ts";

const SEEDS = 400;
const KILL_SEEDS = 300;

test(`${SEEDS} worlds of TCP: no byte lost, doubled or crossed, no false end, nothing left`, () => {
  let whole = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      whole += playTcp(drawTcpScenario(seed)).whole;
    } catch (error) {
      assert.fail(`seed ${seed}: ${String(error)}`);
    }
  }
  assert.ok(whole > SEEDS / 2, `only ${whole} connections were whole`);
});

test("the same seed gives the same run of TCP", () => {
  for (const seed of [3, 77, 1000]) {
    assert.deepEqual(playTcp(drawTcpScenario(seed)), playTcp(drawTcpScenario(seed)));
  }
});

for (const { name, make } of TCP_PLANTED_BUGS) {
  test(`planted bug of TCP dies: ${name}`, () => {
    for (let seed = 1; seed <= KILL_SEEDS; seed++) {
      try {
        playTcp(drawTcpScenario(seed), make);
      } catch (error) {
        if (error instanceof ProxyViolation) return;
        throw error;
      }
    }
    assert.fail(`it lived through ${KILL_SEEDS} worlds`);
  });
}
