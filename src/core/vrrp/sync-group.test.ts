/** vrrp_sync_group: master on both sides or on none. V1 is on eth0, V2 on eth1. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import {
  group,
  instance,
  node,
  pairOfInstances,
  script,
  type InstanceDraft,
} from "../../../test/kit/vrrp-settings.ts";
import type { VrrpSettings } from "./settings.ts";

interface Pair {
  readonly segment: Segment;
  readonly a: SegmentNode;
  readonly b: SegmentNode;
}

/** a with priority 150 is master of both, b with 100 backup. */
function pair(draft: InstanceDraft = {}): Pair {
  const segment = new Segment();
  const a = segment.add("a", pairOfInstances({ priority: 150, ...draft }));
  const b = segment.add("b", pairOfInstances({ priority: 100, ...draft }));
  segment.advance(10_000);
  assert.deepEqual([...a.holds], ["V1", "V2"]);
  return { segment, a, b };
}

function groupNotices(node: SegmentNode): string[] {
  return node
    .did("notify")
    .filter((n) => n.scope === "GROUP")
    .map((n) => n.state);
}

/** Both sides of the segment agree who has V1 and V2, and it is one node for both. */
function assertTogether(segment: Segment, owner: string): void {
  assert.deepEqual(segment.masters("V1"), [owner], segment.story());
  assert.deepEqual(segment.masters("V2"), [owner], segment.story());
}

test("the members become master in the same step, and the group says so once", () => {
  const { segment, a, b } = pair();
  assertTogether(segment, "a");
  const took = segment.trace.filter((l) => l.text.includes("BACKUP -> MASTER"));
  assert.equal(took.length, 2);
  assert.equal(took[0]!.atMs, took[1]!.atMs);
  assert.deepEqual(groupNotices(a), ["BACKUP", "MASTER"]);
  assert.deepEqual(groupNotices(b), ["BACKUP"]);
});

test("the fault of one member takes the others down; all hand over with priority 0", () => {
  const { segment, a } = pair();
  const before = segment.now;
  segment.link(a, false, "eth1");
  assert.deepEqual(
    ["V1", "V2"].map((name) => a.status(name).state),
    ["FAULT", "FAULT"],
  );
  assert.equal(a.status("V1").counters.priorityZeroSent, 1);
  assert.equal(a.status("V2").counters.priorityZeroSent, 1);
  segment.until(() => segment.masters("V2").includes("b"));
  assert(segment.now - before < 100);
  assertTogether(segment, "b");
  assert.deepEqual(groupNotices(a), ["BACKUP", "MASTER", "FAULT"]);
});

test("a member that is well by itself stays in fault as long as another is not", () => {
  const { segment, a } = pair();
  segment.link(a, false, "eth1");
  segment.advance(30_000);
  assert.equal(a.status("V1").state, "FAULT");
  assert.match(a.status("V1").reason, /V2 of group G: interface eth1 is down/);
  segment.link(a, true, "eth1");
  assert.equal(a.status("V1").state, "BACKUP");
  segment.advance(10_000);
  assertTogether(segment, "a");
});

test("a member that meets a better master takes the others with it", () => {
  const { segment, a } = pair();
  const better = pairOfInstances({ priority: 200 });
  const c = segment.add("c", better);
  segment.advance(10_000);
  assertTogether(segment, "c");
  assert.deepEqual([...a.holds], []);
  assert.equal(c.status("V2").state, "MASTER");
});

test("while one member hears a better master the other waits, however long it hears nobody", () => {
  const segment = new Segment();
  const a = segment.add("a", node([instance({ priority: 200 })]));
  const b = segment.add("b", pairOfInstances({ priority: 100 }));
  segment.advance(60_000);
  assert.deepEqual([...a.holds], ["V1"]);
  assert.deepEqual([...b.holds], []);
  segment.input(a, { type: "stop-requested", reason: "end" });
  segment.advance(1000);
  assert.deepEqual([...b.holds], ["V1", "V2"]);
});

test("a group with an owner waits for the member that is not one", () => {
  const segment = new Segment();
  const settings = pairOfInstances();
  const [first, second] = settings.instances;
  const mixed: VrrpSettings = { ...settings, instances: [{ ...first!, priority: 255 }, second!] };
  const a = segment.add("a", mixed);
  segment.advance(1000);
  assert.deepEqual([...a.holds], []);
  segment.advance(4000);
  assert.deepEqual([...a.holds], ["V1", "V2"]);
});

test("a track of the group is a track of every member", () => {
  const { instances } = pairOfInstances({ priority: 150 });
  const groups = [group(["V1", "V2"], { tracks: [script("web")] })];
  const segment = new Segment();
  const a = segment.add("a", node(instances, { groups }));
  segment.script(a, "web", true);
  segment.advance(5000);
  assert.deepEqual([...a.holds], ["V1", "V2"]);
  segment.script(a, "web", false);
  assert.deepEqual([...a.holds], []);
  assert.equal(a.status("V2").state, "FAULT");
});

