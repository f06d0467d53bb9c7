/**
 * What the ledger keeps beside records and measurements - its settings, so that a report can be made
 * of a dead node's file - and what it asks of both. Incidents are not kept: they follow from evidence.
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  BAD_SHARE,
  LEAST_DARK_MS,
  type LedgerSettings,
  SLOW_SHARE,
} from "../core/ledger/settings.ts";
import type { Measurement } from "../core/journal/measurement.ts";
import type { LedgerRecord } from "../core/ledger/evidence.ts";
import { migrate } from "./journal-database.ts";
import { measurementOf } from "./measure-store.ts";

const STEPS = [
  "CREATE TABLE ledger_fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
];

export interface SpanQuery {
  readonly subjects: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Only spans that hurt somebody: a year of them is a few. */
  readonly harmOnly?: boolean;
  /** Times of answers are most of what is to be read. */
  readonly withLatency: boolean;
}

export function keepSettings(database: DatabaseSync, settings: LedgerSettings, node: string): void {
  migrate(database, "ledger", STEPS);
  const put = database.prepare("INSERT OR REPLACE INTO ledger_fact VALUES (?, ?)");
  put.run("settings", JSON.stringify(settings));
  put.run("node", node);
}

/** What was in force last; undefined: no ledger was ever kept here. */
export function keptSettings(
  database: DatabaseSync,
): { readonly settings: LedgerSettings; readonly node: string } | undefined {
  if (!hasTable(database, "ledger_fact")) return undefined;
  const fact = (name: string): string => {
    const row = database.prepare("SELECT value FROM ledger_fact WHERE name = ?").get(name);
    return String(row?.["value"] ?? "");
  };
  const text = fact("settings");
  if (text === "") return undefined;
  return { settings: JSON.parse(text) as LedgerSettings, node: fact("node") };
}

/** At least that many come at once, and all that begin at one moment: a year of them is more than memory has. */
const SPANS_AT_ONCE = 2_000;

/** Oldest first. */
export function* readSpans(database: DatabaseSync, query: SpanQuery): Generator<Measurement[]> {
  const { subjects, fromMs, toMs, harmOnly = false, withLatency } = query;
  if (subjects.length === 0 || !hasTable(database, "measurement")) return;
  const names = subjects.map(() => "?").join(", ");
  // A service may have several frontends: all of them are wanted where one is bad.
  const harm = harmOnly
    ? `AND (vantage, start, length) IN
         (SELECT vantage, start, length FROM measurement
          WHERE subject IN (${names}) AND start >= ? AND start < ?
          AND (coalesce(dark, 0) >= ${LEAST_DARK_MS} OR bad > 0 AND bad >= ${BAD_SHARE} * (good + bad)
               OR slow > 0 AND slow >= ${SLOW_SHARE} * (good + bad)))`
    : "";
  const once: SQLInputValue[] = [...subjects, fromMs, toMs];
  const values = harmOnly ? [...once, ...once] : once;
  const rows = database
    .prepare(
      `SELECT subject, vantage, start, length, good, bad, slow, first_bad, last_bad, dark,
              ${withLatency ? "latency" : "NULL AS latency"}
       FROM measurement WHERE subject IN (${names}) AND start >= ? AND start < ? ${harm}
       ORDER BY start`,
    )
    .iterate(...values);
  let some: Measurement[] = [];
  for (const row of rows) {
    const one = measurementOf(row);
    if (some.length >= SPANS_AT_ONCE && some.at(-1)!.fromMs !== one.fromMs) {
      yield some;
      some = [];
    }
    some.push(one);
  }
  yield some;
}

/** Of these kinds, oldest first; a bounded number, the newest. */
export function* readRecords(
  database: DatabaseSync,
  kinds: readonly string[],
  span: { readonly fromMs: number; readonly toMs: number },
): Generator<LedgerRecord> {
  if (kinds.length === 0 || !hasTable(database, "record")) return;
  const names = kinds.map(() => "?").join(", ");
  const rows = database
    .prepare(
      `SELECT n.text AS node, wall, s.text AS source, k.text AS kind, o.text AS subject, reason, data
       FROM (SELECT * FROM record
             WHERE kind IN (SELECT id FROM word WHERE text IN (${names})) AND wall >= ? AND wall < ?
             ORDER BY wall DESC, seq DESC LIMIT ${MAX_RECORDS}) AS r
       JOIN word n ON n.id = r.node JOIN word s ON s.id = r.source
       JOIN word k ON k.id = r.kind JOIN word o ON o.id = r.subject
       ORDER BY wall, r.seq`,
    )
    .iterate(...kinds, span.fromMs, span.toMs);
  for (const row of rows) {
    const { data } = row;
    yield {
      node: String(row["node"]),
      wallMs: Number(row["wall"]),
      source: String(row["source"]),
      kind: String(row["kind"]),
      subject: String(row["subject"]),
      reason: String(row["reason"]),
      ...(typeof data === "string" ? { data: JSON.parse(data) as Record<string, unknown> } : {}),
    };
  }
}

/** More than a year of a system that fails every few minutes. */
const MAX_RECORDS = 500_000;

function hasTable(database: DatabaseSync, name: string): boolean {
  const find = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
  return preparedOf(database, find).get(name) !== undefined;
}

const prepared = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** For what is asked once for each service: to prepare costs more than to answer. Few texts. */
function preparedOf(database: DatabaseSync, sql: string): StatementSync {
  const known = prepared.get(database) ?? new Map<string, StatementSync>();
  prepared.set(database, known);
  const statement = known.get(sql) ?? database.prepare(sql);
  known.set(sql, statement);
  return statement;
}

export interface DaySum {
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly vantage: string;
  readonly good: number;
  readonly bad: number;
}

/** More planned windows than that are not left out; the oldest count. */
const MAX_WINDOWS = 50;

/** Requests of each day from `fromMs` on; what began in a planned window is left out. */
export function sumByDay(
  database: DatabaseSync,
  subjects: readonly string[],
  fromMs: number,
  planned: readonly { readonly fromMs: number; readonly toMs: number }[],
): DaySum[] {
  if (subjects.length === 0 || !hasTable(database, "measurement")) return [];
  const windows = planned.filter(({ toMs }) => toMs > fromMs).slice(-MAX_WINDOWS);
  const left = windows.map(() => "AND NOT (start >= ? AND start < ?)").join(" ");
  const values = windows.flatMap((one) => [
    one.fromMs,
    Math.min(one.toMs, Number.MAX_SAFE_INTEGER),
  ]);
  return preparedOf(
    database,
    `SELECT start / 86400000 AS day, vantage, sum(good) AS good, sum(bad) AS bad
     FROM measurement WHERE subject IN (${subjects.map(() => "?").join(", ")}) AND start >= ? ${left}
     GROUP BY day, vantage ORDER BY day, vantage`,
  )
    .all(...subjects, fromMs, ...values)
    .map((row) => ({
      day: Number(row["day"]),
      vantage: String(row["vantage"]),
      good: Number(row["good"]),
      bad: Number(row["bad"]),
    }));
}
