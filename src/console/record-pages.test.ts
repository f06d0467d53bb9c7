import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalRecord } from "../core/journal/record.ts";
import type { RecordQuery } from "../drivers/journal-store.ts";
import { latest, placed, recordPage } from "./record-pages.ts";

function record(node: string, seq: number, wallMs: number, subject = "VI_1"): JournalRecord {
  const rest = { source: "vrrp", level: "info", kind: "state-changed", reason: "r" } as const;
  return { node, seq, wallMs, monoMs: wallMs, boot: "b", subject, ...rest };
}

const OWN = [10, 20, 30, 40, 50].map((ms, i) => record("a", i + 1, ms));

function find({ beforeSeq = Infinity, limit, subject }: RecordQuery): readonly JournalRecord[] {
  return OWN.filter((one) => one.seq < beforeSeq && (subject ?? one.subject) === one.subject).slice(
    -limit,
  );
}

test("pages hold every record of every node exactly once, newest first", () => {
  const others = [5, 25, 26, 45, 60].map((ms, i) => placed(record("b", i + 1, ms + 1000), ms));
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < 10; i++) {
    const search = { limit: 2, ...(cursor === undefined ? {} : { cursor }) };
    const { records, next } = recordPage(search, find, others);
    seen.push(...records.map(({ node, seq }) => `${node}${seq}`));
    cursor = next;
    if (next === undefined) break;
  }
  assert.deepEqual(seen, ["b5", "a5", "b4", "a4", "a3", "b3", "b2", "a2", "a1", "b1"]);
});

test("what was asked for holds for other nodes' records, too", () => {
  const others = [placed(record("b", 1, 5, "web"), 5), placed(record("b", 2, 45), 45)];
  const ask = (search: object): readonly string[] =>
    recordPage({ limit: 9, ...search }, find, others).records.map(
      ({ node, seq }) => `${node}${seq}`,
    );
  assert.deepEqual(ask({ subject: "web" }), ["b1"]);
  assert.deepEqual(ask({ since: 44, until: 46 }).includes("b2"), true);
  assert.deepEqual(ask({ kind: "other" }).includes("b2"), false);
});

test("what the page shows has no clocks of machines in it", () => {
  const [view] = latest([{ record: record("a", 1, 10), atMs: 10 }]);
  assert.deepEqual(Object.keys(view ?? {}).toSorted(), [
    "kind",
    "level",
    "node",
    "reason",
    "seq",
    "source",
    "subject",
    "wallMs",
  ]);
});
