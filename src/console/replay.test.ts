import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalRecord } from "../core/journal/record.ts";
import type { StateAt } from "./api.ts";
import { fixture } from "./fixture.ts";
import { stateAt } from "./replay.ts";

const NOW = fixture("one-server-left");

function record(
  node: string,
  wallMs: number,
  rest: Pick<JournalRecord, "kind" | "subject"> & { readonly to?: string },
): JournalRecord {
  const { to, ...base } = rest;
  return {
    ...base,
    node,
    wallMs,
    seq: wallMs,
    monoMs: wallMs,
    boot: "b",
    source: "vrrp",
    level: "info",
    reason: `${rest.kind} ${to ?? ""}`,
    ...(to === undefined ? {} : { data: { to } }),
  };
}

const JOURNAL: readonly JournalRecord[] = [
  record("lb1", 10, { kind: "state-changed", subject: "VI_1", to: "BACKUP" }),
  record("lb1", 20, { kind: "server-up", subject: "web/web1" }),
  record("lb1", 21, { kind: "server-up", subject: "web/web2" }),
  record("lb1", 22, { kind: "verdict-changed", subject: "", to: "up" }),
  record("lb1", 30, { kind: "server-down", subject: "web/web2" }),
  record("lb1", 31, { kind: "server-weight", subject: "web/web2" }),
  record("lb1", 40, { kind: "state-changed", subject: "VI_1", to: "MASTER" }),
  record("lb1", 41, { kind: "verdict-changed", subject: "", to: "degraded" }),
];
const OTHERS: readonly JournalRecord[] = [
  record("lb2", 9, { kind: "state-changed", subject: "VI_1", to: "MASTER" }),
  record("lb2", 39, { kind: "state-changed", subject: "VI_1", to: "FAULT" }),
];

function at(atMs: number): Omit<StateAt, "records"> {
  return stateAt(NOW, {
    atMs,
    silence: () => undefined,
    others: OTHERS.filter((one) => one.wallMs <= atMs).toReversed(),
    of: (subject, limit) =>
      JOURNAL.filter((one) => one.subject === subject && one.wallMs <= atMs)
        .toReversed()
        .slice(0, limit),
  });
}

function stateOf({ topology }: Pick<StateAt, "topology">, id: string): string | undefined {
  return topology.nodes.find((node) => node.id === id)?.state;
}

test("before the journal begins everything is unknown, and nothing is invented", () => {
  const then = at(5);
  assert.equal(then.verdict.state, "unknown");
  assert.equal(then.holders[0]?.holder, undefined);
  for (const { layer, state } of then.topology.nodes) {
    if (layer !== "client") assert.equal(state, "UNKNOWN");
  }
});

test("the past is what the records before that moment say, whoever was the holder", () => {
  const early = at(25);
  assert.deepEqual([early.holders[0]?.holder, early.holders[0]?.standbys], ["lb2", ["lb1"]]);
  assert.equal(early.verdict.state, "up");
  assert.deepEqual(
    ["server web/web1", "server web/web2", "server web/web3", "pool web", "director lb1"].map(
      (id) => stateOf(early, id),
    ),
    ["UP", "UP", "UNKNOWN", "UP", "STANDBY"],
  );
  const late = at(100);
  assert.deepEqual([late.holders[0]?.holder, late.holders[0]?.standbys], ["lb1", []]);
  assert.equal(late.verdict.state, "degraded");
  assert.deepEqual(
    ["server web/web2", "pool web", "address VI_1", "director lb1", "director lb2"].map((id) =>
      stateOf(late, id),
    ),
    ["DOWN", "DEGRADED", "UP", "UP", "DOWN"],
  );
});

test("a node that fell silent is unknown, whatever it was before, and no rival of who took over", () => {
  const wasMaster = [record("lb2", 39, { kind: "state-changed", subject: "VI_1", to: "MASTER" })];
  const then = stateAt(NOW, {
    atMs: 100,
    others: wasMaster,
    of: (subject) => JOURNAL.filter((one) => one.subject === subject).toReversed(),
    silence: () => ({ lastMs: 39, reason: "it does not answer" }),
  });
  assert.equal(stateOf(then, "director lb2"), "UNKNOWN");
  assert.deepEqual([then.holders[0]?.holder, then.holders[0]?.rivals], ["lb1", []]);
  assert.equal(stateOf(then, "address VI_1"), "UP");
});

test("a server in maintenance whose last request is done is in maintenance", () => {
  const kept = [
    record("lb1", 10, { kind: "server-maint", subject: "web/web1" }),
    record("lb1", 11, { kind: "server-drained", subject: "web/web1" }),
  ];
  const of = (subject: string): readonly JournalRecord[] =>
    kept.filter((one) => one.subject === subject).toReversed();
  const then = stateAt(NOW, { atMs: 100, others: [], of, silence: () => undefined });
  assert.equal(stateOf(then, "server web/web1"), "MAINTENANCE");
});

test("what says nothing of a state does not hide what does", () => {
  assert.equal(stateOf(at(35), "server web/web2"), "DOWN");
});
