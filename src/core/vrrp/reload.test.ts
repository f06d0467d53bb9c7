/** Reload by difference: what did not change notices nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import {
  announceDefaults,
  group,
  hmac,
  instance,
  node,
  noNotify,
  pairOfInstances,
  script,
  unicast,
  virtualAddress,
  type InstanceDraft,
} from "../../../test/kit/vrrp-settings.ts";
import { needsRestart, sameValue } from "./reload.ts";
import type { InstanceSettings } from "./settings.ts";

function master(draft: InstanceDraft = {}): { segment: Segment; router: SegmentNode } {
  const segment = new Segment();
  const router = segment.add("A", node([instance(draft)]));
  segment.until(() => router.state === "MASTER");
  router.actions.length = 0;
  return { segment, router };
}

function orders(router: SegmentNode): string[] {
  return router.actions.flatMap((a) => {
    if (a.type === "send-datagram") return [`${a.instance} advert ${a.payload[2]}`];
    if (a.type === "report" || a.type === "renew-lease") return [];
    return [a.type === "notify" ? `${a.name} ${a.state}` : `${a.instance} ${a.type}`];
  });
}

const key = (id: number) => ({ id, secret: new Uint8Array(32).fill(id) });

/** Every setting that a running instance takes over without leaving its state, changed. */
const liveChanges: readonly InstanceDraft[] = [
  { priority: 120 },
  { startAsMaster: true },
  { preempt: false },
  { preemptDelayMs: 5000 },
  { excludedAddresses: [virtualAddress("192.0.2.210")] },
  { routes: [route()] },
  { rules: [{ family: "ipv4", table: 100, tracked: true }] },
  { lowerPriorityNoAdvert: true },
  { higherPrioritySendAdvert: false },
  { fastHandover: false },
  { announce: { ...announceDefaults, refreshMs: 60_000 } },
  { tracks: [script("web")] },
  { trackPrimaryInterface: false },
  { trackSource: true },
  { restoreRemovedAddresses: false },
  { witnesses: ["192.0.2.254"] },
  { notify: { ...noNotify, mail: true } },
  { version: 2 },
  { alsoVersion2: true },
  { advertIntervalMs: 500 },
  { downTimerAdverts: 4 },
  { sourceAddress: "192.0.2.7" },
  { authentication: { kind: "pass", password: "secret" } },
  { vips: ["192.0.2.201"] },
  { accept: false },
  { strict: true },
  { checksumWithPseudoHeader: false },
  { skipCheckAdvertAddresses: true },
  { ownerIgnoreAdverts: true },
  { promoteSecondaries: true },
];

/** With these it is another instance, or speaks where the others do not listen. */
const restarts: readonly InstanceDraft[] = [
  { vrid: 52 },
  { interface: "eth1" },
  { transport: { kind: "multicast", group: "224.0.0.19" } },
  { transport: unicast(["192.0.2.2"]) },
  { authentication: { kind: "ah", password: "secret" } },
  { lease: false },
  { vmac: { name: "vrrp.51", sendFromBase: false } },
  { vmac: { name: "vrrp.51", sendFromBase: false, mac: "02:00:00:00:00:01" } },
];

function route(): InstanceSettings["routes"][number] {
  return {
    family: "ipv4",
    kind: "unicast",
    destination: "0.0.0.0",
    prefixLength: 0,
    via: "192.0.2.254",
    onLink: false,
    tracked: true,
  };
}

function nameOf(draft: InstanceDraft): string {
  return Object.keys(draft).join(", ");
}

test("an unchanged configuration changes nothing: no action, the same deadline", () => {
  const { segment, router } = master();
  const { deadline } = router.router;
  const before = JSON.stringify(router.status());
  assert.deepEqual(segment.reconfigure(router, node([instance()])), []);
  assert.equal(router.router.deadline, deadline);
  assert.equal(JSON.stringify(router.status()), before);
});

test("beside an instance that is added, changed or removed the others notice nothing", () => {
  const segment = new Segment();
  const other = (draft: InstanceDraft = {}) =>
    instance({ name: "V2", vrid: 52, vips: ["192.0.2.201"], ...draft });
  const router = segment.add("A", node([instance()]));
  segment.advance(10_000);
  const before = JSON.stringify(router.status());
  for (const instances of [
    [instance(), other()],
    [other({ advertIntervalMs: 100 }), instance()],
    [instance()],
  ]) {
    router.actions.length = 0;
    segment.reconfigure(router, node(instances));
    assert.deepEqual(
      orders(router).filter((o) => o.startsWith("V1")),
      [],
    );
    assert.equal(JSON.stringify(router.status()), before);
  }
});

for (const change of liveChanges) {
  test(`a running master takes over: ${nameOf(change)}`, () => {
    assert.equal(needsRestart(instance(), instance(change)), false);
    const { segment, router } = master();
    segment.advance(300);
    segment.reconfigure(router, node([instance(change)]));
    assert.equal(router.state, "MASTER");
    const isListed = change.vips !== undefined || change.excludedAddresses !== undefined;
    const told = isListed ? ["V1 announce"] : [];
    assert.deepEqual(orders(router), ["V1 acquire-addresses", ...told]);
    segment.advance(1000);
    assert.equal(router.status().counters.becameMaster, 1);
  });
}

