/**
 * Measurements in the journal's file: spans of ten seconds for some days, then minutes. A span that
 * comes twice - the clock was set back - is added to what is there.
 */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import {
  BUCKET_MS,
  merged,
  type Measurement,
  MINUTE_MS,
  minutesOf,
  type Latency,
} from "../core/journal/measurement.ts";
import { BAD_SHARE, LEAST_DARK_MS, SLOW_SHARE } from "../core/ledger/settings.ts";
import type { CountingProcess } from "../core/journal/tally.ts";
import { inTransaction, migrate } from "./journal-database.ts";
import type { OldRows } from "./journal-store.ts";

const STEPS = [
  `CREATE TABLE measurement (
     subject TEXT NOT NULL,
     vantage TEXT NOT NULL,
     start INTEGER NOT NULL,
     length INTEGER NOT NULL,
     good INTEGER NOT NULL,
     bad INTEGER NOT NULL,
     slow INTEGER,
     first_bad INTEGER,
     last_bad INTEGER,
     latency TEXT,
     PRIMARY KEY (subject, vantage, length, start)
   ) WITHOUT ROWID;
   CREATE INDEX measurement_start ON measurement (length, start);`,
  "ALTER TABLE measurement ADD COLUMN dark INTEGER",
  `CREATE TABLE look (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     wall INTEGER NOT NULL,
     boot TEXT NOT NULL,
     state TEXT NOT NULL
   );`,
];

const LENGTHS = [BUCKET_MS, MINUTE_MS];
const DAY_MS = 86_400_000;
/** So long a span of ten seconds is kept as such. */
const FINE_MS = 7 * DAY_MS;
const KEPT_MS = 400 * DAY_MS;
/** Rows of either length; then the oldest become minutes, or go. */
const MAX_ROWS = 4_000_000;
/** Terms of one question; of more services slow spans become minutes. */
const MAX_RULES = 100;
/** Spans that one call looks at: some 20 ms. */
const ROLLED = 1_000;

/** Of what subject times are too long, if half of the answers are in these buckets of `Histogram` or above. */
export interface SlowRule {
  readonly subject: string;
  readonly fromIndex: number;
}

/** What hurt somebody stays as exact as it was: incidents of a year are made of it. */
const NOT_SLOW = `AND NOT (subject = ? AND coalesce(slow,
  (SELECT sum(value ->> 1) FROM json_each(latency) WHERE value ->> 0 >= ?), 0)
  >= ${SLOW_SHARE} * (good + bad))`;
const KEPT_FINE = `AND NOT (coalesce(dark, 0) >= ${LEAST_DARK_MS} OR
  bad > 0 AND bad >= ${BAD_SHARE} * (good + bad))`;

export interface MeasurementQuery {
  readonly subject: string;
  readonly vantage?: string;
  /** Unix ms, the first inclusive, the second not. */
  readonly fromMs: number;
  readonly toMs: number;
  /** At most that many. */
  readonly limit: number;
}

/** When there were looks: at least one for each step in which there was any. */
export interface LookQuery extends Pick<MeasurementQuery, "subject" | "fromMs" | "toMs"> {
  readonly stepMs: number;
}

/** Where the counters of all processes stood. */
export interface KeptLook {
  readonly wallMs: number;
  /** Counters of another life of the machine are of other processes. */
  readonly boot: string;
  readonly state: readonly CountingProcess[];
}

export class MeasureStore implements OldRows {
  readonly #database: DatabaseSync;
  /** What began before has been looked at by `#rules`: there may be millions that stay as they are. */
  #judgedMs = 0;
  #rules = "";
  #isUnderway = false;

  constructor(database: DatabaseSync) {
    migrate(database, "measure", STEPS);
    this.#database = database;
  }

