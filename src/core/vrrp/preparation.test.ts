/** Before a takeover the addresses go into the kernel, with their lease shut. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { group, instance, node, type InstanceDraft } from "../../../test/kit/vrrp-settings.ts";
import { Listener } from "../../../test/kit/vrrp-listener.ts";
import { advertOf, Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import type { RouterAction } from "./router-ports.ts";

const QUICK: InstanceDraft = { advertIntervalMs: 10 };
/** Of priority 100 at 10 ms. */
const DOWN_MS = 30 + 1560 / 256;
const AHEAD_MS = 6;

interface Pair {
  readonly segment: Segment;
  readonly a: SegmentNode;
  readonly b: SegmentNode;
}

/** a is master, b has heard it. */
function pair(draft: InstanceDraft = {}, master: InstanceDraft = {}): Pair {
  const segment = new Segment();
  const a = segment.add("a", node([instance({ ...QUICK, priority: 200, ...master })]));
  segment.advance(200);
  const b = segment.add("b", node([instance({ ...QUICK, ...draft })]));
  segment.advance(1000);
  assert.deepEqual([a.state, b.state], ["MASTER", "BACKUP"]);
  assert.deepEqual(b.did("prepare-addresses"), [], "nobody is silent");
  b.actions.length = 0;
  return { segment, a, b };
}

/** Orders that are about addresses. */
function ordersOf(actions: readonly RouterAction[]): string[] {
  const known = ["prepare-addresses", "renew-lease", "acquire-addresses", "release-addresses"];
  return actions.flatMap(({ type }) => (known.includes(type) ? [type] : []));
}

/** The master is gone: what the backup orders until it is one. */
function takeover({ segment, a, b }: Pair): string[] {
  a.paused = true;
  segment.until(() => b.state === "MASTER");
  const orders = ordersOf(b.actions);
  return orders.slice(0, orders.indexOf("acquire-addresses") + 1);
}

test("a silent master's addresses are got ready in the skew, when its lease has ended", () => {
  const { segment, a, b } = pair();
  a.paused = true;
  segment.until(() => b.did("prepare-addresses").length > 0);
  const preparedMs = segment.now;
  assert.equal(b.state, "BACKUP");
  assert.deepEqual([...b.holds], []);
  segment.until(() => b.state === "MASTER");
  assert.ok(Math.abs(segment.now - preparedMs - AHEAD_MS) < 0.01, `${segment.now - preparedMs}`);
  assert.ok(AHEAD_MS < DOWN_MS - 30);
  assert.deepEqual(ordersOf(b.actions).slice(0, 3), [
    "prepare-addresses",
    "renew-lease",
    "acquire-addresses",
  ]);
});

test("whoever is heard again has them taken back, once", () => {
  const { segment, a, b } = pair();
  a.paused = true;
  segment.until(() => b.did("prepare-addresses").length > 0);
  segment.tell(b, instance({ ...QUICK, priority: 200 }), a.address("ipv4"));
  assert.deepEqual(ordersOf(b.actions), ["prepare-addresses", "release-addresses"]);
  segment.tell(b, instance({ ...QUICK, priority: 200 }), a.address("ipv4"));
  assert.equal(b.did("release-addresses").length, 1);
  segment.advance(DOWN_MS + 1);
  assert.equal(b.state, "MASTER");
  assert.equal(b.did("prepare-addresses").length, 2);
});

test("a resignation takes them back, too", () => {
  const { segment, a, b } = pair();
  a.paused = true;
  segment.until(() => b.did("prepare-addresses").length > 0);
  segment.tell(b, instance({ ...QUICK, priority: 0 }), a.address("ipv4"));
  assert.deepEqual(ordersOf(b.actions), ["prepare-addresses", "release-addresses"]);
});

test("they do not outlive the wait: fault, stop and removal from the configuration", () => {
  const ends: ((segment: Segment, b: SegmentNode) => void)[] = [
    (segment, b) => segment.link(b, false),
    (segment, b) => segment.input(b, { type: "stop-requested", reason: "end" }),
    (segment, b) => segment.reconfigure(b, node([])),
    (segment, b) => segment.reconfigure(b, node([instance({ ...QUICK, vips: ["192.0.2.201"] })])),
  ];
  for (const end of ends) {
    const { segment, a, b } = pair();
    a.paused = true;
    segment.until(() => b.did("prepare-addresses").length > 0);
    end(segment, b);
    assert.deepEqual(ordersOf(b.actions).slice(0, 2), ["prepare-addresses", "release-addresses"]);
  }
});

