/**
 * What Nines adds so that two machines do not answer for one address, and so that one always does:
 * the lease, resigning while it still works, restoring addresses, handing over, telling a split.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segment, type SegmentNode } from "../../../test/kit/vrrp-segment.ts";
import { instance, node, type InstanceDraft } from "../../../test/kit/vrrp-settings.ts";

const SKEW_OF_100 = (156 * 1000) / 256;
const VIP = "192.0.2.200";

/** A at 150 is master, B at 100 backup. */
function pair(draft: InstanceDraft = {}): { segment: Segment; a: SegmentNode; b: SegmentNode } {
  const segment = new Segment();
  const a = segment.add("A", node([instance({ priority: 150, ...draft })]));
  const b = segment.add("B", node([instance(draft)]));
  segment.until(() => a.state === "MASTER");
  segment.advance(10_500);
  return { segment, a, b };
}

function alone(draft: InstanceDraft = {}): { segment: Segment; a: SegmentNode } {
  const segment = new Segment();
  const a = segment.add("A", node([instance(draft)]));
  segment.until(() => a.state === "MASTER");
  segment.advance(10_500);
  return { segment, a };
}

/** Both have been master and have heard each other. */
function acquainted(): ReturnType<typeof pair> {
  const all = pair();
  const { segment, a, b } = all;
  segment.link(a, false);
  segment.until(() => b.state === "MASTER");
  segment.link(a, true);
  segment.until(() => a.state === "MASTER");
  segment.advance(10_500);
  assert.equal(b.state, "BACKUP");
  return all;
}

/** The process does not run for a while, then does again. */
function stall(segment: Segment, router: SegmentNode, forMs: number): void {
  router.paused = true;
  segment.advance(forMs);
  router.paused = false;
  segment.advance(0);
}

function remove(segment: Segment, router: SegmentNode): void {
  segment.input(router, { type: "address-removed", instance: "V1", address: VIP });
}

test("the lease is renewed right before every advert, for the time others believe it", () => {
  for (const draft of [{}, { advertIntervalMs: 100, downTimerAdverts: 5 }]) {
    const { a } = alone(draft);
    const promises = a.actions.filter(
      (x) => x.type === "renew-lease" || x.type === "send-datagram",
    );
    assert.ok(promises.length > 10);
    for (const [i, action] of promises.entries()) {
      assert.equal(action.type, i % 2 === 0 ? "renew-lease" : "send-datagram");
      if (action.type === "renew-lease") {
        assert.equal(action.durationMs, "advertIntervalMs" in draft ? 500 : 3000);
      }
    }
  }
});

test("a farewell renews no lease", () => {
  const { segment, a } = alone();
  a.actions.length = 0;
  segment.input(a, { type: "stop-requested", reason: "end" });
  assert.equal(a.did("renew-lease").length, 0);
});

test("a master that slept over its lease is a backup before it says anything", () => {
  const { segment, a, b } = pair();
  a.actions.length = 0;
  stall(segment, a, 10_000);
  assert.equal(b.state, "MASTER");
  assert.equal(a.state, "BACKUP");
  assert.deepEqual(a.did("send-datagram"), []);
  assert.deepEqual([...a.holds], []);
  assert.equal(a.status().counters.leaseLapses, 1);
  assert.match(a.said("lease-lapsed")[0] ?? "", /did not run for .* longer than its lease of 3000/);
});

test("whatever wakes it: an advert, a removal, a claim, a handover", () => {
  const inputs: ((segment: Segment, a: SegmentNode) => void)[] = [
    (segment, a) => segment.tell(a, instance({ priority: 50 })),
    (segment, a) => segment.tell(a, instance({ priority: 0 })),
    (segment, a) => remove(segment, a),
    (segment, a) =>
      segment.input(a, { type: "address-claimed", instance: "V1", address: VIP, mac: "m" }),
    (segment, a) => segment.input(a, { type: "handover-requested", instance: "V1", reason: "x" }),
    (segment, a) => segment.input(a, { type: "acquire-failed", instance: "V1", reason: "EPERM" }),
  ];
  for (const wake of inputs) {
    const { segment, a } = alone();
    a.actions.length = 0;
    a.paused = true;
    segment.advance(10_000);
    wake(segment, a);
    assert.equal(a.state, "BACKUP");
    assert.deepEqual(a.did("send-datagram"), []);
    assert.deepEqual(a.did("restore-address"), []);
    assert.equal(a.did("release-addresses").length, 1);
  }
});

test("after a lapse it waits an interval and a skew, with peers a whole down interval", () => {
  const lone = alone();
  stall(lone.segment, lone.a, 10_000);
  assert.equal(
    lone.segment.until(() => lone.a.state === "MASTER"),
    1000 + SKEW_OF_100,
  );
  const { segment, a, b } = acquainted();
  b.paused = true;
  stall(segment, a, 10_000);
  assert.equal(a.router.deadline - segment.now, 3000 + (106 * 1000) / 256);
});