  /**
   * All or none; throws when the disk does not take them. `look`: where the counters stood when these
   * were taken, so that whoever counts next goes on from there.
   */
  add(measurements: readonly Measurement[], look?: KeptLook): void {
    if (measurements.length === 0 && look === undefined) return;
    // A probe that was cut off tells late.
    for (const { fromMs } of measurements) this.#judgedMs = Math.min(this.#judgedMs, fromMs);
    inTransaction(this.#database, () => {
      this.#put(measurements);
      if (look === undefined) return;
      this.#database
        .prepare("INSERT OR REPLACE INTO look VALUES (1, ?, ?, ?)")
        .run(look.wallMs, look.boot, JSON.stringify(look.state));
    });
  }

  /** Of whoever counted before. */
  get look(): KeptLook | undefined {
    const row = this.#database.prepare("SELECT * FROM look").get();
    if (row === undefined) return undefined;
    const state = JSON.parse(String(row["state"])) as readonly CountingProcess[];
    return { wallMs: Number(row["wall"]), boot: String(row["boot"]), state };
  }

  /** Oldest first; ten seconds and minutes as they are kept. */
  find({ subject, vantage, fromMs, toMs, limit }: MeasurementQuery): Measurement[] {
    const where = vantage === undefined ? "" : "AND vantage = ?";
    const values = [subject, ...(vantage === undefined ? [] : [vantage]), fromMs, toMs, limit];
    return this.#database
      .prepare(
        `SELECT * FROM measurement WHERE subject = ? ${where} AND start >= ? AND start < ?
         ORDER BY start LIMIT ?`,
      )
      .all(...values)
      .map(measurementOf);
  }

  /** When there is anything of it, without what. */
  looked({ subject, fromMs, toMs, stepMs }: LookQuery): Pick<Measurement, "fromMs" | "lengthMs">[] {
    return this.#database
      .prepare(
        `SELECT min(start) AS start, length FROM measurement
         WHERE subject = ? AND vantage = 'balancer' AND start >= ? AND start < ?
         GROUP BY length, CAST(start / ? AS INTEGER)`,
      )
      .all(subject, fromMs, toMs, stepMs)
      .map((row) => ({ fromMs: Number(row["start"]), lengthMs: Number(row["length"]) }));
  }

  /** What has been measured: pairs of subject and vantage. */
  subjects(): { readonly subject: string; readonly vantage: string }[] {
    const rows = this.#database
      .prepare("SELECT DISTINCT subject, vantage FROM measurement ORDER BY 1, 2")
      .all();
    return rows.map((row) => ({
      subject: String(row["subject"]),
      vantage: String(row["vantage"]),
    }));
  }

  /** Looks at a bounded number of old spans for what becomes minutes; forgets what is too old. True: there is more. */
  rollUp(nowMs: number, slow: readonly SlowRule[] = []): boolean {
    const rules = slow.slice(0, MAX_RULES);
    const text = JSON.stringify(rules);
    if (text !== this.#rules) [this.#rules, this.#judgedMs] = [text, 0];
    // Not at each of many steps: to count takes the longer the more there is.
    const isSurplus = !this.#isUnderway && this.#rows(BUCKET_MS) > MAX_ROWS;
    const [fromMs, endMs] = isSurplus ? [0, nowMs] : [this.#judgedMs, nowMs - FINE_MS];
    const lastMs = this.#oldestOf(BUCKET_MS, ROLLED - 1, fromMs) ?? Infinity;
    const isMore = lastMs < endMs;
    // All that began at once: else more than one call looks at would never be passed.
    const toMs = isMore ? lastMs + 1 : endMs;
    const old = this.#toRoll(fromMs, toMs, isSurplus ? undefined : rules);
    const isOlder = inTransaction(this.#database, () => {
      this.#put(minutesOf(old));
      for (const one of old) this.#delete(one);
      return !isMore && this.#forget(nowMs);
    });
    if (!isSurplus) this.#judgedMs = toMs;
    this.#isUnderway = (isMore && !isSurplus) || isOlder;
    return isMore || isOlder;
  }

  /** Without `rules`: all of them. */
  #toRoll(fromMs: number, toMs: number, rules?: readonly SlowRule[]): Measurement[] {
    const kept = rules && `${KEPT_FINE} ${rules.map(() => NOT_SLOW).join(" ")}`;
    const values = (rules ?? []).flatMap(({ subject, fromIndex }) => [subject, fromIndex]);
    return this.#database
      .prepare(
        `SELECT * FROM measurement WHERE length = ${BUCKET_MS} AND start >= ? AND start < ?
         ${kept ?? ""} ORDER BY start`,
      )
      .all(fromMs, toMs, ...values)
      .map(measurementOf);
  }

  /** True: there is more that is too old. */
  #forget(nowMs: number): boolean {
    const tooOldMs = nowMs - KEPT_MS;
    // One by one: of both lengths at once the file is read from end to end.
    for (const length of LENGTHS) this.#forgetOf(length, tooOldMs);
    if ((this.oldestMs ?? Infinity) < tooOldMs) return true;
    if (this.#rows(MINUTE_MS) > MAX_ROWS) this.#forgetOf(MINUTE_MS, Infinity);
    return false;
  }

  /** Of the oldest before `untilMs` a bounded number, and all that began at one moment. How many went. */
  #forgetOf(length: number, untilMs: number): number {
    const first = this.#oldestOf(length, 0);
    if (first === undefined || first >= untilMs) return 0;
    const upTo = Math.min(untilMs, this.#oldestOf(length, ROLLED) ?? Infinity);
    const { changes } = this.#database
      .prepare("DELETE FROM measurement WHERE length = ? AND (start < ? OR start = ?)")
      .run(length, upTo, first);
    return Number(changes);
  }

  get oldestMs(): number | undefined {
    const oldest = LENGTHS.flatMap((length) => this.#oldestOf(length, 0) ?? []);
    return oldest.length === 0 ? undefined : Math.min(...oldest);
  }

  forgetOldest(): number {
    const { oldestMs } = this;
    const length = LENGTHS.find((one) => this.#oldestOf(one, 0) === oldestMs);
    return length === undefined ? 0 : this.#forgetOf(length, Infinity);
  }

  #oldestOf(length: number, place: number, fromMs = 0): number | undefined {
    const row = this.#database
      .prepare(
        "SELECT start FROM measurement WHERE length = ? AND start >= ? ORDER BY start LIMIT 1 OFFSET ?",
      )
      .get(length, fromMs, place);
    return row === undefined ? undefined : Number(row["start"]);
  }

  #rows(length: number): number {
    const row = this.#database
      .prepare("SELECT count(*) AS rows FROM measurement WHERE length = ?")
      .get(length);
    return Number(row?.["rows"] ?? 0);
  }

  #put(measurements: readonly Measurement[]): void {
    const add = this.#database.prepare(`INSERT OR IGNORE ${ROW}`);
    const find = this.#database.prepare(
      "SELECT * FROM measurement WHERE subject = ? AND vantage = ? AND length = ? AND start = ?",
    );
    const replace = this.#database.prepare(`INSERT OR REPLACE ${ROW}`);
    for (const one of measurements) {
      if (add.run(...valuesOf(one)).changes > 0) continue;
      const { subject, vantage, fromMs, lengthMs } = one;
      const row = find.get(subject, vantage, lengthMs, fromMs)!;
      replace.run(...valuesOf(merged(measurementOf(row), one)));
    }
  }

  #delete({ subject, vantage, fromMs, lengthMs }: Measurement): void {
    this.#database
      .prepare(
        "DELETE FROM measurement WHERE subject = ? AND vantage = ? AND length = ? AND start = ?",
      )
      .run(subject, vantage, lengthMs, fromMs);
  }
}

