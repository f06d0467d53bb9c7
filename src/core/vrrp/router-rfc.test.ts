/**
 * The state machine of RFC 9568 section 6.4 and RFC 3768 section 6.4: one test a clause.
 * Where Nines does otherwise, the test says so and why; `vrrp_strict` always does as the RFC says.
 *
 * Clauses that drivers fulfil, and where they are tested:
 *
 * | section    | what                                              | where                            |
 * | ---------- | ------------------------------------------------- | -------------------------------- |
 * | 5.1.1      | source, TTL 255 and group as others read them     | test/lab/interop.test.ts         |
 * | 5.2, 7.1   | every check of what was received                  | packet.test.ts, auth-*.test.ts   |
 * | 6.1, 6.4.3 | without Accept_Mode all but ARP and ND is dropped | test/lab/drivers-netlink.test.ts |
 * | 6.4.2      | a backup's kernel answers no ARP or ND request    | test/lab/drivers-netlink.test.ts |
 * | 6.4.3, 8.1 | only the virtual MAC is ever told                 | test/lab/drivers-netlink.test.ts |
 * | 7.3        | adverts from the same virtual MAC are heard       | test/lab/daemon.test.ts          |
 * | 6.4.2, 8.2 | gratuitous ARP and unsolicited NA frames          | announce-frames.test.ts          |
 *
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  advertOf,
  EPOCH_MS,
  Segment,
  STRANGER,
  type SegmentNode,
} from "../../../test/kit/vrrp-segment.ts";
import {
  instance,
  node,
  pairOfInstances,
  strict,
  type InstanceDraft,
} from "../../../test/kit/vrrp-settings.ts";
import type { RouterAction } from "./router-ports.ts";

/** A segment with one router. */
function alone(settings = instance()): { segment: Segment; router: SegmentNode } {
  const segment = new Segment();
  return { segment, router: segment.add("A", node([settings])) };
}

/** The same, after it became master. */
function master(draft: InstanceDraft = {}): { segment: Segment; router: SegmentNode } {
  const lone = alone(instance(draft));
  lone.segment.until(() => lone.router.state === "MASTER");
  lone.router.actions.length = 0;
  return lone;
}

function orders(actions: readonly RouterAction[]): string[] {
  return actions.flatMap((a) => {
    if (a.type === "send-datagram") return [`advert ${a.payload[2]}`];
    return a.type === "report" || a.type === "notify" ? [] : [a.type];
  });
}

function waitOf(segment: Segment, router: SegmentNode): number {
  return router.router.deadline - segment.now;
}

test("6.4.1: priority 255 adverts, announces and is Active at once", () => {
  const { segment, router } = alone(instance({ priority: 255 }));
  assert.equal(segment.now, 0);
  assert.equal(router.state, "MASTER");
  assert.deepEqual(orders(router.actions), [
    "renew-lease",
    "advert 255",
    "acquire-addresses",
    "announce",
  ]);
  assert.equal(waitOf(segment, router), 1000);
});

test("6.4.1: anybody else listens for one Active_Down_Interval of its own interval", () => {
  for (const advertIntervalMs of [10, 100, 1000, 40_950]) {
    const { segment, router } = alone(instance({ advertIntervalMs }));
    assert.equal(router.state, "BACKUP");
    assert.equal(waitOf(segment, router), 3 * advertIntervalMs + (156 * advertIntervalMs) / 256);
    assert.deepEqual(orders(router.actions), []);
  }
});

test("6.1: version 3 skews by a share of the master's interval", () => {
  for (const priority of [1, 100, 254]) {
    const { segment, router } = alone(instance({ priority, advertIntervalMs: 100 }));
    assert.equal(waitOf(segment, router), 300 + ((256 - priority) * 100) / 256);
  }
});

test("RFC 3768 6.1: version 2 skews by a share of a second whatever the interval is", () => {
  for (const advertIntervalMs of [1000, 5000]) {
    const { segment, router } = alone(instance({ version: 2, advertIntervalMs }));
    assert.equal(waitOf(segment, router), 3 * advertIntervalMs + (156 * 1000) / 256);
  }
});

test("6.4.2: after priority 0 a backup waits one Skew_Time (vrrp_strict)", () => {
  const { segment, router } = alone(strict());
  segment.tell(router, instance({ priority: 200 }));
  segment.tell(router, instance({ priority: 0 }));
  assert.equal(waitOf(segment, router), (156 * 1000) / 256);
  assert.equal(router.status().counters.priorityZeroReceived, 1);
  segment.advance(waitOf(segment, router));
  assert.equal(router.state, "MASTER");
});

