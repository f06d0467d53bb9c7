/** Instances that are master, backup or in fault together: V1 on eth0 and V2 on eth1. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { advertOf, Segment, STRANGER, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import {
  group,
  instance,
  node,
  pairOfInstances,
  script,
  type InstanceDraft,
} from "../../../test/kit/vrrp-settings.ts";
import type { SyncGroupSettings, VrrpSettings } from "./settings.ts";

const SKEW_OF_100 = (156 * 1000) / 256;

function states(router: SegmentNode): string {
  return router.router
    .status(0)
    .instances.map((i) => i.state)
    .join(" ");
}

function groupNotices(router: SegmentNode): string[] {
  return router.did("notify").flatMap((n) => (n.scope === "GROUP" ? [n.state] : []));
}

function bothAre(router: SegmentNode, state: string): () => boolean {
  return () => states(router) === `${state} ${state}`;
}

/** A at 150 has both addresses, B at 100 none. */
function twoNodes(draft: InstanceDraft = {}): { segment: Segment; a: SegmentNode; b: SegmentNode } {
  const segment = new Segment();
  const a = segment.add("A", pairOfInstances({ priority: 150, ...draft }));
  const b = segment.add("B", pairOfInstances(draft));
  segment.until(bothAre(a, "MASTER"));
  segment.advance(10_000);
  assert.equal(states(b), "BACKUP BACKUP");
  return { segment, a, b };
}

/** Both instances with group settings of the test's. */
function grouped(rest: Partial<SyncGroupSettings>, draft: InstanceDraft = {}): VrrpSettings {
  return { ...pairOfInstances(draft), groups: [group(["V1", "V2"], rest)] };
}

test("what is told of members and of the group comes with its reason", () => {
  const { segment, a } = twoNodes();
  segment.link(a, false, "eth1");
  assert.deepEqual(
    a
      .did("notify")
      .filter(({ state }) => state === "FAULT")
      .map(({ name, reason }) => `${name}: ${reason}`),
    [
      "V2: interface eth1 is down",
      "V1: V2 of group G: interface eth1 is down",
      "G: V2 of group G: interface eth1 is down",
    ],
  );
});

test("the members become master in the same moment, and the group is told once", () => {
  const { segment, a } = twoNodes();
  const became = segment.trace.filter((l) => l.node === "A" && l.text.includes("-> MASTER"));
  assert.equal(became.length, 2);
  assert.equal(became[0]?.atMs, became[1]?.atMs);
  assert.deepEqual(groupNotices(a), ["BACKUP", "MASTER"]);
  assert.deepEqual(
    a.router.status(0).groups.map((g) => g.state),
    ["MASTER"],
  );
});

test("members of unequal priority wait for the slowest", () => {
  const segment = new Segment();
  const { instances, groups } = pairOfInstances();
  const unequal = instances.map((i, n) => ({ ...i, priority: n === 0 ? 200 : 50 }));
  const router = segment.add("A", node(unequal, { groups }));
  segment.until(bothAre(router, "MASTER"));
  assert.equal(segment.now, 3000 + (206 * 1000) / 256);
});

test("a group takes over from a silent master as soon as one instance alone", () => {
  const { segment, a, b } = twoNodes();
  segment.advance(500);
  a.paused = true;
  const heardAt = (name: string): number => b.status(name).master?.lastHeardMs ?? 0;
  const last = Math.max(heardAt("V1"), heardAt("V2"));
  segment.until(bothAre(b, "MASTER"));
  const took = segment.now - last;
  assert.ok(Math.abs(took - 3000 - SKEW_OF_100) < 1, `${took} ms`);
});

test("owners in a group wait for each other as well", () => {
  const segment = new Segment();
  const router = segment.add("A", pairOfInstances({ priority: 255 }));
  segment.until(bothAre(router, "MASTER"));
  assert.ok(segment.now < 10, `${segment.now} ms`);
});

test("one member whose link is down keeps all others from becoming master", () => {
  const segment = new Segment();
  const router = segment.add("A", pairOfInstances());
  segment.link(router, false, "eth1");
  segment.advance(60_000);
  assert.equal(states(router), "FAULT FAULT");
  assert.match(router.status("V1").reason, /V2 of group G: interface eth1 is down/);
  assert.equal(router.status("V2").reason, "interface eth1 is down");
  assert.deepEqual(router.did("acquire-addresses"), []);
});

