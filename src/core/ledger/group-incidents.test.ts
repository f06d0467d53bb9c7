import assert from "node:assert/strict";
import { test } from "node:test";
import { byOurClock, groupIncidents, type ToldIncident } from "./group-incidents.ts";

const NOW = 1_000_000;

function told(node: string, startMs: number, more: Partial<ToldIncident> = {}): ToldIncident {
  return {
    node,
    id: `web-${startMs}`,
    service: "web",
    layer: "unknown",
    cause: `${node} saw it`,
    parts: [],
    state: "closed",
    startMs,
    detectedMs: startMs + 10,
    detectedBy: node,
    recovery: "by itself",
    segments: [],
    severity: "down",
    class: "B",
    classBy: "rule",
    harmMs: 100,
    rtoMs: 100,
    goodRequests: 0,
    badRequests: 1,
    score: 1,
    scoreFromStart: 1,
    owners: [],
    annotations: [],
    ...more,
  };
}

const names = (all: readonly ToldIncident[]): string[] =>
  groupIncidents(all, NOW).map(({ vantages }) =>
    vantages.map(({ node, startMs }) => `${node}${startMs}`).join("+"),
  );

test("the same outage as two nodes saw it is one, with both of them", () => {
  const a = told("a", 100, { closedMs: 500, restoredMs: 300, score: 2, annotations: [note(9)] });
  const b = told("b", 90, { closedMs: 700, restoredMs: 600, class: "A", score: 5, harmMs: 300 });
  const [one, ...rest] = groupIncidents([a, b], NOW);
  assert.equal(rest.length, 0);
  assert.deepEqual([one?.id, one?.node, one?.startMs, one?.cause], ["web-90", "b", 90, "b saw it"]);
  assert.deepEqual([one?.class, one?.score, one?.harmMs], ["A", 5, 300]);
  assert.deepEqual([one?.restoredMs, one?.closedMs, one?.detectedMs], [600, 700, 100]);
  assert.deepEqual(
    one?.vantages.map(({ node, id, harmMs }) => [node, id, harmMs]),
    [
      ["b", "web-90", 300],
      ["a", "web-100", 100],
    ],
  );
  assert.deepEqual(one?.annotations, [note(9)]);
});

function note(atMs: number): { atMs: number; who: string; text: string } {
  return { atMs, who: "ops", text: "x" };
}

test("what does not overlap, is of another service or is dismissed stays apart", () => {
  assert.deepEqual(names([told("a", 0, { closedMs: 10 }), told("b", 11, { closedMs: 20 })]), [
    "a0",
    "b11",
  ]);
  assert.deepEqual(
    names([told("a", 0, { closedMs: 10 }), told("b", 5, { service: "shop", closedMs: 20 })]),
    ["a0", "b5"],
  );
  const dismissed = { closedMs: 10, dismissed: "a false start" };
  assert.deepEqual(names([told("a", 0, dismissed), told("b", 5, { closedMs: 10 })]), ["a0", "b5"]);
});

test("two incidents that one node keeps apart stay two", () => {
  const long = told("b", 50, { closedMs: 300 });
  const two = [told("a", 0, { closedMs: 100 }), told("a", 200, { closedMs: 250 })];
  assert.deepEqual(names([...two, long]), ["a0+b50", "a200"]);
});

test("it is open while anybody whose word is fresh says so; a silent node's word has its age", () => {
  const over = told("a", 0, { closedMs: 100 });
  const [open] = groupIncidents([over, told("b", 50, { state: "open" })], NOW);
  assert.deepEqual([open?.state, open?.closedMs], ["open", undefined]);
  const silent = told("b", 50, { state: "open", ageMs: NOW - 60 });
  const [closed] = groupIncidents([over, silent], NOW);
  assert.deepEqual([closed?.state, closed?.closedMs, closed?.ageMs], ["closed", 100, undefined]);
  assert.equal(closed?.vantages[1]?.ageMs, NOW - 60);
  const [alone] = groupIncidents([silent], NOW);
  assert.deepEqual([alone?.state, alone?.ageMs], ["open", NOW - 60]);
  // Heard last at 60: what began later is not known to be the same.
  assert.deepEqual(names([silent, told("a", 70, { closedMs: 90 })]), ["b50", "a70"]);
});

test("another node's moments are told by our clock", () => {
  const segments = [{ fromMs: 5, toMs: 7, severity: "down", class: "B" }] as const;
  const moved = byOurClock(
    told("b", 1000, { closedMs: 2000, segments, annotations: [note(9)] }),
    5,
  );
  assert.deepEqual([moved.startMs, moved.closedMs, moved.detectedMs], [995, 1995, 1005]);
  assert.deepEqual([moved.segments[0]?.fromMs, moved.annotations[0]?.atMs], [0, 4]);
  assert.equal(moved.switchedMs, undefined);
});
