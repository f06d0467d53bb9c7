import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measurement } from "../core/journal/measurement.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import { claimJournal, openJournal, openJournalToRead } from "./journal-database.ts";
import { JournalReader, JournalStore } from "./journal-store.ts";
import { MeasureStore } from "./measure-store.ts";
import { ServerMeasureStore } from "./server-measure-store.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-journal-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (): string => join(folder, `j${++files}.db`);
const NOW = { wallMs: 1_800_000_000_000, monoMs: 1e9, boot: "boot" };

function record(seq: number, more: Partial<JournalRecord> = {}): JournalRecord {
  return {
    node: "a",
    seq,
    wallMs: NOW.wallMs + seq,
    monoMs: seq + 0.25,
    boot: "boot",
    source: "control",
    level: "info",
    kind: "note",
    subject: "",
    reason: `reason ${seq}`,
    ...more,
  };
}

test("what was written comes back as it was, also after the file was closed", () => {
  const path = fresh();
  const { database } = openJournal(path, 0);
  const store = new JournalStore(database);
  const records = [
    record(1, { data: { from: "BACKUP", to: "MASTER" }, subject: "VI_1" }),
    record(2, { seen: { b: 7 }, level: "error", source: "vrrp" }),
  ];
  store.append(records, { life: "x", seq: 9 });
  store.close();
  const reader = new JournalReader(openJournalToRead(path));
  assert.deepEqual(reader.find({ limit: 10 }), records);
  reader.close();
  const again = new JournalStore(openJournal(path, 0).database);
  assert.equal(again.lastSeq, 2);
  assert.deepEqual(again.place, { life: "x", seq: 9 });
  again.close();
});

test("the files of a journal are for their owner only, also those of an earlier version", () => {
  const path = fresh();
  writeFileSync(path, "", { mode: 0o644 });
  const lock = claimJournal(path);
  const store = new JournalStore(openJournal(path, 0).database);
  store.append([record(1)], { life: "x", seq: 1 });
  const files_ = readdirSync(folder).filter((name) => join(folder, name).startsWith(path));
  assert.ok(files_.length >= 3, files_.join(" "));
  for (const name of files_) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  }
  store.close();
  lock?.close();
});

test("records are found by number, time, subject, kind, level and node", () => {
  const { database } = openJournal(fresh(), 0);
  const store = new JournalStore(database);
  const all = Array.from({ length: 100 }, (_, i) =>
    record(i + 1, {
      subject: i % 2 === 0 ? "web/a" : "web/b",
      kind: i % 10 === 0 ? "server-down" : "note",
      level: i % 10 === 0 ? "warning" : "info",
      node: i < 50 ? "a" : "b",
    }),
  );
  store.append(all, undefined);
  const reader = new JournalReader(database);
  const seqs = (query: Parameters<JournalReader["find"]>[0]): number[] =>
    reader.find(query).map(({ seq }) => seq);
  assert.deepEqual(seqs({ limit: 2 }), [1, 2]);
  assert.deepEqual(seqs({ limit: 2, newest: true }), [99, 100]);
  assert.deepEqual(seqs({ limit: 9, afterSeq: 10, beforeSeq: 13 }), [11, 12]);
  const from = NOW.wallMs + 20;
  assert.deepEqual(
    seqs({ limit: 9, sinceMs: from, untilMs: from + 4, subject: "web/a" }),
    [21, 23],
  );
  assert.deepEqual(seqs({ limit: 3, kind: "server-down" }), [1, 11, 21]);
  assert.deepEqual(seqs({ limit: 3, level: "warning", node: "b" }), [51, 61, 71]);
  assert.deepEqual(seqs({ limit: 3, subject: "nobody" }), []);
  assert.deepEqual(seqs({ limit: 3, subject: "web/*" }), [1, 2, 3]);
  assert.deepEqual(seqs({ limit: 3, subject: "we/*" }), []);
  store.close();
});

test("a batch is written as a whole or not at all", () => {
  const { database } = openJournal(fresh(), 0);
  const store = new JournalStore(database);
  store.append([record(1)], undefined);
  assert.throws(() => store.append([record(2, { kind: "new-word" }), record(1)], undefined));
  assert.equal(store.lastSeq, 1);
  store.append([record(2, { kind: "new-word" })], undefined);
  assert.equal(new JournalReader(database).find({ limit: 9 }).at(-1)?.kind, "new-word");
  store.close();
});