for (const change of restarts) {
  test(`is stopped in order and started anew: ${nameOf(change)}`, () => {
    assert.equal(needsRestart(instance(), instance(change)), true);
    const { segment, router } = master();
    segment.link(router, true, "eth1");
    router.actions.length = 0;
    segment.reconfigure(router, node([instance(change)]));
    const told = ["V1 release-addresses", "V1 advert 0", "V1 FAULT", "V1 BACKUP"];
    assert.deepEqual(orders(router).slice(0, 4), told, "as keepalived: nobody stops");
    assert.equal(router.state, "BACKUP");
    assert.deepEqual([...router.holds], []);
  });
}

test("every setting is either live or a reason to start anew, and tested as one of them", () => {
  const tested = new Set([...liveChanges, ...restarts].flatMap((draft) => Object.keys(draft)));
  const rest = Object.keys(instance()).filter((setting) => !tested.has(setting));
  assert.deepEqual(rest, ["name", "family", "addresses"], "what it is called, and vips above");
});

test("a removed instance releases, resigns and is told as a fault, or as deleted if wanted", () => {
  for (const told of ["FAULT", "DELETED"]) {
    const { segment, router } = master({
      notify: { ...noNotify, tellsDeleted: told === "DELETED" },
    });
    segment.reconfigure(router, node([]));
    assert.deepEqual(orders(router), ["V1 release-addresses", "V1 advert 0", `V1 ${told}`]);
  }
  const { segment, router } = master();
  segment.reconfigure(router, node([]));
  assert.deepEqual(router.router.status(0).instances, []);
  assert.equal(router.router.deadline, Infinity);
});

test("an added instance listens a whole down interval and becomes master", () => {
  const { segment, router } = master();
  const added = instance({ name: "V2", vrid: 52, vips: ["192.0.2.201"] });
  segment.reconfigure(router, node([instance(), added]));
  assert.equal(router.status("V2").state, "BACKUP");
  const took = segment.until(() => router.status("V2").state === "MASTER");
  assert.equal(Math.round(took), Math.round(3000 + (156 * 1000) / 256));
});

test("a lowered priority is told at once and the better one takes over", () => {
  const segment = new Segment();
  const a = segment.add("A", node([instance({ priority: 150 })]));
  const b = segment.add("B", node([instance()]));
  segment.until(() => a.state === "MASTER");
  segment.advance(5000);
  segment.reconfigure(a, node([instance({ priority: 50 })]));
  const took = segment.until(() => b.state === "MASTER");
  assert.ok(took < 700, `${took} ms`);
  assert.deepEqual(a.said("priority-changed"), [
    "priority 150 -> 50: the configuration says 50 now",
  ]);
  segment.advance(1);
  assert.deepEqual(segment.masters(), ["B"]);
});

test("a new track that nobody has looked at yet is no fault of a running master", () => {
  const { segment, router } = master();
  segment.reconfigure(router, node([instance({ tracks: [script("web")] })]));
  assert.equal(router.state, "MASTER");
  segment.script(router, "web", false);
  assert.equal(router.state, "FAULT");
});

test("removing the failed track ends the fault", () => {
  const segment = new Segment();
  const router = segment.add("A", node([instance({ tracks: [script("web")] })]));
  segment.script(router, "web", false);
  assert.equal(router.state, "FAULT");
  segment.reconfigure(router, node([instance()]));
  assert.equal(router.state, "BACKUP");
});

test("auth_hmac keys rotate in three reloads without a lost advert or a change of master", () => {
  const segment = new Segment();
  const settings = (priority: number, ids: readonly number[], activeKeyId: number) =>
    node([instance({ priority, authentication: hmac({ keys: ids.map(key), activeKeyId }) })]);
  const a = segment.add("A", settings(150, [1], 1));
  const b = segment.add("B", settings(100, [1], 1));
  segment.until(() => a.state === "MASTER");
  for (const [ids, active] of [
    [[1, 2], 1],
    [[1, 2], 2],
    [[2], 2],
  ] as const) {
    segment.advance(1500);
    segment.reconfigure(a, settings(150, ids, active));
    segment.advance(1500);
    segment.reconfigure(b, settings(100, ids, active));
  }
  segment.advance(30_000);
  assert.equal(b.state, "BACKUP");
  assert.equal(a.status().counters.becameMaster, 1);
  const { rejected } = b.router.status(0);
  assert.deepEqual(
    Object.entries(rejected).filter(([, n]) => n > 0),
    [],
  );
});

