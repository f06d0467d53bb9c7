import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SERVICE, SETTINGS } from "../../../test/kit/ledger-year.ts";
import { Prng } from "../../lib/prng.ts";
import { parseCompactTime } from "./civil-time.ts";
import type { LedgerRecord } from "./evidence.ts";
import type { Incident } from "./incident.ts";
import { Ledger, type LedgerAlert } from "./ledger.ts";

const START = parseCompactTime("20261121T130000Z")!;
const LATER = START + 86_400_000;

type Line = readonly [atS: number, kind: string, subject: string, data?: Record<string, unknown>];

function record([atS, kind, subject, data]: Line): LedgerRecord {
  const source = kind.startsWith("incident-") || kind.startsWith("maint") ? "operator" : "balance";
  const base = { node: "a", wallMs: START + atS * 1000, source, kind, subject };
  return { ...base, reason: `${kind} ${subject}`, ...(data === undefined ? {} : { data }) };
}

/** `buckets`: which 10 s bucket after the start, and how many of 100 failed. */
function fed(lines: readonly Line[], buckets: Readonly<Record<number, number>> = {}): Ledger {
  const ledger = new Ledger(SETTINGS);
  for (const line of lines) ledger.record(record(line));
  for (const [index, bad] of Object.entries(buckets)) {
    const fromMs = START + Number(index) * 10_000;
    const counts = { good: 100 - bad, bad, slow: 0 };
    ledger.measured({ service: "web", vantage: "balancer", fromMs, lengthMs: 10_000, ...counts });
  }
  return ledger;
}

function incidentsAt(ledger: Ledger, nowMs = LATER): readonly Incident[] {
  ledger.step(nowMs);
  return ledger.incidents;
}

function only(list: readonly Incident[]): Incident {
  assert.equal(list.length, 1, JSON.stringify(list, undefined, 1));
  return list[0]!;
}

const at = (atS: number): number => START + atS * 1000;

test("a server dies, is taken out, and comes back an hour later: recovered by itself", () => {
  const lines: Line[] = [
    [4, "server-down", "web/web1"],
    [3600, "server-up", "web/web1"],
  ];
  const incident = only(incidentsAt(fed(lines, { 0: 40, 1: 10 })));
  assert.equal(incident.id, "web-20261121T130000Z");
  assert.equal(incident.startMs, at(0));
  assert.equal(incident.detectedMs, at(4));
  assert.equal(incident.detectedBy, "server-down web/web1");
  assert.equal(incident.switchedMs, at(4));
  assert.equal(incident.restoredMs, at(20));
  assert.equal(incident.repairedMs, at(3600));
  assert.equal(incident.closedMs, at(3600));
  assert.equal(incident.recovery, "by itself");
  assert.equal(incident.layer, "server");
  assert.deepEqual(
    incident.segments.map(({ severity, class: of, toMs }) => [severity, of, (toMs - START) / 1000]),
    [
      ["wide", "A", 10],
      ["partial", "B", 20],
      ["at-risk", "C", 3600],
    ],
  );
  // 6 s of A after the detection and 10 s of B; 10 s and 10 s from the start.
  assert.equal(incident.score.toFixed(3), ((6 * 20 + 10 * 5) / 60).toFixed(3));
  assert.equal(incident.scoreFromStart.toFixed(3), ((10 * 20 + 10 * 5) / 60).toFixed(3));
});

test("users who get nothing until the broken part is back were not saved by a switch", () => {
  const lines: Line[] = [
    [4, "server-down", "web/web1"],
    [58, "server-up", "web/web1"],
  ];
  const buckets = { 0: 100, 1: 100, 2: 100, 3: 100, 4: 100, 5: 100 };
  const incident = only(incidentsAt(fed(lines, buckets)));
  assert.equal(incident.recovery, "by repair");
  assert.equal(incident.class, "accident");
});

test("of two dead servers one came back first: that was a repair, though the other is still out", () => {
  const lines: Line[] = [
    [2, "server-down", "web/web1"],
    [3, "server-down", "web/web2"],
    [38, "server-up", "web/web1"],
    [90, "server-up", "web/web2"],
  ];
  const incident = only(incidentsAt(fed(lines, { 0: 95, 1: 100, 2: 100, 3: 95 })));
  assert.equal(incident.recovery, "by repair");
});

test("an order of the operator before the end is what saved the service", () => {
  const lines: Line[] = [
    [4, "server-down", "web/web1"],
    [30, "handover-asked", "VI_1"],
    [900, "server-up", "web/web1"],
  ];
  const incident = only(incidentsAt(fed(lines, { 0: 100, 1: 100, 2: 100, 3: 100 })));
  assert.equal(incident.recovery, "by people");
});

