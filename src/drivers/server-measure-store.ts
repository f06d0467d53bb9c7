/**
 * Measurements of single servers in the journal's file: minutes for some 26 hours, then hours for a
 * month. Apart from what services are judged by: a thousand servers must not push that out.
 */

import type { DatabaseSync } from "node:sqlite";
import { addLatency, type Latency, type Measurement } from "../core/journal/measurement.ts";
import { inTransaction, migrate } from "./journal-database.ts";
import type { OldRows } from "./journal-store.ts";
import type { LookQuery, MeasurementQuery } from "./measure-store.ts";

const STEPS = [
  `CREATE TABLE server (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
   CREATE TABLE server_measurement (
     server INTEGER NOT NULL,
     length INTEGER NOT NULL,
     start INTEGER NOT NULL,
     good INTEGER NOT NULL,
     bad INTEGER NOT NULL,
     latency TEXT,
     PRIMARY KEY (server, length, start)
   ) WITHOUT ROWID;
   CREATE INDEX server_measurement_start ON server_measurement (length, start);`,
];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A chart of a day is drawn from minutes, one of 30 days from hours. */
const MINUTES_KEPT_MS = 26 * HOUR_MS;
const HOURS_KEPT_MS = 31 * 24 * HOUR_MS;
/** Of both lengths: some 200 MB. With more servers than that is enough for, the oldest minutes go first. */
const MAX_ROWS = 1_000_000;
/** Rows that one call takes: some 40 ms. */
const ROLLED = 250;

export interface ServerMeasureBounds {
  readonly rows: number;
}

export class ServerMeasureStore implements OldRows {
  readonly #database: DatabaseSync;
  readonly #maxRows: number;
  readonly #ids = new Map<string, number>();
  #rows: number;

  constructor(database: DatabaseSync, bounds: ServerMeasureBounds = { rows: MAX_ROWS }) {
    migrate(database, "server-measure", STEPS);
    this.#database = database;
    this.#maxRows = bounds.rows;
    const row = database.prepare("SELECT count(*) AS rows FROM server_measurement").get();
    this.#rows = Number(row?.["rows"]);
  }

  /** Of both lengths. */
  get rows(): number {
    return this.#rows;
  }

  /** All or none; throws when the disk does not take them. */
  add(measurements: readonly Measurement[]): void {
    if (measurements.length === 0) return;
    this.#whole(() => this.#put(measurements, (one) => this.#idOf(one.subject)));
  }

  /** Oldest first; minutes and hours as they are kept. */
  find({ subject, fromMs, toMs, limit }: MeasurementQuery): Measurement[] {
    return this.#database
      .prepare(
        `SELECT length, start, good, bad, latency FROM server_measurement
         WHERE server = (SELECT id FROM server WHERE name = ?)
         AND length IN (${MINUTE_MS}, ${HOUR_MS}) AND start >= ? AND start < ?
         ORDER BY start LIMIT ?`,
      )
      .all(subject, fromMs, toMs, limit)
      .map((row) => ({ subject, vantage: "balancer", ...spanOf(row) }));
  }

  /** When anybody looked at all. */
  looked({ subject, fromMs, toMs, stepMs }: LookQuery): Pick<Measurement, "fromMs" | "lengthMs">[] {
    return this.#database
      .prepare(
        `SELECT min(start) AS start, length FROM server_measurement
         WHERE server = (SELECT id FROM server WHERE name = ?)
         AND length IN (${MINUTE_MS}, ${HOUR_MS}) AND start >= ? AND start < ?
         GROUP BY length, CAST(start / ? AS INTEGER)`,
      )
      .all(subject, fromMs, toMs, stepMs)
      .map((row) => ({ fromMs: Number(row["start"]), lengthMs: Number(row["length"]) }));
  }

