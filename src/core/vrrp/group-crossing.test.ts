/** Two groups that each have the better member on one side: one node must end up with all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import {
  instance,
  node,
  pairOfInstances,
  type InstanceDraft,
} from "../../../test/kit/vrrp-settings.ts";
import type { VrrpSettings } from "./settings.ts";

function priorities(first: number, second: number, draft: InstanceDraft = {}): VrrpSettings {
  const settings = pairOfInstances(draft);
  const [one, two] = settings.instances;
  const instances = [
    { ...one!, priority: first },
    { ...two!, priority: second },
  ];
  return { ...settings, instances };
}

function crossed(laterMs: number, draft: InstanceDraft = {}): [Segment, SegmentNode, SegmentNode] {
  const segment = new Segment();
  const a = segment.add("a", priorities(150, 100, draft));
  segment.advance(laterMs);
  return [segment, a, segment.add("b", priorities(100, 150, draft))];
}

function assertOneHasAll(segment: Segment): void {
  assert.deepEqual(segment.masters("V1"), segment.masters("V2"), segment.story());
  assert.equal(segment.masters("V1").length, 1, segment.story());
}

test("crossed members of one group: one node gets both, also if both start at once", () => {
  for (const laterMs of [0, 0.05, 0.1, 1, 40]) {
    const [segment] = crossed(laterMs);
    segment.advance(12_000);
    assertOneHasAll(segment);
  }
});

test("crossed members of one group: the same with adverts every 10 ms", () => {
  const [segment] = crossed(0, { advertIntervalMs: 10 });
  segment.advance(200);
  assertOneHasAll(segment);
});

test("crossed members of one group: the same when each lets the other be for a while", () => {
  const [segment] = crossed(0, { preemptDelayMs: 3000 });
  segment.advance(20_000);
  assertOneHasAll(segment);
  const settled = segment.trace.length;
  segment.advance(20_000);
  assert.doesNotMatch(segment.story().split("\n").slice(settled).join("\n"), /->/);
});

test("crossed members of one group: a healed split leaves one node with both", () => {
  for (const atMs of [8000, 8250, 8500, 8900]) {
    const [segment, a, b] = crossed(40);
    segment.advance(12_000);
    segment.partition([a], [b]);
    segment.advance(atMs);
    assert.deepEqual(segment.masters("V1"), ["a", "b"]);
    segment.partition();
    segment.advance(8000);
    assertOneHasAll(segment);
  }
});

test("a member that only follows its group says farewell with a priority that outranks nobody", () => {
  const segment = new Segment();
  const b = segment.add("b", priorities(100, 150));
  segment.advance(5000);
  assert.deepEqual([...b.holds], ["V1", "V2"]);
  b.actions.length = 0;
  segment.add("a", node([instance({ priority: 200 })]));
  segment.until(() => b.holds.size === 0);
  const last = b.did("send-datagram", "V2").at(-1);
  assert.equal(last?.payload[2], 1);
});

test("a rival heard by one member makes every member of the group announce", () => {
  const segment = new Segment();
  const a = segment.add("a", priorities(150, 150));
  const b = segment.add("b", priorities(100, 100));
  segment.advance(5000);
  segment.partition([a], [b]);
  segment.advance(10_000);
  // Only eth0 heals for a start: V2 of a hears nothing of b.
  segment.lost = (_from, _to, datagram) => datagram.interface === "eth1";
  a.actions.length = 0;
  segment.advance(1200);
  assert.notEqual(a.did("announce", "V2").length, 0);
});