test("auth_hmac is brought in on a running group: receive-only, permissive, enforce", () => {
  const segment = new Segment();
  const settings = (priority: number, mode?: "receive-only" | "permissive" | "enforce") =>
    node([
      instance(mode === undefined ? { priority } : { priority, authentication: hmac({ mode }) }),
    ]);
  const a = segment.add("A", settings(150));
  const b = segment.add("B", settings(100));
  segment.until(() => a.state === "MASTER");
  for (const mode of ["receive-only", "permissive", "enforce"] as const) {
    segment.advance(1500);
    segment.reconfigure(b, settings(100, mode));
    segment.advance(1500);
    segment.reconfigure(a, settings(150, mode));
  }
  segment.advance(30_000);
  assert.equal(b.state, "BACKUP");
  assert.equal(a.status().counters.becameMaster, 1);
  assert.equal(a.did("send-datagram").at(-1)?.length, 12 + 28);
});

test("a restarted instance goes on with its AH sequence numbers: peers believe it", () => {
  const segment = new Segment();
  const settings = (priority: number, advertIntervalMs: number) =>
    node([
      instance({
        version: 2,
        priority,
        advertIntervalMs,
        authentication: { kind: "ah", password: "secret" },
      }),
    ]);
  const a = segment.add("A", settings(150, 1000));
  const b = segment.add("B", settings(100, 1000));
  segment.advance(20_000);
  assert.deepEqual(segment.masters(), ["A"]);
  segment.reconfigure(a, settings(150, 2000));
  segment.reconfigure(a, settings(150, 1000));
  segment.advance(20_000);
  assert.deepEqual(segment.masters(), ["A"]);
  assert.equal(b.router.status(0).rejected["ah-replay"], 0);
});

test("a unicast peer is added and hears the next advert", () => {
  const { segment, router } = master({ transport: unicast(["192.0.2.2"]) });
  segment.reconfigure(router, node([instance({ transport: unicast(["192.0.2.2", "192.0.2.3"]) })]));
  segment.advance(0);
  assert.deepEqual(
    router.did("send-datagram").map((s) => s.destination),
    ["192.0.2.2", "192.0.2.3"],
  );
  assert.equal(router.state, "MASTER");
});

test("AH over unicast starts anew with other peers: its numbers are counted per sender", () => {
  const ah = { version: 2, authentication: { kind: "ah", password: "secret" } } as const;
  const before = instance({ ...ah, transport: unicast(["192.0.2.2"]) });
  const after = instance({ ...ah, transport: unicast(["192.0.2.3"]) });
  assert.equal(needsRestart(before, after), true);
});

test("two masters that a reload puts into a group stay masters", () => {
  const segment = new Segment();
  const settings = pairOfInstances();
  const router = segment.add("A", { ...settings, groups: [] });
  segment.advance(10_000);
  router.actions.length = 0;
  segment.reconfigure(router, settings);
  segment.advance(10_000);
  assert.equal(router.status("V1").state, "MASTER");
  assert.equal(router.status("V2").counters.becameMaster, 1);
  assert.equal(router.did("release-addresses").length, 0);
});

test("a new member does not cost a master group its addresses", () => {
  const segment = new Segment();
  const { instances } = pairOfInstances();
  const first = instances.slice(0, 1);
  const router = segment.add("A", node(first, { groups: [group(["V1"])] }));
  segment.link(router, true, "eth1");
  segment.advance(10_000);
  segment.reconfigure(router, pairOfInstances());
  segment.advance(10_000);
  assert.equal(router.status("V1").counters.becameMaster, 1);
  assert.equal(router.status("V2").state, "MASTER");
  assert.equal(router.did("release-addresses").length, 0);
});

test("a new member that meets a better master takes its group down", () => {
  const segment = new Segment();
  const { instances } = pairOfInstances();
  const router = segment.add("A", node(instances.slice(0, 1), { groups: [group(["V1"])] }));
  segment.link(router, true, "eth1");
  segment.advance(10_000);
  segment.reconfigure(router, pairOfInstances());
  const better = instance({ interface: "eth1", priority: 200, vips: ["198.51.100.200"] });
  segment.tell(router, better, "198.51.100.99");
  assert.equal(router.status("V1").state, "BACKUP");
});

test("a group that is taken away leaves its members as they are, each on its own", () => {
  const segment = new Segment();
  const settings = pairOfInstances();
  const router = segment.add("A", settings);
  segment.advance(10_000);
  segment.reconfigure(router, { ...settings, groups: [] });
  segment.link(router, false, "eth1");
  assert.equal(router.status("V1").state, "MASTER");
  assert.equal(router.status("V2").state, "FAULT");
});

test("a reload before the start and after the end is taken without an action", () => {
  const segment = new Segment();
  const router = segment.add("A", node([]));
  segment.input(router, { type: "stop-requested", reason: "end" });
  assert.deepEqual(segment.reconfigure(router, node([instance()])), []);
  assert.equal(router.router.deadline, Infinity);
});

test("values are compared deeply, and absent is the same as undefined", () => {
  assert.ok(sameValue({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }));
  assert.ok(sameValue({ a: undefined }, {}));
  assert.ok(sameValue(new Uint8Array([1, 2]), new Uint8Array([1, 2])));
  assert.ok(!sameValue(new Uint8Array([1, 2]), new Uint8Array([1, 3])));
  assert.ok(!sameValue([1, 2], [1]));
  assert.ok(!sameValue({ a: null }, { a: {} }));
});
