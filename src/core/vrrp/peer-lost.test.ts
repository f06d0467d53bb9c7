/** A master that goes missing is told as such, and so is its return. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import { instance, node, pairOfInstances } from "../../../test/kit/vrrp-settings.ts";
import type { VrrpSettings } from "./settings.ts";

/** A at 150 is master, B at 100 its backup; both have heard each other. */
function twoNodes(
  a: VrrpSettings = node([instance({ priority: 150 })]),
  b: VrrpSettings = node([instance()]),
): { segment: Segment; a: SegmentNode; b: SegmentNode } {
  const segment = new Segment();
  const nodes = { segment, b: segment.add("B", b), a: segment.add("A", a) };
  segment.advance(20_000);
  assert.equal(nodes.a.state, "MASTER");
  assert.equal(nodes.b.state, "BACKUP");
  return nodes;
}

test("a master that falls silent is lost once, with the reason of the take-over", () => {
  const { segment, a, b } = twoNodes();
  assert.deepEqual(b.said("peer-lost"), [], "a master that yields to a stronger one is not lost");
  a.paused = true;
  segment.advance(60_000);
  assert.deepEqual(b.said("peer-lost"), ["no advert from 192.0.2.2 for 3609 ms (limit 3609 ms)"]);
  const events = b.did("report").map((r) => r.event);
  const lost = events.findIndex((e) => e.kind === "peer-lost");
  assert.equal(events[lost]?.peer, "192.0.2.2");
  assert.equal(events[lost + 1]?.to, "MASTER", "told before what follows from it");
});

test("a lost peer that is heard again is told as such, and can be lost again", () => {
  const { segment, a, b } = twoNodes();
  for (let round = 1; round <= 3; round++) {
    a.paused = true;
    segment.advance(20_000);
    a.paused = false;
    segment.advance(20_000);
    assert.equal(a.state, "MASTER");
    assert.equal(b.said("peer-lost").length, round);
    const again = b.said("peer-appeared").filter((text) => text.includes("heard again"));
    assert.equal(again.length, round);
    assert.equal(again[0], "192.0.2.2 is heard again, priority 150");
  }
});

test("a master that resigns is not lost", () => {
  const { segment, a, b } = twoNodes();
  segment.input(a, { type: "stop-requested", reason: "SIGTERM" });
  segment.advance(20_000);
  assert.equal(b.state, "MASTER");
  assert.deepEqual(b.said("peer-lost"), []);
});

test("members of a group that wait for each other tell a lost peer once each", () => {
  const { segment, a, b } = twoNodes(pairOfInstances({ priority: 150 }), pairOfInstances());
  a.paused = true;
  segment.advance(60_000);
  assert.equal(b.state, "MASTER");
  assert.equal(b.said("peer-lost").length, 2);
});

test("a master of a lower priority that was left in charge and dies is told as silent", () => {
  const { segment, a, b } = twoNodes(
    node([instance({ priority: 150 })]),
    node([instance({ priority: 100 })]),
  );
  // Its better comes back and leaves it in charge.
  a.paused = true;
  segment.advance(20_000);
  const lazy = segment.add("C", node([instance({ priority: 200, preempt: false })]));
  segment.advance(20_000);
  assert.deepEqual([b.state, lazy.state], ["MASTER", "BACKUP"]);
  b.paused = true;
  segment.advance(20_000);
  const took = lazy.did("report").findLast(({ event }) => event.to === "MASTER")?.event;
  assert.deepEqual([took?.cause, took?.peer], ["silent", "192.0.2.1"]);
  assert.ok((took?.silentMs ?? 0) > 3000, took?.reason ?? "");
});

test("a master of a lower priority that lives is told as the lower one", () => {
  const { segment } = twoNodes();
  const better = segment.add("C", node([instance({ priority: 250 })]));
  segment.advance(20_000);
  const rose = better.did("report").findLast(({ event }) => event.to === "MASTER")?.event;
  assert.equal(rose?.cause, "lower");
});
