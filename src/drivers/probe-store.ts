/**
 * A prober's own record, in a file of its own: buckets and outages, and which of them a node has. Works
 * without any node, and survives the prober.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { ProbeBucket, ProbeOutage } from "../core/probe/report.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS bucket (
    target TEXT NOT NULL, run TEXT NOT NULL, from_ms INTEGER NOT NULL, body TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (target, run, from_ms)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS bucket_waiting ON bucket (from_ms) WHERE delivered = 0;
  CREATE INDEX IF NOT EXISTS bucket_age ON bucket (from_ms);
  CREATE TABLE IF NOT EXISTS outage (
    target TEXT NOT NULL, run TEXT NOT NULL, from_ms INTEGER NOT NULL, body TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (target, run, from_ms)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS outage_waiting ON outage (from_ms) WHERE delivered = 0;
  CREATE INDEX IF NOT EXISTS outage_age ON outage (from_ms);
`;

const DAY_MS = 86_400_000;
/** Delivered or not: older buckets go. Outages stay ten times as long. */
const KEPT_MS = 40 * DAY_MS;
/** Rows of a table that one pruning takes: a few ms, and in a minute more than a prober measures. */
const PRUNE_ROWS = 1_000;
const BUSY_MS = 2000;
/** A key of a row that a report carried. */
type Table = "bucket" | "outage";

export interface Waiting {
  readonly target: string;
  readonly run: string;
  readonly buckets: readonly ProbeBucket[];
  readonly outages: readonly ProbeOutage[];
}

export interface StoredOutage extends ProbeOutage {
  readonly target: string;
}

export class ProbeStore {
  readonly #database: DatabaseSync;
  readonly #put: Readonly<Record<Table, StatementSync>>;
  readonly #mark: Readonly<Record<Table, StatementSync>>;

  /** `:memory:` keeps nothing. Throws when the file cannot be used. */
  constructor(path: string) {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    database.exec(SCHEMA);
    this.#database = database;
    const put = (table: Table): StatementSync =>
      database.prepare(`INSERT INTO ${table} (target, run, from_ms, body) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET body = excluded.body, delivered = 0 WHERE body != excluded.body`);
    // What changed while it was on its way (an outage that ended) waits again.
    const mark = (table: Table): StatementSync =>
      database.prepare(
        `UPDATE ${table} SET delivered = 1 WHERE target = ? AND run = ? AND from_ms = ? AND body = ?`,
      );
    this.#put = { bucket: put("bucket"), outage: put("outage") };
    this.#mark = { bucket: mark("bucket"), outage: mark("outage") };
  }

  addBucket(target: string, run: string, bucket: ProbeBucket): void {
    this.#put.bucket.run(target, run, bucket.fromMs, JSON.stringify(bucket));
  }

  /** The same outage again (by its start) takes the place of what was known. */
  addOutage(target: string, run: string, outage: ProbeOutage): void {
    this.#put.outage.run(target, run, outage.fromMs, JSON.stringify(outage));
  }

  /** The oldest that no node has, of one target and life; undefined: everything was delivered. */
  waiting(mostBuckets: number, mostOutages: number): Waiting | undefined {
    const first = this.#database
      .prepare(
        `SELECT target, run FROM (
           SELECT target, run, from_ms FROM bucket WHERE delivered = 0 UNION ALL
           SELECT target, run, from_ms FROM outage WHERE delivered = 0)
         ORDER BY from_ms LIMIT 1`,
      )
      .get();
    if (first === undefined) return undefined;
    const target = String(first["target"]);
    const run = String(first["run"]);
    // Few wait: by its key it would go through all that was delivered of the target.
    const bodies = (table: Table, most: number): unknown[] =>
      this.#database
        .prepare(
          `SELECT body FROM ${table} INDEXED BY ${table}_waiting WHERE delivered = 0 AND target = ? AND run = ?
           ORDER BY from_ms LIMIT ?`,
        )
        .all(target, run, most)
        .map(({ body }) => JSON.parse(String(body)) as unknown);
    return {
      target,
      run,
      buckets: bodies("bucket", mostBuckets) as ProbeBucket[],
      outages: bodies("outage", mostOutages) as ProbeOutage[],
    };
  }

  delivered({ target, run, buckets, outages }: Waiting): void {
    for (const bucket of buckets) {
      this.#mark.bucket.run(target, run, bucket.fromMs, JSON.stringify(bucket));
    }
    for (const outage of outages) {
      this.#mark.outage.run(target, run, outage.fromMs, JSON.stringify(outage));
    }
  }

  /** Buckets that no node has. */
  get undelivered(): number {
    const row = this.#database
      .prepare("SELECT count(*) AS n FROM bucket WHERE delivered = 0")
      .get();
    return Number(row?.["n"] ?? 0);
  }

  /** Of this and earlier lives, oldest first. */
  outages(sinceMs: number): StoredOutage[] {
    return this.#database
      .prepare("SELECT target, body FROM outage WHERE from_ms >= ? ORDER BY from_ms LIMIT 10000")
      .all(sinceMs)
      .map(({ target, body }) => ({
        target: String(target),
        ...(JSON.parse(String(body)) as ProbeOutage),
      }));
  }

  /** A bounded number of each: called often, by who measures at the same time. */
  prune(nowMs: number): void {
    this.#forget("bucket", nowMs - KEPT_MS);
    this.#forget("outage", nowMs - 10 * KEPT_MS);
  }

  #forget(table: Table, beforeMs: number): void {
    this.#database
      .prepare(
        `DELETE FROM ${table} WHERE (target, run, from_ms) IN
           (SELECT target, run, from_ms FROM ${table} WHERE from_ms < ? ORDER BY from_ms LIMIT ${PRUNE_ROWS})`,
      )
      .run(beforeMs);
  }

  close(): void {
    this.#database.close();
  }
}
