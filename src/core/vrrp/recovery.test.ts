import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment } from "../../../test/kit/vrrp-segment.ts";
import { instance, node, script } from "../../../test/kit/vrrp-settings.ts";

test("out of a fault while a weight still counts: not everything is called well", () => {
  const segment = new Segment();
  const router = segment.add("A", node([instance({ tracks: [script("S", -20)] })]));
  segment.script(router, "S", false);
  segment.link(router, false);
  segment.link(router, true);
  assert.equal(router.state, "BACKUP");
  assert.equal(router.status().reason, "nothing tracked is a FAULT any more");
  segment.link(router, false);
  segment.script(router, "S", true);
  segment.link(router, true);
  assert.equal(router.status().reason, "everything tracked is well again");
});

test("what was not looked at yet is not called a fault where a priority moves", () => {
  const segment = new Segment();
  const file = { kind: "file", name: "F", weight: 1, reverse: false } as const;
  const router = segment.add("A", node([instance({ tracks: [script("S", 7), file] })]));
  segment.script(router, "S", true);
  assert.deepEqual(router.said("priority-changed"), ["priority 100 -> 107: script S +7"]);
});