test("a fault that nobody felt is kept, with a score of nothing", () => {
  const lines: Line[] = [
    [4, "server-down", "web/web1"],
    [3600, "server-up", "web/web1"],
  ];
  const incident = only(incidentsAt(fed(lines)));
  assert.equal(incident.recovery, "harmless");
  assert.equal(incident.severity, "at-risk");
  assert.equal(incident.score, 0);
  assert.equal(incident.dismissed, undefined);
});

test("a part that is away for a moment is a false start, and so are two failed requests", () => {
  const lines: Line[] = [
    [4, "server-down", "web/web1"],
    [6, "server-up", "web/web1"],
  ];
  assert.match(only(incidentsAt(fed(lines))).dismissed ?? "", /false start: over after 2000 ms/);
  const quiet = new Ledger(SETTINGS);
  const counts = { good: 1, bad: 2, slow: 0 };
  const bucket = { service: "web", vantage: "probe:home", fromMs: START, lengthMs: 10_000 };
  quiet.measured({ ...bucket, ...counts });
  assert.match(only(incidentsAt(quiet)).dismissed ?? "", /false start: 2 failed in all/);
});

test("harm within the merge time is one incident, after it another one", () => {
  assert.equal(incidentsAt(fed([], { 0: 50, 30: 50 })).length, 1);
  assert.equal(incidentsAt(fed([], { 0: 50, 32: 50 })).length, 2);
});

test("planned time is cut out; what is still broken afterwards begins there", () => {
  const lines: Line[] = [
    [0, "maintenance-started", "web", { id: "m1" }],
    [5, "server-down", "web/web1"],
    [100, "maintenance-ended", "web", { id: "m1" }],
    [700, "server-up", "web/web1"],
  ];
  const incident = only(incidentsAt(fed(lines, { 1: 100, 2: 100 })));
  assert.equal(incident.startMs, at(100));
  assert.equal(incident.harmMs, 0);
  assert.equal(fed(lines).planned("web")[0]!.toMs, at(100));
});

test("people give it a class, owners and notes, by the id it had before late evidence", () => {
  const lines: Line[] = [
    [200, "incident-annotated", "web", { id: "web-20261121T130010Z", who: "ann" }],
    [300, "incident-class-changed", "web", { id: "web-20261121T130010Z", class: "B", who: "bob" }],
    [
      400,
      "incident-owners-changed",
      "web",
      { id: "web-20261121T130010Z", who: "bob", owners: [{ name: "db", share: 100 }] },
    ],
  ];
  const ledger = fed(lines, { 1: 100 });
  assert.equal(only(incidentsAt(ledger)).id, "web-20261121T130010Z");
  const late = { good: 0, bad: 10, slow: 0, fromMs: START, lengthMs: 10_000 };
  ledger.measured({ service: "web", vantage: "probe:home", ...late });
  const incident = only(incidentsAt(ledger));
  assert.equal(incident.id, "web-20261121T130000Z");
  assert.equal(incident.class, "B");
  assert.equal(incident.classBy, "bob");
  assert.equal(incident.scoreFromStart.toFixed(6), ((20 * 5) / 60).toFixed(6));
  assert.deepEqual(incident.owners, [{ name: "db", share: 100 }]);
  assert.deepEqual(
    incident.annotations.map(({ who }) => who),
    ["ann"],
  );
});

test("owners whose shares do not add up to 100 % are not taken", () => {
  const data = { id: "web-20261121T130010Z", who: "x", owners: [{ name: "db", share: 90 }] };
  const incident = only(
    incidentsAt(fed([[400, "incident-owners-changed", "web", data]], { 1: 99 })),
  );
  assert.deepEqual(incident.owners, SERVICE.owners);
});

test("an incident stays open while a part is missing, until people settle it", () => {
  const ledger = fed([[4, "server-down", "web/web1"]], { 0: 50 });
  const open = only(incidentsAt(ledger));
  assert.equal(open.state, "restored");
  assert.equal(open.repairedMs, undefined);
  ledger.record(record([5000, "incident-settled", "web", { id: open.id, who: "ann" }]));
  const closed = only(incidentsAt(ledger));
  assert.equal(closed.state, "closed");
  assert.equal(closed.repairedMs, at(5000));
});

test("what there is of one service is what there is of all, without the others", () => {
  const second = { ...SERVICE, name: "shop", frontends: ["shop"], pools: ["shop"], instances: [] };
  const ledger = new Ledger({ ...SETTINGS, services: [SERVICE, second] });
  for (const pool of ["web", "shop", "web"]) {
    ledger.record(record([4, "server-down", `${pool}/a`]));
    ledger.record(record([3600, "server-up", `${pool}/a`]));
  }
  const all = incidentsAt(ledger);
  assert.deepEqual(
    ["web", "shop", "none"].map((name) => ledger.of(name).incidents),
    ["web", "shop", "none"].map((name) => all.filter(({ service }) => service === name)),
  );
  assert.deepEqual([all.length, ledger.of("none").burns], [2, []]);
});

