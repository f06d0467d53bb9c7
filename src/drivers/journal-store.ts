/** The journal's records in SQLite: written in batches, pruned from the old end, found by any of their sides. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JournalRecord, RecordSource } from "../core/journal/record.ts";
import {
  agedUpTo,
  type AgedRecord,
  type JournalBounds,
  type Present,
} from "../core/journal/retention.ts";
import { inTransaction, migrate } from "./journal-database.ts";

/** Names that come again and again are kept once; the rest of a record stands in it. */
const STEPS = [
  `CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
   CREATE TABLE fact (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
   CREATE TABLE record (
     seq INTEGER PRIMARY KEY,
     wall INTEGER NOT NULL,
     mono REAL NOT NULL,
     node INTEGER NOT NULL,
     boot INTEGER NOT NULL,
     source INTEGER NOT NULL,
     level INTEGER NOT NULL,
     kind INTEGER NOT NULL,
     subject INTEGER NOT NULL,
     reason TEXT NOT NULL,
     data TEXT,
     seen TEXT
   );
   CREATE INDEX record_wall ON record (wall);
   CREATE INDEX record_subject ON record (subject, wall);
   CREATE INDEX record_kind ON record (kind, wall);`,
];

export const LEVELS = ["info", "warning", "error"] as const;
/** Names known without asking the file. */
const MAX_WORDS = 10_000;
/** Records that one pruning takes: some 10 ms. */
const PRUNE_ROWS = 2_000;
const FREE_PAGES = 2_000;

/** How far control's events are in the journal. */
export interface EventPlace {
  readonly life: string;
  readonly seq: number;
}

/** Rows of other tables in the file, which has one bound of size. */
export interface OldRows {
  /** Unix ms of the oldest; undefined: there are none. */
  readonly oldestMs: number | undefined;
  /** Takes a bounded number of the oldest away. How many went. */
  forgetOldest(): number;
}

function eldest(others: readonly OldRows[]): { rows: OldRows; ms: number } | undefined {
  const known = others.map((rows) => ({ rows, ms: rows.oldestMs ?? Infinity }));
  return known.sort((a, b) => a.ms - b.ms)[0];
}

