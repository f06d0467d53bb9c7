import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeJournals } from "./merge.ts";
import type { JournalRecord } from "./record.ts";

const record = (node: string, seq: number, kind: string, wallMs: number): JournalRecord => ({
  node,
  seq,
  kind,
  wallMs,
  monoMs: wallMs,
  boot: node,
  source: "drill",
  level: "info",
  subject: "mute",
  reason: kind,
  data: { id: "20260101-abc" },
});

test("a drill on another node begins after it was asked for and ends before the answer", () => {
  // The clock of the node that is broken is an hour behind.
  const told = [
    record("a", 1, "drill-asked", 5_000_000),
    record("a", 2, "drill-answered", 5_009_000),
    record("b", 1, "drill-started", 1_401_000),
    record("b", 2, "drill-finished", 1_408_000),
  ];
  for (const reference of ["a", "b"]) {
    const story = mergeJournals(told, { reference }).map(({ record: { kind } }) => kind);
    const order = ["drill-asked", "drill-started", "drill-finished", "drill-answered"];
    assert.deepEqual(story, order, reference);
  }
});

test("a refusal, too, comes between question and answer; other drills are nobody's effect", () => {
  const story = mergeJournals([
    record("b", 1, "drill-refused", 1000),
    { ...record("b", 2, "drill-started", 1001), data: { id: "another" } },
    record("a", 1, "drill-asked", 7000),
    record("a", 2, "drill-answered", 7001),
  ]);
  assert.deepEqual(
    story.map(({ record: { node, seq } }) => `${node}${seq}`),
    ["a1", "b1", "b2", "a2"],
  );
});