test("lease off: it goes on where it was", () => {
  const { segment, a } = alone({ lease: false });
  assert.equal(a.did("renew-lease").length, 0);
  stall(segment, a, 10_000);
  assert.equal(a.state, "MASTER");
  assert.equal(a.status().counters.leaseLapses, 0);
});

test("a master that is late again and again resigns while it can, and stays away 30 s", () => {
  const { segment, a, b } = acquainted();
  for (let i = 0; i < 3; i++) {
    segment.advance(a.router.deadline - segment.now - 1);
    stall(segment, a, 1500);
  }
  assert.equal(a.status().counters.starvations, 1);
  assert.equal(a.state, "BACKUP");
  assert.match(a.said("starved")[0] ?? "", /late: this machine is starved of CPU/);
  segment.until(() => b.state === "MASTER", 700);
  segment.advance(29_000);
  assert.equal(b.state, "MASTER");
  segment.until(() => a.state === "MASTER", 3000);
});

test("a starved master that never heard anybody stays: nobody else could do better", () => {
  const { segment, a } = alone();
  for (let i = 0; i < 3; i++) {
    segment.advance(a.router.deadline - segment.now - 1);
    stall(segment, a, 1500);
  }
  assert.equal(a.said("starved").length, 1);
  assert.equal(a.state, "MASTER");
  segment.advance(a.router.deadline - segment.now - 1);
  stall(segment, a, 1500);
  assert.equal(a.said("starved").length, 1, "not told again for one more");
});

test("late adverts of an earlier time as master do not count", () => {
  const { segment, a, b } = acquainted();
  for (let i = 0; i < 2; i++) {
    segment.advance(a.router.deadline - segment.now - 1);
    stall(segment, a, 1500);
  }
  segment.link(a, false);
  segment.until(() => b.state === "MASTER");
  segment.link(a, true);
  segment.until(() => a.state === "MASTER");
  segment.advance(a.router.deadline - segment.now - 1);
  stall(segment, a, 1500);
  assert.deepEqual(a.said("starved"), []);
});

test("a removed address is put back at once, then more and more slowly", () => {
  const { segment, a } = alone();
  a.actions.length = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    const removedAt = segment.now;
    remove(segment, a);
    segment.until(() => a.did("restore-address").length === i + 1);
    pauses.push(segment.now - removedAt);
  }
  assert.deepEqual(pauses, [0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000]);
  assert.equal(a.state, "MASTER");
  assert.deepEqual(a.did("restore-address")[0]?.address, VIP);
  assert.equal(a.status().counters.addressRestores, 12);
});

test("a removed address is told as put back when it is there again, and not before", () => {
  const { segment, a } = alone();
  const removed = { type: "address-removed", instance: "V1", address: VIP } as const;
  const told = (input: Parameters<typeof a.router.step>[1]): readonly string[] =>
    a.router.step(segment.now, input).flatMap((action) => {
      return action.type === "report" ? [action.event.reason] : [];
    });
  assert.deepEqual(told(removed), []);
  assert.deepEqual(told({ type: "address-restored", instance: "V1", address: VIP }), [
    `address ${VIP} was removed by somebody else and put back`,
  ]);
  assert.equal(a.status().counters.addressRestores, 1);
  told({ type: "handover-requested", instance: "V1", reason: "maintenance" });
  assert.deepEqual(told({ type: "address-restored", instance: "V1", address: VIP }), []);
});

test("an address that is fought over goes to a peer, if one was ever heard", () => {
  const { segment, a, b } = acquainted();
  for (let i = 0; i < 6; i++) {
    remove(segment, a);
    segment.advance(500);
  }
  assert.equal(a.said("address-fought-over").length, 1);
  assert.equal(a.state, "BACKUP");
  segment.until(() => b.state === "MASTER", 1000);
});

test("an address that is removed from a backup is nobody's business", () => {
  const { segment, b } = pair();
  b.actions.length = 0;
  remove(segment, b);
  segment.input(b, { type: "address-removed", instance: "nobody", address: VIP });
  assert.deepEqual(b.actions, []);
});

test("a kernel that refuses the addresses leaves them to the peer", () => {
  const { segment, a, b } = pair();
  segment.input(a, { type: "acquire-failed", instance: "V1", reason: "no such device" });
  segment.until(() => b.state === "MASTER", 100);
  segment.advance(20_000);
  assert.deepEqual(segment.masters(), ["B"]);
  assert.match(a.status().reason, /refused our addresses: no such device/);
});