// Deviation: whoever resigned has said that it is gone. Where no third router was ever heard
// nobody has to be waited for, so the addresses move in an eighth of the skew and up to 10 ms.
test("6.4.2, Nines: between two routers priority 0 is answered in an eighth of that and up to 10 ms", () => {
  const { segment, router } = alone();
  segment.tell(router, instance({ priority: 200 }));
  segment.tell(router, instance({ priority: 0 }));
  assert.equal(waitOf(segment, router), 10 + (156 * 1000) / 256 / 8);
});

test("6.4.2, Nines: with a third router about, the whole skew keeps the order", () => {
  const { segment, router } = alone();
  segment.tell(router, instance({ priority: 90 }), "192.0.2.98");
  segment.tell(router, instance({ priority: 200 }));
  segment.tell(router, instance({ priority: 0 }));
  assert.equal(waitOf(segment, router), (156 * 1000) / 256);
});

test("6.4.2: an advert of our priority or more re-arms the timer; v3 learns its interval", () => {
  for (const priority of [100, 101, 255]) {
    const { segment, router } = alone(instance({ lease: false }));
    segment.advance(2000);
    segment.tell(router, instance({ priority, advertIntervalMs: 200 }));
    assert.equal(waitOf(segment, router), 600 + (156 * 200) / 256);
    assert.equal(router.status().masterDownIntervalMs, 600 + (156 * 200) / 256);
  }
});

test("6.4.2: without preempt any master re-arms the timer", () => {
  const { segment, router } = alone(instance({ preempt: false, lease: false }));
  segment.advance(2000);
  segment.tell(router, instance({ priority: 1, advertIntervalMs: 200 }));
  assert.equal(waitOf(segment, router), 600 + (156 * 200) / 256);
});

test("6.4.2: with preempt a lower advert is discarded: the timer runs on (vrrp_strict)", () => {
  const { segment, router } = alone(strict());
  segment.advance(2000);
  const { deadline } = router.router;
  segment.tell(router, instance({ priority: 99, advertIntervalMs: 200 }));
  assert.equal(router.router.deadline, deadline);
  assert.equal(router.status().advertIntervalMs, 1000);
});

// Deviation: the lower master lives and will yield to our first advert. Nothing needs the rest of
// the down interval, only the order among the backups does.
test("6.4.2, Nines: a lower master is preempted after one skew", () => {
  const { segment, router } = alone();
  segment.tell(router, instance({ priority: 99 }));
  assert.equal(waitOf(segment, router), (156 * 1000) / 256);
  segment.advance(500);
  segment.tell(router, instance({ priority: 99 }));
  assert.equal(
    waitOf(segment, router),
    (156 * 1000) / 256 - 500,
    "and further adverts do not help",
  );
});

test("6.4.2: a backup sends nothing and holds no address, as long as it hears a master", () => {
  const { segment, router } = alone();
  for (let i = 0; i < 100; i++) {
    segment.tell(router, instance({ priority: 200 }));
    segment.advance(1000);
  }
  assert.equal(router.state, "BACKUP");
  assert.deepEqual(orders(router.actions), []);
});

test("6.4.2: when the timer fires it adverts, announces each address and is Active", () => {
  const { segment, router } = alone();
  segment.advance(3609.3);
  assert.deepEqual(orders(router.actions), []);
  segment.advance(0.1);
  assert.deepEqual(orders(router.actions), [
    "renew-lease",
    "advert 100",
    "acquire-addresses",
    "announce",
  ]);
  assert.equal(router.router.deadline, 4609.375);
});

test("6.4.3: an Active router adverts every interval, on the dot", () => {
  const { segment, router } = master({ announce: { ...instance().announce, delayMs: 0 } });
  const start = segment.now;
  segment.advance(100_000);
  const adverts = segment.trace.filter((l) => l.text.includes("advert 100"));
  assert.equal(adverts.length, 101);
  assert.deepEqual(
    adverts.map((l) => l.atMs),
    adverts.map((_, i) => start + 1000 * i),
  );
  assert.equal(router.status().counters.advertsSent, 101);
});