test("sync_group_tracking_weight: the group's weights change the members' priorities", () => {
  const { instances } = pairOfInstances({ priority: 150 });
  for (const trackingWeight of [true, false]) {
    const groups = [group(["V1", "V2"], { tracks: [script("web", -60)], trackingWeight })];
    const segment = new Segment();
    const a = segment.add("a", node(instances, { groups }));
    segment.script(a, "web", true);
    segment.advance(5000);
    segment.script(a, "web", false);
    const { state, effectivePriority } = a.status("V2");
    if (trackingWeight) assert.deepEqual([state, effectivePriority], ["MASTER", 90]);
    else assert.equal(state, "FAULT");
  }
});

test("a handover of the group, or of one member, hands over all of it and holds", () => {
  for (const name of ["G", "V2"]) {
    const { segment, a } = pair();
    segment.input(a, { type: "handover-requested", instance: name, reason: "upgrade" });
    segment.advance(60_000);
    assertTogether(segment, "b");
  }
});

test("the removal of a member's address, in keepalived's way, moves the whole group at once", () => {
  const { segment, a } = pair({ restoreRemovedAddresses: false });
  segment.input(a, { type: "address-removed", instance: "V2", address: "198.51.100.200" });
  assert.deepEqual([...a.holds], []);
  segment.advance(10_000);
  assertTogether(segment, "a");
});

test("a member whose addresses the kernel refuses takes the group to the peer", () => {
  const { segment, a } = pair();
  segment.input(a, { type: "acquire-failed", instance: "V2", reason: "no such device" });
  segment.advance(5000);
  assertTogether(segment, "b");
});

test("two groups whose members are best on one side each end on one node", () => {
  const crossed = (one: number, two: number): VrrpSettings => {
    const settings = pairOfInstances();
    const [first, second] = settings.instances;
    return {
      ...settings,
      instances: [
        { ...first!, priority: one },
        { ...second!, priority: two },
      ],
    };
  };
  const segment = new Segment();
  segment.add("a", crossed(150, 100));
  segment.advance(40);
  segment.add("b", crossed(100, 150));
  segment.advance(30_000);
  assert.deepEqual(segment.masters("V1"), segment.masters("V2"), segment.story());
  assert.equal(segment.masters("V1").length, 1);
});

test("after a partition the whole group is on one node again, without a moment of half of it", () => {
  const { segment, a, b } = pair();
  segment.partition([a], [b]);
  segment.advance(10_000);
  assert.deepEqual(segment.masters("V1"), ["a", "b"]);
  segment.partition();
  segment.advance(3000);
  assertTogether(segment, "a");
  for (const side of [a, b]) {
    assert.equal(groupNotices(side).filter((state) => state === "FAULT").length, 0);
  }
});

test("stopping hands over every member and tells the group's end once", () => {
  const { segment, a } = pair();
  segment.input(a, { type: "stop-requested", reason: "SIGTERM" });
  assert.deepEqual(groupNotices(a), ["BACKUP", "MASTER", "STOP"]);
  segment.advance(200);
  assertTogether(segment, "b");
});

test("a reload that adds a member does not take the masters down while it catches up", () => {
  const segment = new Segment();
  const whole = pairOfInstances({ priority: 150 });
  const half = node([whole.instances[0]!], { groups: [group(["V1"])] });
  const a = segment.add("a", half);
  segment.advance(5000);
  assert.deepEqual([...a.holds], ["V1"]);
  segment.link(a, true, "eth1");
  segment.reconfigure(a, whole);
  assert.deepEqual([...a.holds], ["V1"]);
  segment.advance(5000);
  assert.deepEqual([...a.holds], ["V1", "V2"]);
  assert.equal(a.status("V1").counters.releasedMaster, 0);
});

test("if the added member meets a better master, the masters follow it down", () => {
  const segment = new Segment();
  const whole = pairOfInstances({ priority: 150 });
  const half = node([whole.instances[0]!], { groups: [group(["V1"])] });
  const a = segment.add("a", half);
  segment.add("b", node([{ ...whole.instances[1]!, priority: 200 }]));
  segment.advance(5000);
  segment.link(a, true, "eth1");
  segment.reconfigure(a, whole);
  segment.advance(5000);
  assert.deepEqual([...a.holds], []);
});

test("one instance of its own is no part of its neighbours' group", () => {
  const settings = pairOfInstances({ priority: 150 });
  const loner = instance({ name: "V3", vrid: 60, vips: ["192.0.2.201"] });
  const segment = new Segment();
  const a = segment.add("a", { ...settings, instances: [...settings.instances, loner] });
  segment.advance(5000);
  segment.link(a, false, "eth1");
  assert.deepEqual([...a.holds], ["V3"]);
});
