/** A process that finds what the one before it left: goes on within the lease, or lets go. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EPOCH_MS, Segment, SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import { instance, node, pairOfInstances, script } from "../../../test/kit/vrrp-settings.ts";
import type { InstanceDraft } from "../../../test/kit/vrrp-settings.ts";
import type { Reign } from "./reign.ts";
import type { VrrpSettings } from "./settings.ts";

/** What the last renewal of each master left for its successor. */
function reignsOf(router: SegmentNode, renewedMs: number): Reign[] {
  const last = new Map(router.did("renew-lease").map((order) => [order.instance, order]));
  return [...last.values()].map(({ instance: name, durationMs, identity, sequence, alone }) => {
    return { instance: name, identity, sequence, alone, leaseUntilMs: renewedMs + durationMs };
  });
}

/** The next process on the host of `before`, with interfaces up; it hears nothing by itself. */
function successor(
  segment: Segment,
  before: SegmentNode,
  settings: VrrpSettings,
  reigns: readonly Reign[],
): SegmentNode {
  const next = new SegmentNode(before.name, before.number, settings);
  for (const name of before.holds) next.holds.add(name);
  segment.nodes.splice(segment.nodes.indexOf(before), 1, next);
  segment.input(next, { type: "started", wallMs: segment.wallMs, reigns });
  for (const dev of new Set(settings.instances.map((i) => i.interface))) {
    segment.link(next, true, dev);
  }
  return next;
}

/** A master with adverts every second that dies 300 ms after one, and its backup. */
function orphaned(
  settings: VrrpSettings = node([instance({ priority: 150 })]),
  other: VrrpSettings = node([instance()]),
): { segment: Segment; dead: SegmentNode; peer: SegmentNode; reigns: Reign[] } {
  const segment = new Segment();
  const dead = segment.add("A", settings);
  const peer = segment.add("B", other);
  for (const { name } of settings.instances.flatMap((i) => i.tracks)) {
    segment.script(dead, name, true);
  }
  segment.until(() => dead.state === "MASTER");
  segment.advance(5000);
  dead.actions.length = 0;
  segment.until(() => dead.actions.length > 0);
  const reigns = reignsOf(dead, segment.now);
  dead.paused = true;
  segment.advance(300);
  return { segment, dead, peer, reigns };
}

const tracked: InstanceDraft = { priority: 150, tracks: [script("s", 0)] };

test("within the lease it is master at once: lease, advert, addresses, announcement", () => {
  const settings = node([instance({ priority: 150, preempt: false })]);
  const { segment, dead, peer, reigns } = orphaned(settings);
  segment.advance(2500);
  const next = successor(segment, dead, settings, reigns);
  assert.equal(next.state, "MASTER");
  assert.match(next.status().reason, /process before us was master, its lease runs 200 ms more/);
  const orders = next.actions.map((a) => a.type).filter((t) => t !== "report" && t !== "notify");
  assert.deepEqual(orders, ["renew-lease", "send-datagram", "acquire-addresses", "announce"]);
  segment.advance(20_000);
  assert.equal(next.state, "MASTER");
  assert.equal(peer.did("acquire-addresses").length, 0, segment.story());
  assert.equal(next.did("release-addresses").length, 0);
});

test("a lease that the kernel ended, nobody knows when, is told as that", () => {
  const settings = node([instance({ priority: 150 })]);
  const { segment, dead, reigns } = orphaned(settings);
  const ended = reigns.map((reign) => ({ ...reign, leaseUntilMs: -Infinity }));
  const next = successor(segment, dead, settings, ended);
  assert.match(next.said("note").join(), /was master, but its lease has ended$/);
});

test("nobody is told twice: the one notification says that it is told again", () => {
  const settings = pairOfInstances({ priority: 150 });
  const { segment, dead, reigns } = orphaned(settings, pairOfInstances());
  const next = successor(segment, dead, settings, reigns);
  segment.advance(5000);
  const told = next.did("notify").map(({ scope, name, state, again }) => ({
    line: `${scope} ${name} ${state}`,
    again,
  }));
  const group = settings.groups[0]!.name;
  assert.deepEqual(told, [
    { line: "INSTANCE V1 MASTER", again: true },
    { line: "INSTANCE V2 MASTER", again: true },
    { line: `GROUP ${group} MASTER`, again: true },
  ]);
});

test("after the lease it lets go and listens like any other", () => {
  const settings = node([instance({ priority: 150 })]);
  const { segment, dead, peer, reigns } = orphaned(settings);
  segment.advance(2700);
  const next = successor(segment, dead, settings, reigns);
  assert.equal(next.state, "BACKUP");
  assert.deepEqual([...next.holds], []);
  assert.match(next.said("note").join(), /its lease ended 0 ms ago/);
  assert.equal(next.did("send-datagram").length, 0);
  segment.until(() => peer.state === "MASTER");
});

test("another configuration of the instance or of its group is another router", () => {
  const settings = node([instance({ priority: 150 })]);
  const { segment, dead, reigns } = orphaned(settings);
  const changes: InstanceDraft[] = [{ priority: 151 }, { vips: ["192.0.2.201"] }, { vrid: 7 }];
  for (const change of changes) {
    const changed = node([instance({ priority: 150, ...change })]);
    const next = successor(segment, dead, changed, reigns);
    assert.equal(next.state, "BACKUP");
    assert.deepEqual([...next.holds], []);
    assert.match(next.said("note").join(), /but with another configuration/);
  }
});