test("a master that fails and a backup that takes over: an address incident with its switch", () => {
  const ledger = new Ledger(SETTINGS);
  const vrrp = (atS: number, kind: string, data: Record<string, unknown>): void => {
    ledger.record({ ...record([atS, kind, "VI_1", data]), source: "vrrp" });
  };
  vrrp(3.6, "peer-lost", { peer: "10.0.0.1" });
  vrrp(3.61, "state-changed", { from: "BACKUP", to: "MASTER" });
  vrrp(100, "peer-appeared", { peer: "10.0.0.1" });
  const counts = { good: 0, bad: 10, slow: 0, fromMs: START, lengthMs: 10_000 };
  const seen = { firstBadMs: START + 200, lastBadMs: START + 3700 };
  ledger.measured({ service: "web", vantage: "probe:home", ...counts, ...seen });
  const incident = only(incidentsAt(ledger));
  assert.equal(incident.layer, "address");
  assert.equal(incident.startMs, at(0.2));
  assert.equal(incident.detectedMs, at(3.6));
  assert.equal(incident.switchedMs, at(3.61));
  assert.equal(incident.rtoMs, 3500);
  assert.equal(incident.recovery, "by itself");
});

test("without a probe, a silent master's address counts as out from its last advert on", () => {
  const ledger = new Ledger(SETTINGS);
  const data = { from: "BACKUP", to: "MASTER", cause: "silent", silentMs: 3609, peer: "10.0.0.1" };
  const vrrp = (atS: number, kind: string, more: Record<string, unknown>): void =>
    ledger.record({ ...record([atS, kind, "VI_1", more]), source: "vrrp" });
  vrrp(3.609, "peer-lost", { peer: "10.0.0.1" });
  vrrp(3.609, "state-changed", data);
  vrrp(60, "peer-appeared", { peer: "10.0.0.1" });
  const incident = only(incidentsAt(ledger));
  assert.equal(incident.startMs, START);
  assert.equal(incident.detectedMs - incident.startMs, 3609);
  assert.equal(incident.rtoMs, 3609);
  assert.equal(incident.class, "accident");
  assert.equal(incident.recovery, "by itself");
  assert.equal(incident.score, 0);
  assert.equal(incident.scoreFromStart.toFixed(3), ((3.609 * 100) / 60).toFixed(3));
});

const stages = (alerts: readonly LedgerAlert[]): string[] =>
  alerts.flatMap((one) => (one.kind === "incident" ? [one.news.stage] : []));

test("for any evidence in any order: the same incidents, and no harm is lost or counted twice", () => {
  const buckets = fc.uniqueArray(fc.nat(120), { maxLength: 12 });
  const parts = fc.array(
    fc.tuple(fc.nat(1200), fc.constantFrom("server-down", "server-up"), fc.nat(2)),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(buckets, parts, fc.nat(), (bad, changes, seed) => {
      const feeds = [
        ...bad.map((index) => (to: Ledger): void => {
          const fromMs = START + index * 10_000;
          const counts = { good: 50, bad: 50, slow: 0 };
          const where = { service: "web", vantage: "balancer", fromMs, lengthMs: 10_000 };
          to.measured({ ...where, ...counts });
        }),
        ...changes.map(([atS, kind, n]) => (to: Ledger): void => {
          to.record(record([atS, kind, `web/web${n}`]));
        }),
      ];
      const one = new Ledger(SETTINGS);
      for (const feed of feeds) feed(one);
      const other = new Ledger(SETTINGS);
      const random = new Prng(seed);
      const mixed = feeds.map((feed) => ({ feed, at: random.uint32() }));
      for (const { feed } of mixed.sort((a, b) => a.at - b.at)) feed(other);
      const incidents = incidentsAt(one);
      assert.deepEqual(incidentsAt(other), incidents);
      const harm = incidents.reduce((sum, { harmMs }) => sum + harmMs, 0);
      assert.equal(harm, bad.length * 10_000);
      for (const [i, { startMs, score, scoreFromStart }] of incidents.entries()) {
        assert.ok(score <= scoreFromStart);
        assert.ok(i === 0 || startMs > incidents[i - 1]!.startMs);
      }
    }),
  );
});