test("6.4.3: an advert that went out late does not move the ones after it", () => {
  const { segment, router } = master();
  const due = router.router.deadline;
  router.paused = true;
  segment.advance(1300);
  router.paused = false;
  segment.advance(0);
  assert.equal(router.router.deadline, due + 1000);
});

test("6.4.3: priority 0 is answered with an advert at once and the timer starts again", () => {
  const { segment, router } = master();
  segment.advance(400);
  const actions = segment.tell(router, instance({ priority: 0 }));
  assert.deepEqual(orders(actions).slice(0, 2), ["renew-lease", "advert 100"]);
  assert.equal(waitOf(segment, router), 1000);
  assert.equal(router.state, "MASTER");
});

test("6.4.3: a higher priority makes a backup of it, with the interval it announces", () => {
  const { segment, router } = master();
  segment.tell(router, instance({ priority: 101, advertIntervalMs: 200 }));
  assert.equal(router.state, "BACKUP");
  assert.equal(waitOf(segment, router), 600 + (156 * 200) / 256);
  assert.deepEqual([...router.holds], []);
});

test("6.4.3: of equal priorities the higher primary address wins, compared as numbers", () => {
  const { segment, router } = master();
  segment.tell(router, instance(), "192.0.1.255");
  assert.equal(router.state, "MASTER", "192.0.1.255 is lower than 192.0.2.1");
  segment.tell(router, instance(), "192.0.2.10");
  assert.equal(router.state, "BACKUP", "192.0.2.10 is higher than 192.0.2.1");
});

test("6.4.3: three equal routers end with one master, the highest address", () => {
  const segment = new Segment();
  for (const name of ["A", "B", "C"]) segment.add(name, node([instance()]));
  segment.advance(10_000);
  assert.deepEqual(segment.masters(), ["C"]);
  assert.equal(segment.nodes.filter((n) => n.state === "MASTER").length, 1);
});

test("6.4.3: a lower advert is discarded and answered with an advert at once", () => {
  const { segment, router } = master();
  segment.advance(400);
  const actions = segment.tell(router, instance({ priority: 99 }));
  assert.deepEqual(orders(actions).slice(0, 2), ["renew-lease", "advert 100"]);
  assert.equal(router.state, "MASTER");
});

test("RFC 5798 6.4.3: a lower advert is discarded in silence (vrrp_strict)", () => {
  const { segment, router } = alone(strict());
  segment.until(() => router.state === "MASTER");
  segment.advance(400);
  const actions = segment.tell(router, instance({ priority: 99 }));
  assert.deepEqual(
    orders(actions).filter((o) => o.startsWith("advert")),
    [],
  );
  assert.equal(waitOf(segment, router), 600);
});

test("6.4.3 and 6.4.2: at the end an Active router sends priority 0, a backup nothing", () => {
  const { segment, router } = master();
  const stopped = segment.input(router, { type: "stop-requested", reason: "end" });
  // Deviation from keepalived, not from the RFC: the addresses go before the advert that makes
  // others take them.
  assert.deepEqual(orders(stopped), ["release-addresses", "advert 0"]);
  assert.equal(router.state, "STOPPED");
  assert.equal(router.router.deadline, Infinity);
  const backup = alone();
  backup.segment.tell(backup.router, instance({ priority: 200 }));
  const nothing = backup.segment.input(backup.router, { type: "stop-requested", reason: "end" });
  assert.deepEqual(orders(nothing), []);
});

test("after its end a router only answers with nothing", () => {
  const { segment, router } = master();
  segment.input(router, { type: "stop-requested", reason: "end" });
  assert.deepEqual(segment.tell(router, instance({ priority: 1 })), []);
  segment.link(router, false);
  segment.link(router, true);
  const handover = { type: "handover-requested", instance: "V1", reason: "late" } as const;
  assert.deepEqual(segment.input(router, handover), []);
  segment.advance(60_000);
  assert.equal(router.state, "STOPPED");
  assert.equal(router.status().counters.advertsSent, 2);
});

test("6.1: the owner preempts also with preempt off", () => {
  const { segment, router } = alone(instance({ priority: 255, preempt: false }));
  segment.link(router, false);
  segment.link(router, true);
  assert.equal(router.state, "BACKUP");
  segment.tell(router, instance({ priority: 254 }));
  segment.advance(1000 / 256);
  assert.equal(router.state, "MASTER");
});