export class JournalStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #setFact: StatementSync;
  readonly #findWord: StatementSync;
  readonly #addWord: StatementSync;
  readonly #words = new Map<string, number>();

  constructor(database: DatabaseSync) {
    migrate(database, "journal", STEPS);
    this.#database = database;
    this.#insert = database.prepare(
      "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#setFact = database.prepare("INSERT OR REPLACE INTO fact VALUES (?, ?)");
    this.#findWord = database.prepare("SELECT id FROM word WHERE text = ?");
    this.#addWord = database.prepare("INSERT INTO word (text) VALUES (?)");
  }

  /** 0: nothing was ever written. */
  get lastSeq(): number {
    return Number(this.#fact("last_seq") ?? 0);
  }

  /** How far control's events were written. */
  get place(): EventPlace | undefined {
    const life = this.#fact("control_life");
    return typeof life === "string" ? { life, seq: this.#count("control_seq") } : undefined;
  }

  /** Records that had to go at a bound, ever. */
  get pruned(): number {
    return this.#count("pruned");
  }

  /** All or none; throws when the disk does not take them. */
  append(records: readonly JournalRecord[], place: EventPlace | undefined): void {
    const last = records.at(-1);
    if (last === undefined) return;
    try {
      inTransaction(this.#database, () => {
        for (const record of records) this.#add(record);
        this.#setFact.run("last_seq", last.seq);
        if (place === undefined) return;
        this.#setFact.run("control_life", place.life);
        this.#setFact.run("control_seq", place.seq);
      });
    } catch (error) {
      // Words of this batch may not be in the file.
      this.#words.clear();
      throw error;
    }
  }

  /** Numbers go on above `seq`: an earlier file had them. */
  startAfter(seq: number): void {
    if (seq > this.lastSeq) this.#setFact.run("last_seq", seq);
  }

  /**
   * Takes a bounded number of the oldest away where a bound is passed. How many went. In a file that is too
   * large the oldest goes, whatever it is: records alone could not make room for what others wrote.
   */
  prune(bounds: JournalBounds, now: Present, others: readonly OldRows[] = []): number {
    const elder = eldest(others);
    if (this.#bytes > bounds.maxBytes && elder !== undefined && elder.ms < this.#firstMs) {
      const gone = elder.rows.forgetOldest();
      this.#shrink();
      return gone;
    }
    const upTo = this.#prunable(bounds, now, elder?.ms ?? Infinity);
    if (upTo === undefined) return 0;
    const gone = inTransaction(this.#database, () => {
      const result = this.#database.prepare("DELETE FROM record WHERE seq <= ?").run(upTo);
      const changes = Number(result.changes);
      this.#setFact.run("pruned", this.pruned + changes);
      return changes;
    });
    this.#shrink();
    return gone;
  }

  #shrink(): void {
    this.#database.exec(`PRAGMA incremental_vacuum(${FREE_PAGES})`);
  }

  get #firstMs(): number {
    const row = this.#database.prepare("SELECT wall FROM record ORDER BY seq LIMIT 1").get();
    return Number(row?.["wall"] ?? Infinity);
  }

  close(): void {
    this.#database.close();
  }

  /** `untilMs`: what is younger does not go for its size. */
  #prunable(bounds: JournalBounds, now: Present, untilMs: number): number | undefined {
    const first = this.#database.prepare("SELECT min(seq) AS seq FROM record").get()?.["seq"];
    if (typeof first !== "number") return undefined;
    // Numbers are dense but for gaps: an upper estimate of the count, and cheap.
    const last = first + PRUNE_ROWS - 1;
    const surplus = this.lastSeq - first + 1 - bounds.maxRows;
    const forRows = surplus > 0 ? Math.min(first + surplus - 1, last) : 0;
    const forBytes = this.#bytes > bounds.maxBytes ? Math.max(first, this.#lastUpTo(untilMs)) : 0;
    const upTo = Math.max(forRows, forBytes, agedUpTo(this.#oldest(), now, bounds.maxAgeMs) ?? 0);
    return upTo === 0 ? undefined : upTo;
  }

  #lastUpTo(untilMs: number): number {
    const row = this.#database
      .prepare(
        `SELECT max(seq) AS seq FROM (SELECT seq, wall FROM record ORDER BY seq LIMIT ${PRUNE_ROWS})
         WHERE wall <= ?`,
      )
      .get(untilMs);
    return Number(row?.["seq"] ?? 0);
  }

  /** Read only as far as somebody wants them: mostly not even the first is too old. */
  *#oldest(): Generator<AgedRecord> {
    const rows = this.#database
      .prepare(
        `SELECT seq, wall, mono, word.text AS boot FROM record JOIN word ON word.id = boot
         ORDER BY seq LIMIT ${PRUNE_ROWS}`,
      )
      .iterate();
    for (const { seq, wall, mono, boot } of rows) {
      yield {
        seq: Number(seq),
        wallMs: Number(wall),
        monoMs: Number(mono),
        boot: String(boot),
      };
    }
  }

  /** Of the file, without what is free in it. */
  get #bytes(): number {
    const pages = this.#pragma("page_count") - this.#pragma("freelist_count");
    return pages * this.#pragma("page_size");
  }

  #pragma(name: string): number {
    const row = this.#database.prepare(`PRAGMA ${name}`).get();
    return Number(Object.values(row ?? {})[0] ?? 0);
  }

  #add(record: JournalRecord): void {
    const { seq, wallMs, monoMs, node, boot, source, level, kind, subject, reason } = record;
    this.#insert.run(
      seq,
      Math.round(wallMs),
      monoMs,
      this.#word(node),
      this.#word(boot),
      this.#word(source),
      LEVELS.indexOf(level),
      this.#word(kind),
      this.#word(subject),
      reason,
      record.data === undefined ? null : JSON.stringify(record.data),
      record.seen === undefined ? null : JSON.stringify(record.seen),
    );
  }

  #word(text: string): number {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    const row = this.#findWord.get(text);
    const id = Number(row?.["id"] ?? this.#addWord.run(text).lastInsertRowid);
    if (this.#words.size >= MAX_WORDS) this.#words.clear();
    this.#words.set(text, id);
    return id;
  }

  #count(name: string): number {
    return Number(this.#fact(name) ?? 0);
  }

  #fact(name: string): unknown {
    return this.#database.prepare("SELECT value FROM fact WHERE name = ?").get(name)?.["value"];
  }
}