test("a member's fault takes both addresses away in one step, each with priority 0", () => {
  const { segment, a, b } = twoNodes();
  a.actions.length = 0;
  segment.link(a, false, "eth1");
  assert.equal(states(a), "FAULT FAULT");
  const farewells = a.did("send-datagram").map((s) => `${s.instance} ${s.payload[2]}`);
  assert.deepEqual(farewells.toSorted(), ["V1 0", "V2 0"]);
  assert.deepEqual([...a.holds], []);
  assert.deepEqual(groupNotices(a), ["FAULT"]);
  const took = segment.until(bothAre(b, "MASTER"));
  assert.ok(took <= SKEW_OF_100 + 1, `${took} ms`);
});

test("nobody has one address while another has the other, but for the moment of the move", () => {
  const { segment, a, b } = twoNodes();
  segment.link(a, false, "eth1");
  segment.until(bothAre(b, "MASTER"));
  segment.link(a, true, "eth1");
  segment.until(bothAre(a, "MASTER"));
  segment.advance(1);
  assert.equal(states(b), "BACKUP BACKUP");
  assert.deepEqual([...a.holds].toSorted(), ["V1", "V2"]);
});

test("the end of the fault ends it for all members in one step", () => {
  const segment = new Segment();
  const router = segment.add("A", pairOfInstances());
  segment.link(router, false, "eth1");
  segment.link(router, false, "eth0");
  segment.link(router, true, "eth1");
  assert.equal(states(router), "FAULT FAULT");
  segment.link(router, true, "eth0");
  assert.equal(states(router), "BACKUP BACKUP");
});

test("a member that meets a better master makes the others yield", () => {
  const { segment, a } = twoNodes();
  a.actions.length = 0;
  segment.inject(a, advertOf(instance({ priority: 200 }), STRANGER, 200));
  assert.equal(states(a), "BACKUP BACKUP");
  assert.deepEqual([...a.holds], []);
  const last = a.did("send-datagram").map((s) => `${s.instance} ${s.payload[2]}`);
  assert.deepEqual(
    last,
    ["V1 150", "V2 1"],
    "V2 met nobody better: its last advert outranks nobody",
  );
  assert.match(a.status("V2").reason, /V1 of group G gave up: 192\.0\.2\.99 has higher priority/);
});

test("one interface without its master: the group stays backup while the other hears one", () => {
  const { segment, a, b } = twoNodes();
  segment.lost = (from, _to, datagram) => from === a && datagram.interface === "eth1";
  segment.advance(60_000);
  assert.equal(states(b), "BACKUP BACKUP");
  assert.equal(states(a), "MASTER MASTER");
});

test("silence on one link and later on the other is not silence on both", () => {
  const { segment, a, b } = twoNodes();
  for (const dev of ["eth0", "eth1"]) {
    segment.lost = (from, _to, datagram) => from === a && datagram.interface === dev;
    segment.advance(10_000);
    segment.lost = () => false;
    segment.advance(2000);
  }
  assert.equal(states(b), "BACKUP BACKUP");
  assert.equal(b.status("V1").counters.becameMaster, 0);
});

test("after a split of both links the better node has everything, the other nothing", () => {
  const { segment, a, b } = twoNodes();
  segment.partition([a], [b]);
  segment.until(bothAre(b, "MASTER"));
  segment.advance(20_000);
  segment.partition();
  segment.until(bothAre(b, "BACKUP"));
  segment.advance(10_000);
  assert.equal(states(a), "MASTER MASTER");
  assert.deepEqual([...b.holds], []);
});

test("a handover asked of the group moves all members and the old master stays away", () => {
  const { segment, a, b } = twoNodes();
  segment.input(a, { type: "handover-requested", instance: "G", reason: "maintenance" });
  assert.equal(states(a), "BACKUP BACKUP");
  segment.until(bothAre(b, "MASTER"));
  segment.advance(600_000);
  assert.equal(states(a), "BACKUP BACKUP");
  segment.link(b, false, "eth0");
  segment.until(bothAre(a, "MASTER"), 2000);
});