test("who wakes after the deadline takes over without it", () => {
  const { segment, a, b } = pair();
  a.paused = true;
  b.paused = true;
  segment.advance(100);
  b.paused = false;
  segment.advance(0);
  assert.equal(b.state, "MASTER");
  assert.deepEqual(b.did("prepare-addresses"), []);
});

test("nothing is got ready where there is no lease or no time", () => {
  const without: readonly [string, InstanceDraft, InstanceDraft][] = [
    ["no lease", { lease: false }, {}],
    ["a short skew", { priority: 250 }, { priority: 254 }],
  ];
  for (const [why, draft, master] of without) {
    assert.deepEqual(takeover(pair(draft, master)).includes("prepare-addresses"), false, why);
  }
});

test("nothing is got ready beside an owner: its adverts come from the address itself", () => {
  const owner = takeover(pair({}, { priority: 255 }));
  assert.equal(owner.includes("prepare-addresses"), false);
  const same = pair({ vips: ["192.0.2.1"] }, { vips: ["192.0.2.1"] });
  assert.equal(same.a.address("ipv4"), "192.0.2.1");
  assert.equal(takeover(same).includes("prepare-addresses"), false);
});

test("a member of a group waits for the others without it", () => {
  const segment = new Segment();
  const settings = (priority: number) =>
    node([instance({ ...QUICK, priority })], { groups: [group(["V1"])] });
  const a = segment.add("a", settings(200));
  segment.advance(200);
  const b = segment.add("b", settings(100));
  segment.advance(200);
  assert.equal(takeover({ segment, a, b }).includes("prepare-addresses"), false);
});

test("silence begins when an advert comes, however late it is read, as far as clocks can be trusted", () => {
  const quiet = 30 + 1560 / 256;
  const untilTakeover = (waitedMs: number | undefined): number => {
    const listener = new Listener(instance(QUICK));
    listener.pass(5);
    const datagram = advertOf(instance({ ...QUICK, priority: 200 }), "192.0.2.99", 200);
    listener.give(waitedMs === undefined ? datagram : { ...datagram, waitedMs });
    const heardMs = listener.now;
    listener.takeOver(); // gets ready
    listener.takeOver();
    assert.equal(listener.status.state, "MASTER");
    return listener.now - heardMs;
  };
  assert.ok(Math.abs(untilTakeover(undefined) - quiet) < 1e-9);
  assert.ok(Math.abs(untilTakeover(0.2) - (quiet - 0.2)) < 1e-9);
  assert.ok(Math.abs(untilTakeover(60_000) - (quiet - 2)) < 1e-9, "the clock was set meanwhile");
});

/** What a takeover orders, of these, in their order. */
function announcementOf(b: SegmentNode): string[] {
  const told = ["renew-lease", "send-datagram", "acquire-addresses", "announce"];
  const from = b.actions.findIndex(({ type }) => type === "renew-lease");
  const orders = b.actions.slice(from).flatMap(({ type }) => (told.includes(type) ? [type] : []));
  return orders.slice(0, told.length);
}

test("where only clients wait, they are told before the routers, and never before the lease", () => {
  const two = pair();
  takeover(two);
  const clientsFirst = ["renew-lease", "acquire-addresses", "announce", "send-datagram"];
  assert.deepEqual(announcementOf(two.b), clientsFirst);
  const routersFirst = ["renew-lease", "send-datagram", "acquire-addresses", "announce"];
  const hasty = pair({ priority: 250 }, { priority: 254 });
  takeover(hasty);
  assert.deepEqual(announcementOf(hasty.b), routersFirst, "nothing was got ready");
  const three = pair();
  three.segment.tell(three.b, instance({ ...QUICK, priority: 150 }), "192.0.2.77");
  three.segment.advance(25);
  takeover(three);
  assert.deepEqual(announcementOf(three.b), routersFirst, "a third router");
});

test("who is put into a group between preparation and takeover gives back what was got ready", () => {
  const { segment, a, b } = pair();
  a.paused = true;
  segment.until(() => b.did("prepare-addresses").length > 0);
  const settings = node([instance(QUICK)], { groups: [group(["V1"])] });
  const orders = ordersOf(segment.reconfigure(b, settings));
  assert.deepEqual(orders, ["release-addresses"]);
});