test("a broken file is set aside, and a new one begun", () => {
  const path = fresh();
  writeFileSync(path, "this is no database, and never was one".repeat(100));
  const { database, setAside } = openJournal(path, 1234);
  assert.match(setAside?.path ?? "", /\.corrupt-1234$/);
  new JournalStore(database).append([record(1)], undefined);
  database.close();
  assert.ok(readdirSync(folder).some((name) => name.endsWith(".corrupt-1234")));
});

test("at the bound of rows the oldest go, and are counted", () => {
  const { database } = openJournal(fresh(), 0);
  const store = new JournalStore(database);
  store.append(
    Array.from({ length: 500 }, (_, i) => record(i + 1)),
    undefined,
  );
  assert.equal(store.prune({ ...DEFAULT_BOUNDS, maxRows: 300 }, NOW), 200);
  assert.equal(store.prune({ ...DEFAULT_BOUNDS, maxRows: 300 }, NOW), 0);
  assert.equal(store.pruned, 200);
  assert.equal(new JournalReader(database).find({ limit: 1 })[0]?.seq, 201);
  store.close();
});

test("at the bound of bytes the file stops growing", () => {
  const { database } = openJournal(fresh(), 0);
  const store = new JournalStore(database);
  const bounds = { ...DEFAULT_BOUNDS, maxBytes: 1_000_000 };
  let seq = 0;
  for (let round = 0; round < 40; round++) {
    const batch = Array.from({ length: 500 }, () => record(++seq, { reason: "x".repeat(200) }));
    store.append(batch, undefined);
    while (store.prune(bounds, NOW) > 0);
  }
  const pages = Object.values(database.prepare("PRAGMA page_count").get() ?? {})[0];
  assert.ok(Number(pages) * 4096 < 2_000_000, `${Number(pages)} pages`);
  assert.equal(store.lastSeq, 20_000);
  store.close();
});

test("in a file that measurements made too large the oldest goes, whatever it is", () => {
  const { database } = openJournal(fresh(), 0);
  const store = new JournalStore(database);
  const measures = new MeasureStore(database);
  const servers = new ServerMeasureStore(database);
  const common = { vantage: "balancer", good: 1, bad: 0, latency: [[3, 1]] as const };
  const atMs = (i: number): number => NOW.wallMs + i * 60_000;
  for (let i = 0; i < 9_000; i += 3_000) {
    const times = Array.from({ length: 3_000 }, (_, k) => atMs(i + k));
    const spans = (subject: string, lengthMs: number): Measurement[] =>
      times.map((fromMs) => ({ ...common, subject, fromMs, lengthMs }));
    measures.add([...spans("frontend web", 10_000), ...spans("frontend web", 60_000)]);
    servers.add([...spans("server web/a", 60_000), ...spans("server web/a", 3_600_000)]);
  }
  const records = Array.from({ length: 90 }, (_, i) => record(i + 1, { wallMs: atMs(i * 100) }));
  store.append(records, undefined);
  const bounds = { ...DEFAULT_BOUNDS, maxBytes: 1_500_000 };
  while (store.prune(bounds, NOW, [measures, servers]) > 0);
  const pages = Object.values(database.prepare("PRAGMA page_count").get() ?? {})[0];
  assert.ok(Number(pages) * 4096 < 2_000_000, `${Number(pages)} pages`);
  const [first] = new JournalReader(database).find({ limit: 1 });
  assert.ok(first !== undefined && first.seq > 1 && first.seq < 90, "neither all nor none");
  const around = 2 * 1_000 * 60_000 + 100 * 60_000;
  for (const { oldestMs } of [measures, servers]) {
    assert.ok(Math.abs(oldestMs! - first.wallMs) <= around, "they reach back equally far");
  }
  store.close();
});

test("two processes never write one journal", () => {
  const path = fresh();
  const first = claimJournal(path);
  assert.ok(first !== undefined);
  assert.equal(claimJournal(path), undefined);
  first.close();
  const second = claimJournal(path);
  assert.ok(second !== undefined);
  second.close();
});