test("after a handover a group whose priority falls is not left in charge", () => {
  const segment = new Segment();
  const a = segment.add("A", pairOfInstances({ priority: 150 }));
  const b = segment.add("B", grouped({ tracks: [script("s", -60)], trackingWeight: true }));
  const track = (ok: boolean): void => {
    segment.input(b, {
      type: "track-changed",
      kind: "script",
      name: "s",
      ok,
      value: 0,
      reason: "",
    });
  };
  track(true);
  segment.until(bothAre(a, "MASTER"));
  segment.input(a, { type: "handover-requested", instance: "V2", reason: "maintenance" });
  segment.until(bothAre(b, "MASTER"));
  segment.advance(600_000);
  assert.equal(states(a), "BACKUP BACKUP");
  track(false);
  segment.until(bothAre(a, "MASTER"), 4000);
});

test("a handover asked of one member moves the group", () => {
  const { segment, a, b } = twoNodes();
  segment.input(a, { type: "handover-requested", instance: "V2", reason: "maintenance" });
  assert.equal(states(a), "BACKUP BACKUP");
  segment.until(bothAre(b, "MASTER"));
});

test("a group's track of weight 0 is every member's fault", () => {
  const segment = new Segment();
  const router = segment.add("A", grouped({ tracks: [script("web")] }));
  segment.script(router, "web", true);
  segment.until(bothAre(router, "MASTER"));
  segment.script(router, "web", false);
  assert.equal(states(router), "FAULT FAULT");
  segment.script(router, "web", true);
  assert.equal(states(router), "BACKUP BACKUP");
});

test("what a group tracks with a weight moves every member's priority", () => {
  const segment = new Segment();
  const router = segment.add("A", grouped({ tracks: [script("web", -50)] }));
  segment.script(router, "web", false);
  assert.equal(states(router), "BACKUP BACKUP");
  assert.equal(router.status("V1").effectivePriority, 50);
  assert.equal(router.status("V2").effectivePriority, 50);
});

test("stop: every member resigns, the group is told of its end", () => {
  const { segment, a, b } = twoNodes();
  a.actions.length = 0;
  segment.input(a, { type: "stop-requested", reason: "end" });
  assert.deepEqual(
    a.did("send-datagram").map((s) => s.payload[2]),
    [0, 0],
  );
  assert.deepEqual(groupNotices(a).slice(-1), ["STOP"]);
  segment.until(bothAre(b, "MASTER"));
});

test("a lease that lapsed on the way takes the whole group down", () => {
  const { segment, a, b } = twoNodes();
  a.paused = true;
  segment.advance(10_000);
  assert.equal(states(b), "MASTER MASTER");
  a.paused = false;
  segment.advance(1);
  assert.equal(states(a), "BACKUP BACKUP");
  assert.deepEqual([...a.holds], []);
});

test("nopreempt holds for a whole group", () => {
  const { segment, a, b } = twoNodes({ preempt: false });
  segment.link(a, false, "eth0");
  segment.until(bothAre(b, "MASTER"));
  segment.link(a, true, "eth0");
  segment.advance(60_000);
  assert.equal(states(b), "MASTER MASTER");
  assert.equal(states(a), "BACKUP BACKUP");
});

test("two groups with crossed priorities stay where they belong", () => {
  const segment = new Segment();
  const make = (first: number, second: number): VrrpSettings => {
    const draft = (name: string, vrid: number, dev: string, priority: number) =>
      instance({ name, vrid, interface: dev, priority, vips: [`192.0.2.2${vrid}`] });
    const instances = [
      draft("A1", 11, "eth0", first),
      draft("A2", 12, "eth1", first),
      draft("B1", 21, "eth0", second),
      draft("B2", 22, "eth1", second),
    ];
    return node(instances, {
      groups: [group(["A1", "A2"], { name: "GA" }), group(["B1", "B2"], { name: "GB" })],
    });
  };
  const a = segment.add("A", make(150, 100));
  const b = segment.add("B", make(100, 150));
  segment.advance(20_000);
  assert.equal(states(a), "MASTER MASTER BACKUP BACKUP");
  assert.equal(states(b), "BACKUP BACKUP MASTER MASTER");
});
