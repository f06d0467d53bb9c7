/** Ten million records, asked by subject and time as a page and an operator ask. */

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalRecord } from "../src/core/journal/record.ts";
import { openJournal, openJournalToRead } from "../src/drivers/journal-database.ts";
import { JournalReader, JournalStore, type RecordQuery } from "../src/drivers/journal-store.ts";
import { Prng } from "../src/lib/prng.ts";

const BATCH = 10_000;
const SUBJECTS = 1_000;
const EVERY_MS = 3_000;
const END_MS = 1_800_000_000_000;
const ASKED = 50;
const LIMIT_MS = 200;
const KINDS = ["server-up", "server-down", "server-ejected", "state-changed", "note"];
const DAY_MS = 86_400_000;

export async function queryBench(rows: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nines-bench-"));
  const path = join(folder, "journal.db");
  try {
    console.log(
      `\nquery: ${rows} records of ${SUBJECTS} subjects over ${Math.round((rows * EVERY_MS) / DAY_MS)} days`,
    );
    const seconds = fill(path, rows);
    const size = statSync(path).size / 2 ** 20;
    const speed = Math.round(rows / seconds);
    console.log(
      `  filled in ${seconds.toFixed(0)} s (${speed} a second), ${size.toFixed(0)} MiB, ${Math.round((size * 2 ** 20) / rows)} B each`,
    );
    // A fresh process' cache: what an operator's command starts with.
    const reader = new JournalReader(openJournalToRead(path));
    const random = new Prng(11);
    const span = rows * EVERY_MS;
    const questions: Readonly<Record<string, () => RecordQuery>> = {
      "a subject, an hour": () => timed(random, span, 3_600_000),
      "a subject, a day": () => timed(random, span, DAY_MS),
      "a subject, 30 days, first 500": () => ({ ...timed(random, span, 30 * DAY_MS), limit: 500 }),
      "a subject, the newest 200": () => ({
        subject: subjectOf(random),
        limit: 200,
        newest: true,
        untilMs: END_MS,
      }),
      "a subject, 200 before a moment": () => ({
        ...timed(random, span, span),
        limit: 200,
        newest: true,
      }),
      "all, an hour": () => ofAll(timed(random, span, 3_600_000)),
      "a kind, an hour": () => ({
        ...ofAll(timed(random, span, 3_600_000)),
        kind: "server-down",
      }),
    };
    for (const [name, ask] of Object.entries(questions)) measure(reader, name, ask);
    reader.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measure(reader: JournalReader, name: string, ask: () => RecordQuery): void {
  const times: number[] = [];
  let found = 0;
  for (let i = 0; i < ASKED; i++) {
    const { subject, ...rest } = ask();
    const query = subject === undefined ? rest : { subject, ...rest };
    const from = performance.now();
    found += reader.find(query).length;
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const [middle, worst] = [times[ASKED >> 1]!, times.at(-1)!];
  const each = Math.round(found / ASKED);
  console.log(
    `  ${name.padEnd(32)} ${middle.toFixed(1)} ms, worst of ${ASKED}: ${worst.toFixed(1)} ms (${each} found)`,
  );
  if (worst > LIMIT_MS) process.exitCode = 1;
}

function timed(random: Prng, spanMs: number, lengthMs: number): RecordQuery {
  const untilMs = END_MS - random.fraction() * (spanMs - Math.min(lengthMs, spanMs));
  return {
    subject: subjectOf(random),
    sinceMs: Math.round(untilMs - lengthMs),
    untilMs: Math.round(untilMs),
    limit: 10_000,
  };
}

function ofAll({ subject: _subject, ...query }: RecordQuery): RecordQuery {
  return query;
}

function subjectOf(random: Prng): string {
  return `web/server-${Math.floor(random.fraction() * SUBJECTS)}`;
}

/** Seconds. The disk is not waited for: what is measured is asking. */
function fill(path: string, rows: number): number {
  const from = performance.now();
  const { database } = openJournal(path, 0);
  // Filled as quickly as may be: asking is what counts, and has the small cache that everybody has.
  database.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -524288");
  const store = new JournalStore(database);
  const random = new Prng(7);
  const firstMs = END_MS - rows * EVERY_MS;
  for (let seq = 1; seq <= rows;) {
    const batch: JournalRecord[] = [];
    while (batch.length < BATCH && seq <= rows) batch.push(record(seq++, firstMs, random));
    store.append(batch, undefined);
  }
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  store.close();
  return (performance.now() - from) / 1000;
}

function record(seq: number, firstMs: number, random: Prng): JournalRecord {
  const kind = KINDS[Math.floor(random.fraction() * KINDS.length)]!;
  const subject = subjectOf(random);
  return {
    node: "node-1",
    seq,
    wallMs: firstMs + seq * EVERY_MS,
    monoMs: seq * EVERY_MS + 0.125,
    boot: "c0ffee00-0000-4000-8000-000000000000",
    source: "balance",
    level: kind === "server-down" ? "warning" : "info",
    kind,
    subject,
    reason: `check failed: connection refused, 3 of 3 (${subject})`,
    data: { from: "up", to: "down" },
  };
}