  /** Makes hours of a bounded number of old minutes and forgets what is too old. False: there is nothing of either. */
  rollUp(nowMs: number): boolean {
    const surplus = this.#rows - this.#maxRows;
    const before = surplus > 0 ? nowMs : nowMs - MINUTES_KEPT_MS;
    const old = this.#oldest(MINUTE_MS, before, ROLLED);
    // Without any minutes left it is the hours that are too many.
    const spare = old.length === 0 ? Math.min(surplus, ROLLED) : 0;
    const gone = [
      ...this.#oldest(HOUR_MS, nowMs - HOURS_KEPT_MS, ROLLED),
      ...(spare > 0 ? this.#oldest(HOUR_MS, nowMs, spare) : []),
    ];
    if (old.length + gone.length === 0) return false;
    this.#whole(() => {
      for (const one of [...old, ...gone]) this.#delete(one);
      this.#put(hoursOf(old), ({ server }) => server);
    });
    if (gone.length > 0) this.#forgetServers();
    return true;
  }

  get oldestMs(): number | undefined {
    const [first] = this.#eldest(1);
    return first?.fromMs;
  }

  forgetOldest(): number {
    const gone = this.#eldest(ROLLED);
    this.#whole(() => gone.forEach((one) => this.#delete(one)));
    return gone.length;
  }

  /** Of the length that has the oldest. */
  #eldest(limit: number): OfServer[] {
    const lists = [HOUR_MS, MINUTE_MS].map((length) => this.#oldest(length, Infinity, limit));
    const [hours = [], minutes = []] = lists;
    return (hours[0]?.fromMs ?? Infinity) <= (minutes[0]?.fromMs ?? Infinity) ? hours : minutes;
  }

  #oldest(length: number, beforeMs: number, limit: number): OfServer[] {
    return this.#database
      .prepare(
        `SELECT * FROM server_measurement WHERE length = ? AND start < ? ORDER BY start LIMIT ?`,
      )
      .all(length, beforeMs, limit)
      .map((row) => ({ server: Number(row["server"]), ...spanOf(row) }));
  }

  #put<T extends Span>(spans: readonly T[], idOf: (one: T) => number): void {
    const find = this.#database.prepare(
      "SELECT * FROM server_measurement WHERE server = ? AND length = ? AND start = ?",
    );
    const put = this.#database.prepare(
      "INSERT OR REPLACE INTO server_measurement VALUES (?, ?, ?, ?, ?, ?)",
    );
    for (const one of spans) {
      const id = idOf(one);
      const row = find.get(id, one.lengthMs, one.fromMs);
      if (row === undefined) this.#rows++;
      const { good, bad, latency } = row === undefined ? one : added(spanOf(row), one);
      const times = latency === undefined ? null : JSON.stringify(latency);
      put.run(id, one.lengthMs, one.fromMs, good, bad, times);
    }
  }

  #delete({ server, lengthMs, fromMs }: OfServer): void {
    const result = this.#database
      .prepare("DELETE FROM server_measurement WHERE server = ? AND length = ? AND start = ?")
      .run(server, lengthMs, fromMs);
    this.#rows -= Number(result.changes);
  }

  /** Those that nothing is known of any more. */
  #forgetServers(): void {
    this.#ids.clear();
    this.#database.exec(
      `DELETE FROM server WHERE NOT EXISTS
         (SELECT 1 FROM server_measurement WHERE server_measurement.server = server.id)`,
    );
  }

  #idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    this.#database.prepare("INSERT OR IGNORE INTO server (name) VALUES (?)").run(name);
    const row = this.#database.prepare("SELECT id FROM server WHERE name = ?").get(name);
    const id = Number(row?.["id"]);
    this.#ids.set(name, id);
    return id;
  }

  /** What a disk did not take is not counted either. */
  #whole(work: () => void): void {
    const rows = this.#rows;
    try {
      inTransaction(this.#database, work);
    } catch (error) {
      this.#rows = rows;
      this.#ids.clear();
      throw error;
    }
  }
}

type Span = Pick<Measurement, "fromMs" | "lengthMs" | "good" | "bad" | "latency">;
type OfServer = Span & { readonly server: number };

function hoursOf(minutes: readonly OfServer[]): OfServer[] {
  const hours = new Map<string, OfServer>();
  for (const one of minutes) {
    const fromMs = Math.floor(one.fromMs / HOUR_MS) * HOUR_MS;
    const key = `${one.server} ${fromMs}`;
    const before = hours.get(key);
    const moved = { ...one, fromMs, lengthMs: HOUR_MS };
    hours.set(key, before === undefined ? moved : { ...before, ...added(before, one) });
  }
  return [...hours.values()];
}

function added(a: Span, b: Span): Pick<Span, "good" | "bad" | "latency"> {
  const latency = addLatency(a.latency ?? [], b.latency ?? []);
  const times = latency.length === 0 ? {} : { latency };
  return { good: a.good + b.good, bad: a.bad + b.bad, ...times };
}

function spanOf(row: Record<string, unknown>): Span {
  const { latency } = row;
  return {
    fromMs: Number(row["start"]),
    lengthMs: Number(row["length"]),
    good: Number(row["good"]),
    bad: Number(row["bad"]),
    ...(typeof latency === "string" ? { latency: JSON.parse(latency) as Latency } : {}),
  };
}