const ROW = "INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

function valuesOf(one: Measurement): SQLInputValue[] {
  const { subject, vantage, fromMs, lengthMs, good, bad, latency } = one;
  return [
    subject,
    vantage,
    fromMs,
    lengthMs,
    good,
    bad,
    one.slow ?? null,
    one.firstBadMs ?? null,
    one.lastBadMs ?? null,
    latency === undefined ? null : JSON.stringify(latency),
    one.darkMs ?? null,
  ];
}

/** Of a row of `measurement`, whoever asked for it. */
export function measurementOf(row: Record<string, unknown>): Measurement {
  const optional = (key: string, name: string): Record<string, number> =>
    typeof row[name] === "number" ? { [key]: row[name] } : {};
  const { latency } = row;
  return {
    subject: String(row["subject"]),
    vantage: String(row["vantage"]),
    fromMs: Number(row["start"]),
    lengthMs: Number(row["length"]),
    good: Number(row["good"]),
    bad: Number(row["bad"]),
    ...optional("slow", "slow"),
    ...optional("firstBadMs", "first_bad"),
    ...optional("lastBadMs", "last_bad"),
    ...optional("darkMs", "dark"),
    ...(typeof latency === "string" ? { latency: JSON.parse(latency) as Latency } : {}),
  };
}