test("6.4.2: preempt is a better one's right, not an equal one's", () => {
  const { segment, router } = alone();
  for (let i = 0; i < 20; i++) {
    segment.tell(router, instance(), "192.0.2.0");
    segment.advance(1000);
  }
  assert.equal(router.state, "BACKUP");
});

test("8.4.1: a router that speaks both sends version 3 and version 2, at the same rate", () => {
  const both = instance({
    alsoVersion2: true,
    authentication: { kind: "pass", password: "secret" },
  });
  const { segment, router } = alone(both);
  segment.until(() => router.state === "MASTER");
  segment.advance(2000);
  const sent = router.did("send-datagram");
  const kinds = sent.map(({ payload, length }) => `${payload[0]! >> 4} of ${length} bytes`);
  assert.ok(kinds.every((kind, i) => kind === (i % 2 === 0 ? "3 of 12 bytes" : "2 of 20 bytes")));
  const [, two] = sent;
  assert.equal(String.fromCharCode(...two!.payload.subarray(12, 18)), "secret");
});

test("8.4.1: it elects with routers of either version, and they with it", () => {
  const password = { kind: "pass", password: "secret" } as const;
  for (const other of [
    instance({ version: 2, priority: 200, authentication: password }),
    instance({ version: 3, priority: 200 }),
  ]) {
    const segment = new Segment();
    const both = instance({ alsoVersion2: true, authentication: password });
    const router = segment.add("A", node([both]));
    segment.until(() => router.state === "MASTER");
    const better = segment.add("B", node([other]));
    segment.until(() => better.state === "MASTER");
    segment.advance(20_000);
    assert.equal(router.state, "BACKUP");
    const rejected = Object.values(router.router.status(0).rejected);
    assert.ok(rejected.every((count) => count === 0));
  }
});

test("8.4.1: version 2 from a router that sends version 3 too is ignored, and missed when alone", () => {
  const both = { alsoVersion2: true };
  const segment = new Segment();
  const router = segment.add("A", node([instance(both)]));
  const better = segment.add("B", node([instance({ ...both, priority: 200 })]));
  segment.until(() => better.state === "MASTER");
  const before = router.status().counters.advertsReceived;
  segment.advance(5000);
  assert.equal(router.status().counters.advertsReceived - before, 5);
});

test("8.4: adverts of the other version are not believed where one is spoken", () => {
  for (const version of [2, 3] as const) {
    const { segment, router } = alone(instance({ version }));
    segment.tell(router, instance({ version: version === 2 ? 3 : 2, priority: 200 }));
    assert.equal(router.router.status(0).rejected["wrong-version"], 1);
    assert.equal(router.status().counters.advertsReceived, 0);
  }
});

test("5.2.3: one VRID of IPv4 and IPv6 are two routers that know nothing of each other", () => {
  const segment = new Segment();
  const six = instance({ name: "V6", family: "ipv6", priority: 150 });
  const router = segment.add("A", node([instance({ name: "V4" }), six]));
  segment.inject(router, advertOf(instance({ priority: 200 }), STRANGER, 200));
  segment.until(() => router.status("V6").state === "MASTER");
  segment.inject(router, advertOf(instance({ priority: 200 }), STRANGER, 200));
  assert.equal(router.status("V4").state, "BACKUP");
  assert.equal(router.status("V6").counters.advertsReceived, 0);
});

test("5.2.3: a VRID belongs to the interface that it came in on", () => {
  const segment = new Segment();
  const router = segment.add("A", { ...pairOfInstances(), groups: [] });
  segment.inject(router, {
    ...advertOf(pairOfInstances().instances[1]!, STRANGER, 200),
    interface: "eth1",
  });
  assert.equal(router.status("V1").counters.advertsReceived, 0);
  assert.equal(router.status("V2").counters.advertsReceived, 1);
});

test("an interval learned from a slow master is not kept when we are master ourselves", () => {
  const { segment, router } = alone(instance({ advertIntervalMs: 100 }));
  segment.tell(router, instance({ priority: 200, advertIntervalMs: 4000 }));
  assert.ok(waitOf(segment, router) > 12_000);
  segment.until(() => router.state === "MASTER");
  assert.equal(waitOf(segment, router), 100);
  assert.equal(router.status().masterDownIntervalMs, 300 + (156 * 100) / 256);
  assert.equal(segment.wallMs, EPOCH_MS + segment.now);
});
