/** Which buckets and outages of probers a node has: what comes again is known. In the journal's file. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ProbeOutage, ProbeReport } from "../core/probe/report.ts";
import { inTransaction, migrate } from "./journal-database.ts";

const STEPS = [
  `CREATE TABLE probe_bucket (
     probe TEXT NOT NULL, target TEXT NOT NULL, run TEXT NOT NULL, start INTEGER NOT NULL,
     PRIMARY KEY (probe, target, run, start)
   ) WITHOUT ROWID;
   CREATE INDEX probe_bucket_start ON probe_bucket (start);
   CREATE TABLE probe_outage (
     probe TEXT NOT NULL, target TEXT NOT NULL, run TEXT NOT NULL, start INTEGER NOT NULL,
     service TEXT NOT NULL, ended INTEGER, body TEXT NOT NULL,
     PRIMARY KEY (probe, target, run, start)
   ) WITHOUT ROWID;
   CREATE INDEX probe_outage_start ON probe_outage (start);`,
];

/** Longer than a prober keeps a bucket: nothing older can come again. */
const KEPT_MS = 60 * 86_400_000;
/** Outages, of all probers, go after the measurements that they explain. */
const OUTAGES_KEPT_MS = 400 * 86_400_000;
/** Rows of a table that one pruning takes: some 10 ms. */
const PRUNE_ROWS = 2_000;

export interface KnownOutage extends ProbeOutage {
  readonly probe: string;
  readonly target: string;
  readonly service: string;
}

type Key = Pick<ProbeReport, "probe" | "target" | "run">;

export class ProbeIntakeStore {
  readonly #database: DatabaseSync;
  readonly #known: StatementSync;
  readonly #note: StatementSync;
  readonly #outage: StatementSync;
  readonly #putOutage: StatementSync;

  constructor(database: DatabaseSync) {
    migrate(database, "probe", STEPS);
    this.#database = database;
    this.#known = database.prepare(
      "SELECT 1 FROM probe_bucket WHERE probe = ? AND target = ? AND run = ? AND start = ?",
    );
    this.#note = database.prepare("INSERT OR IGNORE INTO probe_bucket VALUES (?, ?, ?, ?)");
    this.#outage = database.prepare(
      "SELECT ended FROM probe_outage WHERE probe = ? AND target = ? AND run = ? AND start = ?",
    );
    this.#putOutage = database.prepare(
      "INSERT OR REPLACE INTO probe_outage VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
  }

  hasBucket({ probe, target, run }: Key, fromMs: number): boolean {
    return this.#known.get(probe, target, run, fromMs) !== undefined;
  }

  /** All or none. */
  noteBuckets({ probe, target, run }: Key, starts: readonly number[]): void {
    inTransaction(this.#database, () => {
      for (const fromMs of starts) this.#note.run(probe, target, run, fromMs);
    });
  }

  /** `new`: never heard of; `going-on`: its end is not known; `ended`. */
  outageState({ probe, target, run }: Key, fromMs: number): "new" | "going-on" | "ended" {
    const row = this.#outage.get(probe, target, run, fromMs);
    if (row === undefined) return "new";
    return row["ended"] === null ? "going-on" : "ended";
  }

  /** `startMs`: its key, by the prober's clock; `outage` by the node's. */
  noteOutage(
    key: Key,
    startMs: number,
    { service, ...outage }: Omit<KnownOutage, keyof Key>,
  ): void {
    const { probe, target, run } = key;
    const body = JSON.stringify(outage);
    this.#putOutage.run(probe, target, run, startMs, service, outage.toMs ?? null, body);
  }

  /** Of a service, or of all; oldest first. */
  outages(fromMs: number, toMs: number, service?: string): KnownOutage[] {
    const where = service === undefined ? "" : "AND service = ?";
    return this.#database
      .prepare(
        `SELECT probe, target, service, body FROM probe_outage
         WHERE start >= ? AND start < ? ${where} ORDER BY start LIMIT 10000`,
      )
      .all(fromMs, toMs, ...(service === undefined ? [] : [service]))
      .map((row) => ({
        ...(JSON.parse(String(row["body"])) as ProbeOutage),
        probe: String(row["probe"]),
        target: String(row["target"]),
        service: String(row["service"]),
      }));
  }

  /** A bounded number of each. True when there may be more. */
  prune(nowMs: number): boolean {
    const buckets = this.#forget("probe_bucket", nowMs - KEPT_MS);
    const outages = this.#forget("probe_outage", nowMs - OUTAGES_KEPT_MS);
    return buckets || outages;
  }

  #forget(table: "probe_bucket" | "probe_outage", beforeMs: number): boolean {
    const key = "probe, target, run, start";
    const { changes } = this.#database
      .prepare(
        `DELETE FROM ${table} WHERE (${key}) IN
           (SELECT ${key} FROM ${table} WHERE start < ? ORDER BY start LIMIT ${PRUNE_ROWS})`,
      )
      .run(beforeMs);
    return changes === PRUNE_ROWS;
  }
}
