import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment } from "../../../test/kit/vrrp-segment.ts";
import { roundsToAdd } from "./announce-plan.ts";
import { announceDefaults, instance, node } from "../../../test/kit/vrrp-settings.ts";

test("garp_master_refresh that a reload brings starts on a running master", () => {
  const segment = new Segment();
  const router = segment.add("A", node([instance()]));
  segment.advance(20_000);
  router.actions.length = 0;
  segment.reconfigure(
    router,
    node([instance({ announce: { ...announceDefaults, refreshMs: 60_000 } })]),
  );
  segment.advance(130_000);
  assert.equal(router.did("announce").length, 2);
});
test("a planned announcement stays planned over a reload that changes the announce settings", () => {
  const segment = new Segment();
  const router = segment.add("A", node([instance()]));
  segment.advance(4000);
  router.actions.length = 0;
  segment.reconfigure(router, node([instance({ announce: { ...announceDefaults, repeat: 3 } })]));
  segment.advance(10_000);
  assert.equal(router.did("announce").length, 1);
});

test("bursts that come faster than their pauses let them be sent do not pile up", () => {
  assert.equal(roundsToAdd(0, 200, 5), 5);
  assert.equal(roundsToAdd(0, 0, 5), 0);
  let waiting = 0;
  for (let i = 0; i < 100; i++) {
    waiting += roundsToAdd(waiting, 200, 5) * 200;
    waiting -= 10;
  }
  assert.ok(waiting <= 6 * 200, `${waiting} wait`);
  // What was sent of a round is said once more.
  assert.equal(roundsToAdd(199, 200, 1), 1);
  assert.equal(roundsToAdd(200, 200, 1), 0);
});
