/** What an instance makes of tracked interfaces, scripts, processes, files and witnesses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import {
  instance,
  node,
  script,
  virtualAddress,
  type InstanceDraft,
} from "../../../test/kit/vrrp-settings.ts";
import type { RouterInput } from "./router-ports.ts";
import type { TrackReference, VirtualAddress } from "./settings.ts";

function alone(draft: InstanceDraft = {}): { segment: Segment; router: SegmentNode } {
  const segment = new Segment();
  return { segment, router: segment.add("A", node([instance(draft)])) };
}

function toMaster({ segment, router }: { segment: Segment; router: SegmentNode }): void {
  segment.until(() => router.state === "MASTER");
  router.actions.length = 0;
}

function fileRead(value: number): RouterInput {
  const reason = `file F holds ${value}`;
  return { type: "track-changed", kind: "file", name: "F", ok: value === 0, value, reason };
}

const file = (weight: number, reverse = false): TrackReference => ({
  kind: "file",
  name: "F",
  weight,
  reverse,
});

const tracked = (kind: TrackReference["kind"], name: string, weight = 0): TrackReference => ({
  kind,
  name,
  weight,
  reverse: false,
});

test("a script of weight 0 is waited for in INIT, then decides between BACKUP and FAULT", () => {
  const { segment, router } = alone({ tracks: [script("web")] });
  segment.advance(60_000);
  assert.equal(router.state, "INIT");
  assert.equal(router.status().reason, "script web was not looked at yet");
  segment.script(router, "web", true);
  assert.equal(router.state, "BACKUP");
  assert.equal(router.router.deadline - segment.now, 3000 + (156 * 1000) / 256);
  segment.script(router, "web", false);
  assert.equal(router.state, "FAULT");
  assert.equal(router.status().reason, "script web fails");
});

test("a script that fails from the start leads from INIT to FAULT without an advert", () => {
  const { segment, router } = alone({ tracks: [script("web")] });
  segment.script(router, "web", false);
  segment.advance(60_000);
  assert.equal(router.state, "FAULT");
  assert.equal(router.router.deadline, Infinity);
  assert.deepEqual(router.did("send-datagram"), []);
});

test("a master in FAULT releases and resigns at once, and hears nobody until it is well", () => {
  const { segment, router } = alone({ tracks: [script("web")] });
  segment.script(router, "web", true);
  toMaster({ segment, router });
  segment.script(router, "web", false);
  assert.deepEqual(router.actions.map((a) => a.type).slice(0, 2), [
    "release-addresses",
    "send-datagram",
  ]);
  assert.equal(router.did("send-datagram")[0]?.payload[2], 0);
  segment.tell(router, instance({ priority: 200 }));
  assert.equal(router.router.status(0).rejected["not-running"], 1);
  assert.equal(router.status().counters.advertsReceived, 0);
  segment.script(router, "web", true);
  assert.equal(router.state, "BACKUP");
});

test("two faults: both must end", () => {
  const { segment, router } = alone({ tracks: [script("web"), script("db")] });
  segment.script(router, "web", false);
  segment.script(router, "db", false);
  assert.equal(router.status().reason, "script web fails; script db fails");
  segment.script(router, "web", true);
  assert.equal(router.state, "FAULT");
  assert.equal(router.status().reason, "script db fails");
  segment.script(router, "db", true);
  assert.equal(router.state, "BACKUP");
});

test("a positive weight is added on success, a negative one on failure", () => {
  const { segment, router } = alone({ tracks: [script("plus", 20), script("minus", -30)] });
  assert.equal(router.status().effectivePriority, 100, "what nobody has looked at yet counts not");
  segment.script(router, "plus", true);
  segment.script(router, "minus", true);
  assert.equal(router.status().effectivePriority, 120);
  segment.script(router, "minus", false);
  assert.equal(router.status().effectivePriority, 90);
  segment.script(router, "plus", false);
  assert.equal(router.status().effectivePriority, 70);
  assert.deepEqual(router.said("priority-changed"), [
    "priority 100 -> 120: script plus +20",
    "priority 120 -> 90: script plus +20, script minus -30",
    "priority 90 -> 70: script minus -30",
  ]);
});

test("reverse: a change turns its sign, without one success and failure swap their meaning", () => {
  const { segment, router } = alone({
    tracks: [script("plus", 20, true), script("minus", -30, true), script("zero", 0, true)],
  });
  for (const name of ["plus", "minus", "zero"]) segment.script(router, name, true);
  assert.equal(router.status().effectivePriority, 80);
  assert.equal(router.state, "FAULT");
  for (const name of ["plus", "minus", "zero"]) segment.script(router, name, false);
  assert.equal(router.status().effectivePriority, 130);
  assert.equal(router.state, "BACKUP");
});

test("weights never make 0, 255 or more of a priority, and never move an owner", () => {
  for (const [priority, weight, effective] of [
    [200, 253, 254],
    [10, -253, 1],
    [255, -253, 255],
  ] as const) {
    const { segment, router } = alone({ priority, tracks: [script("web", weight)] });
    segment.script(router, "web", weight > 0);
    assert.equal(router.status().effectivePriority, effective);
  }
});

test("a failing weight moves the addresses in a skew, since the master says so at once", () => {
  const segment = new Segment();
  const a = segment.add("A", node([instance({ priority: 150, tracks: [script("web", -80)] })]));
  const b = segment.add("B", node([instance()]));
  segment.script(a, "web", true);
  segment.until(() => a.state === "MASTER");
  segment.advance(10_300);
  segment.script(a, "web", false);
  const took = segment.until(() => b.state === "MASTER");
  assert.ok(Math.abs(took - (156 * 1000) / 256) < 1, `${took} ms`);
  segment.advance(1);
  assert.deepEqual(segment.masters(), ["B"]);
  segment.script(a, "web", true);
  segment.until(() => a.state === "MASTER", 3000);
  segment.advance(1);
  assert.deepEqual(segment.masters(), ["A"]);
});

test("a file adds its value times the weight; reverse turns the sign", () => {
  for (const [reference, value, effective] of [
    [file(1), 7, 107],
    [file(2), -30, 40],
    [file(-3), 10, 70],
    [file(1, true), 7, 93],
    [file(5), 1000, 254],
  ] as const) {
    const { segment, router } = alone({ tracks: [reference] });
    segment.input(router, fileRead(value));
    assert.equal(router.status().effectivePriority, effective);
    assert.equal(router.state, "BACKUP");
  }
});

test("a file of weight 0 means FAULT when it holds anything but 0; reversed, when it holds 0", () => {
  for (const reverse of [false, true]) {
    const { segment, router } = alone({ tracks: [file(0, reverse)] });
    segment.input(router, fileRead(1));
    assert.equal(router.state, reverse ? "BACKUP" : "FAULT");
    segment.input(router, fileRead(0));
    assert.equal(router.state, reverse ? "FAULT" : "BACKUP");
  }
});

test("a file is waited for in INIT, whatever its weight: no advert goes out without its number", () => {
  for (const weight of [0, 1]) {
    const { segment, router } = alone({ priority: 255, tracks: [file(weight)] });
    segment.advance(60_000);
    assert.equal(router.state, "INIT");
    assert.deepEqual(router.did("send-datagram"), []);
    segment.input(router, fileRead(0));
    assert.equal(router.state, "MASTER");
  }
});

test("a file whose effect is -254 or less means FAULT", () => {
  for (const [value, state] of [
    [-253, "BACKUP"],
    [-254, "FAULT"],
    [-100_000, "FAULT"],
  ] as const) {
    const { segment, router } = alone({ tracks: [file(1)] });
    segment.input(router, fileRead(value));
    assert.equal(router.state, state);
  }
});

test("a tracked process is a fault of the instances that name it, and of no other", () => {
  const segment = new Segment();
  const router = segment.add(
    "A",
    node([
      instance({ tracks: [tracked("process", "nginx")] }),
      instance({ name: "V2", vrid: 52, vips: ["192.0.2.201"] }),
    ]),
  );
  const fact = { type: "track-changed", kind: "process", name: "nginx", value: 0 } as const;
  segment.input(router, { ...fact, ok: true, reason: "nginx runs" });
  segment.until(() => router.status("V2").state === "MASTER");
  segment.input(router, { ...fact, ok: false, reason: "no nginx runs" });
  assert.equal(router.status("V1").state, "FAULT");
  assert.equal(router.status("V2").state, "MASTER");
});

test("verdicts of one name but another kind are not mixed up", () => {
  const { segment, router } = alone({ tracks: [script("web"), tracked("process", "web")] });
  segment.script(router, "web", true);
  assert.equal(router.state, "INIT");
  const fact = { type: "track-changed", kind: "process", name: "web", value: 0 } as const;
  segment.input(router, { ...fact, ok: true, reason: "web runs" });
  assert.equal(router.state, "BACKUP");
});

test("a tracked second interface is a fault while it is down or gone", () => {
  const { segment, router } = alone({ tracks: [tracked("interface", "eth1")] });
  assert.equal(router.state, "INIT");
  segment.link(router, true, "eth1");
  assert.equal(router.state, "BACKUP");
  segment.link(router, false, "eth1");
  assert.equal(router.status().reason, "interface eth1 is down");
  segment.input(router, {
    type: "interface-changed",
    interface: "eth1",
    exists: false,
    up: false,
  });
  assert.equal(router.status().reason, "interface eth1 does not exist");
});

test("an interface with a weight only moves the priority", () => {
  const { segment, router } = alone({ tracks: [tracked("interface", "eth1", -40)] });
  assert.equal(router.state, "BACKUP");
  segment.link(router, false, "eth1");
  assert.equal(router.status().effectivePriority, 60);
  assert.equal(router.state, "BACKUP");
});

test("the interface of an address elsewhere is needed too, unless the line or a track says otherwise", () => {
  const elsewhere = (rest: Partial<VirtualAddress> = {}): readonly VirtualAddress[] => [
    virtualAddress("192.0.2.100"),
    { ...virtualAddress("198.51.100.100", "eth1"), ...rest },
  ];
  const down = (draft: InstanceDraft): [string, string, number] => {
    const { segment, router } = alone(draft);
    segment.link(router, true, "eth1");
    toMaster({ segment, router });
    segment.link(router, false, "eth1");
    return [router.state, router.status().reason, router.status().effectivePriority];
  };
  const [state, reason] = down({ addresses: elsewhere() });
  assert.deepEqual([state, reason], ["FAULT", "interface eth1 is down"]);
  const [only] = elsewhere();
  const [excluded] = down({ addresses: [only!], excludedAddresses: elsewhere().slice(1) });
  assert.equal(excluded, "FAULT");
  assert.equal(down({ addresses: elsewhere({ tracked: false }) })[0], "MASTER");
  assert.equal(down({ addresses: elsewhere({ interface: "lo" }) })[0], "MASTER");
  const weighed = down({ addresses: elsewhere(), tracks: [tracked("interface", "eth1", -40)] });
  assert.deepEqual([weighed[0], weighed[2]], ["MASTER", 60]);
});

test("dont_track_primary: its own interface may go down unnoticed", () => {
  const { segment, router } = alone({ trackPrimaryInterface: false });
  toMaster({ segment, router });
  segment.link(router, false);
  assert.equal(router.state, "MASTER");
});

test("without an address to send from there is no master", () => {
  const { segment, router } = alone({ trackPrimaryInterface: false });
  toMaster({ segment, router });
  const up = { type: "interface-changed", interface: "eth0", exists: true, up: true } as const;
  segment.input(router, up);
  assert.equal(router.state, "FAULT");
  assert.equal(
    router.status().reason,
    "interface eth0 has no IPv4 address to send from",
    "the farewell still went out from the old one",
  );
  assert.equal(router.did("send-datagram").at(-1)?.source, "192.0.2.1");
  segment.input(router, { ...up, primaryIpv4: "192.0.2.77" });
  segment.until(() => router.state === "MASTER");
  assert.equal(router.did("send-datagram").at(-1)?.source, "192.0.2.77");
});

test("mcast_src_ip or unicast_src_ip is used whatever the interface has", () => {
  const { segment, router } = alone({ sourceAddress: "192.0.2.111" });
  segment.until(() => router.state === "MASTER");
  assert.equal(router.did("send-datagram").at(-1)?.source, "192.0.2.111");
});

test("track_src_ip: without its source address on the interface it is in FAULT", () => {
  const { segment, router } = alone({ sourceAddress: "192.0.2.111", trackSource: true });
  const up = { type: "interface-changed", interface: "eth0", exists: true, up: true } as const;
  const has = (...addresses: readonly string[]): void => {
    segment.input(router, { ...up, primaryIpv4: "192.0.2.1", addresses });
  };
  has("192.0.2.1");
  assert.equal(router.state, "FAULT");
  assert.equal(router.status().reason, "interface eth0 does not have 192.0.2.111 to send from");
  has("192.0.2.1", "192.0.2.111");
  segment.until(() => router.state === "MASTER");
  has("192.0.2.1");
  assert.equal(router.state, "FAULT");
});

test("a new primary address of a running master is the next advert's source", () => {
  const { segment, router } = alone();
  toMaster({ segment, router });
  const up = { type: "interface-changed", interface: "eth0", exists: true, up: true } as const;
  segment.input(router, { ...up, primaryIpv4: "192.0.2.5" });
  segment.advance(1000);
  assert.equal(router.state, "MASTER");
  assert.equal(router.did("send-datagram").at(-1)?.source, "192.0.2.5");
});

test("the same fact told twice changes nothing", () => {
  const { segment, router } = alone({ tracks: [script("web")] });
  segment.script(router, "web", true);
  toMaster({ segment, router });
  segment.script(router, "web", true);
  segment.link(router, true);
  assert.deepEqual(router.actions, []);
});

test("witnesses: one that answers is enough; before all were asked none is missed", () => {
  const witnesses = ["192.0.2.253", "192.0.2.254"];
  const { segment, router } = alone({ witnesses });
  const tell = (address: string, reachable: boolean): void => {
    segment.input(router, { type: "witness-changed", address, reachable });
  };
  tell("192.0.2.253", false);
  assert.equal(router.state, "INIT");
  tell("192.0.2.254", true);
  assert.equal(router.state, "BACKUP");
  tell("192.0.2.254", false);
  assert.equal(router.state, "FAULT");
  assert.equal(router.status().reason, "no witness answers (192.0.2.253, 192.0.2.254)");
  tell("192.0.2.253", true);
  assert.equal(router.state, "BACKUP");
});

test("witnesses: of two sides of a split the one that reaches them has the addresses", () => {
  const segment = new Segment();
  const settings = (priority: number) => node([instance({ priority, witnesses: ["192.0.2.254"] })]);
  const a = segment.add("A", settings(150));
  const b = segment.add("B", settings(100));
  const tell = (to: SegmentNode, reachable: boolean): void => {
    segment.input(to, { type: "witness-changed", address: "192.0.2.254", reachable });
  };
  tell(a, true);
  tell(b, true);
  segment.until(() => a.state === "MASTER");
  segment.advance(5000);
  segment.partition([a], [b]);
  tell(a, false);
  segment.until(() => b.state === "MASTER");
  assert.deepEqual(segment.masters(), ["B"]);
  segment.partition();
  tell(a, true);
  segment.until(() => a.state === "MASTER");
  segment.advance(1);
  assert.deepEqual(segment.masters(), ["A"]);
});

test("an IPv6 instance needs a link-local address and takes no notice of the IPv4 one", () => {
  const { segment, router } = alone({
    family: "ipv6",
    addresses: [virtualAddress("fe80::200"), virtualAddress("2001:db8::200")],
  });
  assert.equal(router.state, "BACKUP");
  const up = { type: "interface-changed", interface: "eth0", exists: true, up: true } as const;
  segment.input(router, { ...up, primaryIpv4: "192.0.2.1" });
  assert.equal(
    router.status().reason,
    "interface eth0 has no link-local IPv6 address to send from",
  );
  segment.input(router, { ...up, linkLocalIpv6: "fe80::1" });
  assert.equal(router.state, "BACKUP");
});