test("what is tracked is waited for, and the addresses stay meanwhile", () => {
  for (const weight of [0, 30, -30]) {
    const settings = node([instance({ ...tracked, tracks: [script("s", weight)] })]);
    const { segment, dead, reigns } = orphaned(settings);
    const next = successor(segment, dead, settings, reigns);
    segment.advance(1000);
    assert.equal(next.state, "INIT");
    assert.deepEqual([...next.holds], ["V1"]);
    assert.equal(next.did("send-datagram").length, 0);
    segment.script(next, "s", true);
    assert.equal(next.state, "MASTER");
    const priority = 150 + Math.max(0, weight);
    assert.equal(next.did("send-datagram")[0]?.payload[2], priority, "the first advert knows it");
  }
});

test("verdicts that do not come before the lease ends are waited for without the addresses", () => {
  const settings = node([instance(tracked)]);
  const { segment, dead, reigns } = orphaned(settings);
  const next = successor(segment, dead, settings, reigns);
  segment.advance(2700);
  assert.equal(next.state, "INIT");
  assert.deepEqual([...next.holds], []);
  segment.script(next, "s", true);
  assert.equal(next.state, "BACKUP");
});

test("a script that fails now makes it resign, as if it had only slept", () => {
  const settings = node([instance(tracked)]);
  const { segment, dead, reigns } = orphaned(settings);
  const next = successor(segment, dead, settings, reigns);
  segment.script(next, "s", false);
  assert.equal(next.state, "FAULT");
  assert.deepEqual([...next.holds], []);
  assert.deepEqual(
    next.did("send-datagram").map(({ payload }) => payload[2]),
    [0],
  );
});

test("an advert of any other master while it waits: the addresses are that one's", () => {
  const settings = node([instance(tracked)]);
  const { segment, dead, reigns } = orphaned(settings);
  const next = successor(segment, dead, settings, reigns);
  segment.tell(next, instance({ priority: 1 }));
  assert.deepEqual([...next.holds], []);
  segment.script(next, "s", true);
  assert.equal(next.state, "BACKUP");
});

test("a group goes on as a whole or not at all", () => {
  const settings = pairOfInstances({ priority: 150 });
  const { segment, dead, reigns } = orphaned(settings, pairOfInstances());
  assert.equal(reigns.length, 2);
  const next = successor(segment, dead, settings, reigns.slice(0, 1));
  assert.deepEqual([...next.holds], ["V2"], "only what nobody had noted down");
  assert.deepEqual(
    ["V1", "V2"].map((name) => next.status(name).state),
    ["BACKUP", "BACKUP"],
  );
});

test("the end comes while it waits: released first, then a resignation", () => {
  const settings = node([instance(tracked)]);
  const { segment, dead, reigns } = orphaned(settings);
  const next = successor(segment, dead, settings, reigns);
  const orders = segment.input(next, { type: "stop-requested", reason: "SIGTERM" });
  const [first, second] = orders.map((a) => a.type);
  assert.deepEqual([first, second], ["release-addresses", "send-datagram"]);
});

test("a reload while it waits does what it does to a master", () => {
  const settings = node([instance(tracked)]);
  const { segment, dead, reigns } = orphaned(settings);
  const next = successor(segment, dead, settings, reigns);
  segment.reconfigure(next, settings);
  segment.reconfigure(next, node([instance({ ...tracked, priority: 160 })]));
  assert.deepEqual([...next.holds], ["V1"]);
  segment.reconfigure(next, node([instance({ ...tracked, priority: 160, vrid: 7 })]));
  assert.deepEqual([...next.holds], []);
  assert.equal(next.did("send-datagram").at(-1)?.payload[2], 0, "it resigns");
  segment.script(next, "s", true);
  assert.equal(next.state, "BACKUP");
});

test("numbered packets go on above the last one, even if the clock was set back", () => {
  const secret = new Uint8Array(32).fill(7);
  const hmac = { kind: "hmac", keys: [{ id: 1, secret }], activeKeyId: 1 } as const;
  const methods: InstanceDraft[] = [
    { version: 2, authentication: { kind: "ah", password: "secret" } },
    {
      authentication: { ...hmac, mode: "enforce", antiReplay: true, timeWindowMs: 3_600_000 },
    },
  ];
  for (const method of methods) {
    const settings = node([instance({ priority: 150, ...method })]);
    const { segment, dead, peer, reigns } = orphaned(settings, node([instance(method)]));
    assert.ok(reigns[0]!.sequence > 0);
    // The successor's clock is a minute behind; what it sends must still be believed.
    const next = new SegmentNode(dead.name, dead.number, settings);
    segment.nodes.splice(0, 1, next);
    const wallMs = EPOCH_MS + segment.now - 60_000;
    segment.input(next, { type: "started", wallMs, reigns });
    segment.link(next, true);
    const heard = peer.status().counters.advertsReceived;
    segment.advance(10);
    assert.equal(peer.status().counters.advertsReceived, heard + 1, segment.story());
  }
});

test("who had heard others before still knows that there are others", () => {
  const settings = node([instance({ priority: 150 })]);
  for (const alone of [true, false]) {
    const { segment, dead, reigns } = orphaned(settings);
    const heirs = reigns.map((reign) => ({ ...reign, alone }));
    const next = successor(segment, dead, settings, heirs);
    next.paused = true;
    segment.advance(5000);
    next.paused = false;
    segment.nodes.splice(1, 1);
    segment.input(next, { type: "woken", wallMs: segment.wallMs });
    assert.equal(next.state, "BACKUP");
    const wait = next.router.deadline - segment.now;
    assert.equal(wait > 3000, !alone, "a whole master down interval, or an interval and a skew");
  }
});