test("a kernel that goes on refusing is asked less often, up to once a second", () => {
  const { segment, a } = alone({ version: 3, advertIntervalMs: 50 });
  const waits = (): number => {
    segment.input(a, { type: "acquire-failed", instance: "V1", reason: "EPERM" });
    return Math.round(segment.until(() => a.state === "MASTER", 100_000));
  };
  const first = waits();
  assert.ok(first < 200);
  assert.deepEqual(
    [waits(), waits(), waits(), waits()].map((ms) => Math.round(ms / first)),
    [2, 4, Math.round(1000 / first), Math.round(1000 / first)],
  );
  // A reign of more than half a minute: what was refused before says nothing any more.
  segment.advance(31_000);
  assert.equal(waits(), first);
});

test("of three routers the best backup takes over, the third never", () => {
  const segment = new Segment();
  const [a, b, c] = [200, 150, 100].map((priority, i) =>
    segment.add("ABC"[i]!, node([instance({ priority })])),
  ) as [SegmentNode, SegmentNode, SegmentNode];
  segment.until(() => a.state === "MASTER");
  segment.advance(10_000);
  segment.input(a, { type: "stop-requested", reason: "end" });
  segment.advance(10_000);
  assert.deepEqual(segment.masters(), ["B"]);
  b.paused = true;
  segment.until(() => c.state === "MASTER", 4000);
  assert.equal(c.status().counters.becameMaster, 1);
});

test("a split is told when it heals, by the winner, and so is its end", () => {
  const { segment, a, b } = pair();
  segment.partition([a], [b]);
  segment.until(() => b.state === "MASTER");
  segment.advance(60_000);
  assert.deepEqual(segment.masters(), ["A", "B"]);
  segment.partition();
  segment.advance(1100);
  assert.deepEqual(segment.masters(), ["A"]);
  assert.equal(a.said("split-brain-found").length, 1);
  assert.equal(a.status().splitBrain?.peer, "192.0.2.2");
  segment.advance(10_000);
  assert.match(a.said("split-brain-healed")[0] ?? "", /192\.0\.2\.2 fell silent/);
  assert.equal(a.status().splitBrain, undefined);
});

test("the winner of a split goes on announcing once a second for 30 s", () => {
  const { segment, a, b } = pair();
  segment.partition([a], [b]);
  segment.advance(60_000);
  segment.partition();
  segment.advance(1100);
  a.actions.length = 0;
  segment.advance(60_000);
  const times = a.did("announce").length;
  assert.ok(times >= 29 && times <= 32, `${times} times`);
});

test("an ordinary takeover and its way back are no split", () => {
  const { segment, a, b } = acquainted();
  segment.advance(60_000);
  for (const router of [a, b]) assert.deepEqual(router.said("split-brain-found"), []);
});

test("a link that carries one direction only: who hears the other tells of the split", () => {
  const { segment, a, b } = pair();
  segment.lost = (from) => from === a;
  segment.advance(30_000);
  assert.deepEqual(segment.masters(), ["A", "B"], "b cannot know");
  assert.equal(a.said("split-brain-found").length, 1);
  assert.deepEqual(b.said("split-brain-found"), []);
  segment.lost = () => false;
  segment.advance(2000);
  assert.deepEqual(segment.masters(), ["A"]);
});

test("a claim of our address is a split at once and is answered, but not in a flood", () => {
  const { segment, a } = alone();
  a.actions.length = 0;
  for (let i = 0; i < 1000; i++) {
    segment.input(a, { type: "address-claimed", instance: "V1", address: VIP, mac: "0e:00" });
    segment.advance(60);
  }
  assert.equal(a.said("split-brain-found").length, 1);
  assert.match(a.said("split-brain-found")[0] ?? "", /192\.0\.2\.200 is answered from 0e:00/);
  const answers = a.did("announce").length;
  assert.ok(answers >= 4 && answers <= 8, `${answers} answers in a minute`);
});

test("a loser that knew of the split says who won", () => {
  const { segment, a, b } = pair();
  segment.partition([a], [b]);
  segment.until(() => b.state === "MASTER");
  segment.input(b, { type: "address-claimed", instance: "V1", address: VIP, mac: "0e:00" });
  segment.partition();
  segment.until(() => b.state === "BACKUP");
  assert.deepEqual(b.said("split-brain-healed"), [
    "split brain is over: 192.0.2.1 wins with priority 150",
  ]);
});

test("the last decisions are kept with what was known, 64 of them", () => {
  const { segment, a } = pair();
  for (let i = 0; i < 100; i++) {
    segment.link(a, false);
    segment.link(a, true);
  }
  const decisions = a.router.decisions("V1");
  assert.equal(decisions.length, 64);
  assert.equal(decisions.at(-1)?.event.to, "BACKUP");
  assert.equal(decisions.at(-1)?.inputs["basePriority"], 150);
  assert.deepEqual(a.router.decisions("nobody"), []);
});