/** What is wanted of a journal; each part narrows it. */
export interface RecordQuery {
  readonly afterSeq?: number;
  readonly beforeSeq?: number;
  /** Unix ms, the first inclusive, the second not. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** With a time: what comes after this record in the order of times. */
  readonly afterRecord?: { readonly wallMs: number; readonly seq: number };
  /** `pool/*`: everything below it. */
  readonly subject?: string;
  readonly kind?: string;
  readonly node?: string;
  /** This one and worse. */
  readonly level?: JournalRecord["level"];
  /** At most that many. */
  readonly limit: number;
  /** True: the newest ones; they come oldest first all the same. */
  readonly newest?: boolean;
}

export class JournalReader {
  readonly #database: DatabaseSync;

  /** The tables must be there: a writer makes them. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** 0: there is none. */
  get lastSeq(): number {
    return Number(this.#database.prepare("SELECT max(seq) AS seq FROM record").get()?.["seq"] ?? 0);
  }

  /** In the order of their numbers. */
  find(query: RecordQuery): JournalRecord[] {
    const { where, values } = conditions(query);
    // By time where a time is asked for: then an index gives that order.
    const isTimed = query.sinceMs !== undefined || query.untilMs !== undefined;
    const direction = query.newest === true ? "DESC" : "ASC";
    const order = isTimed ? `wall ${direction}, seq ${direction}` : `seq ${direction}`;
    const rows = this.#database
      .prepare(
        `SELECT seq, wall, mono, n.text AS node, b.text AS boot, s.text AS source, level,
                k.text AS kind, o.text AS subject, reason, data, seen
         FROM (SELECT * FROM record ${where} ORDER BY ${order} LIMIT ?) AS r
         JOIN word n ON n.id = r.node JOIN word b ON b.id = r.boot JOIN word s ON s.id = r.source
         JOIN word k ON k.id = r.kind JOIN word o ON o.id = r.subject`,
      )
      .all(...values, query.limit);
    return rows.map(recordOf).sort((a, b) => a.seq - b.seq);
  }

  /** Of which kinds, subjects or nodes there is anything. */
  known(side: "kind" | "subject" | "node"): string[] {
    const rows = this.#database
      .prepare(
        `SELECT text FROM word WHERE EXISTS (SELECT 1 FROM record WHERE ${side} = word.id)
         ORDER BY text`,
      )
      .all();
    return rows.map(({ text }) => String(text));
  }

  close(): void {
    this.#database.close();
  }
}

function conditions(query: RecordQuery): { where: string; values: (string | number)[] } {
  const terms: string[] = [];
  const values: (string | number)[] = [];
  const add = (term: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    terms.push(term);
    values.push(value);
  };
  const word = "(SELECT id FROM word WHERE text = ?)";
  add("seq > ?", query.afterSeq);
  add("seq < ?", query.beforeSeq);
  add("wall >= ?", query.sinceMs);
  add("wall < ?", query.untilMs);
  const { afterRecord: last } = query;
  if (last !== undefined) {
    terms.push("wall >= ? AND (wall > ? OR seq > ?)");
    values.push(last.wallMs, last.wallMs, last.seq);
  }
  const { subject } = query;
  if (subject?.endsWith("/*") === true) {
    // `/` is followed by `0`: the pool, and everything that begins with `pool/`.
    const pool = subject.slice(0, -2);
    terms.push("subject IN (SELECT id FROM word WHERE text = ? OR text >= ? AND text < ?)");
    values.push(pool, `${pool}/`, `${pool}0`);
  } else add(`subject = ${word}`, subject);
  add(`kind = ${word}`, query.kind);
  add(`node = ${word}`, query.node);
  add("level >= ?", query.level === undefined ? undefined : LEVELS.indexOf(query.level));
  return { where: terms.length === 0 ? "" : `WHERE ${terms.join(" AND ")}`, values };
}

function recordOf(row: Record<string, unknown>): JournalRecord {
  const { data, seen } = row;
  return {
    node: String(row["node"]),
    seq: Number(row["seq"]),
    wallMs: Number(row["wall"]),
    monoMs: Number(row["mono"]),
    boot: String(row["boot"]),
    source: String(row["source"]) as RecordSource,
    level: LEVELS[Number(row["level"])] ?? "info",
    kind: String(row["kind"]),
    subject: String(row["subject"]),
    reason: String(row["reason"]),
    ...(typeof data === "string" ? { data: JSON.parse(data) as Record<string, unknown> } : {}),
    ...(typeof seen === "string" ? { seen: JSON.parse(seen) as Record<string, number> } : {}),
  };
}