test("each stage is told once, and a restart with the same evidence tells nothing again", () => {
  const lines: Line[] = [[4, "server-down", "web/web1"]];
  const ledger = fed(lines, { 0: 50 });
  const told = ledger.step(at(12));
  assert.deepEqual(stages(told), ["opened", "switched"]);
  assert.deepEqual(stages(ledger.step(at(13))), []);
  const later = ledger.step(at(40));
  assert.deepEqual(stages(later), ["restored"]);
  const again = fed(lines, { 0: 50 });
  for (const alert of [...told, ...later]) {
    if (alert.kind !== "incident") continue;
    const { stage, incident } = alert.news;
    const data = { id: incident.id, startMs: incident.startMs };
    again.record({ ...record([50, `incident-${stage}`, "web", data]), source: "ledger" });
  }
  assert.deepEqual(stages(again.step(at(60))), []);
  again.record(record([70, "server-up", "web/web1"]));
  assert.deepEqual(stages(again.step(at(1000))), ["closed"]);
});

test("a server that was out is not missing for ever when its node starts afresh without it", () => {
  const lines: Line[] = [
    [4, "server-ejected", "web/web1"],
    [5, "server-down", "web/web2"],
    [60, "started", "", { fresh: true }],
  ];
  assert.equal(only(incidentsAt(fed(lines, {}))).repairedMs, at(60));
  // Workers that lived on still know of it.
  const adopted = fed([...lines.slice(0, 2), [60, "started", ""]], {});
  assert.equal(only(incidentsAt(adopted)).repairedMs, undefined);
});

test("an incident soon after another is told, too, where such are not one", () => {
  const ledger = new Ledger({ ...SETTINGS, mergeMs: 10_000 });
  outageAt(ledger, 0);
  assert.deepEqual(stages(ledger.step(at(30))), ["opened", "restored", "closed"]);
  outageAt(ledger, 40);
  assert.deepEqual(stages(ledger.step(at(70))), ["opened", "restored", "closed"]);
});

test("a process that begins anew has no fault and no rival of the one before it", () => {
  const ledger = new Ledger(SETTINGS);
  const vrrp = (atS: number, kind: string, data: Record<string, unknown> = {}): void =>
    ledger.record({ ...record([atS, kind, "VI_1", data]), source: "vrrp" });
  vrrp(0, "state-changed", { from: "MASTER", to: "FAULT" });
  vrrp(1, "split-brain-found");
  // It was ended, the cable was put back, and it was started again.
  vrrp(60, "state-changed", { from: "INIT", to: "BACKUP" });
  ledger.step(at(1000));
  const incident = only(ledger.incidents);
  assert.equal(incident.state, "closed");
  assert.equal(incident.repairedMs, at(60));
});

test("what a drill breaks is the drill's and no failure", () => {
  const ledger = new Ledger(SETTINGS);
  for (const [atS, kind] of [
    [1, "drill-started"],
    [90, "drill-finished"],
  ] as const) {
    const data = { run: "r1" };
    ledger.record({ ...record([atS, kind, "kill-server", data]), source: "drill" });
  }
  const counts = { good: 0, bad: 100, slow: 0, fromMs: START, lengthMs: 10_000 };
  ledger.measured({ service: "web", vantage: "balancer", ...counts });
  assert.equal(only(incidentsAt(ledger)).drill, "kill-server");
});

/** Harm from that second on, 10 s long. */
function outageAt(ledger: Ledger, atS: number): void {
  const counts = { good: 0, bad: 100, slow: 0, fromMs: START + atS * 1000, lengthMs: 10_000 };
  ledger.measured({ service: "web", vantage: "balancer", ...counts });
}

test("what a drill of another node breaks is no failure here either", () => {
  const ledger = new Ledger(SETTINGS);
  for (const [atS, kind] of [
    [1, "drill-near-started"],
    [90, "drill-near-finished"],
  ] as const) {
    const data = { id: "r1", on: "lb2" };
    ledger.record({ ...record([atS, kind, "kill-all", data]), source: "drill" });
  }
  outageAt(ledger, 0);
  assert.equal(only(incidentsAt(ledger)).drill, "kill-all");
});

test("a drill whose conductor died excuses nothing that comes long after its guard has mended it", () => {
  const ledger = new Ledger(SETTINGS);
  for (const [atS, kind] of [
    [1, "drill-started"],
    [20, "drill-undone"],
  ] as const) {
    ledger.record({ ...record([atS, kind, "mute", { id: "r1" }]), source: "drill" });
  }
  outageAt(ledger, 3000);
  assert.equal(only(incidentsAt(ledger)).drill, undefined);
});

test("a drill of which nothing more was heard is over some time", () => {
  const ledger = new Ledger(SETTINGS);
  ledger.record({ ...record([1, "drill-started", "mute", { id: "r1" }]), source: "drill" });
  outageAt(ledger, 3 * 3600);
  assert.equal(only(incidentsAt(ledger)).drill, undefined);
});
