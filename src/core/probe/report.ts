/**
 * What a prober keeps and hands on. All times are Unix ms by the prober's clock as it was when the
 * prober started: a clock that is set later does not bend them, and whoever gets a report compares
 * `sentMs` with its own clock.
 *
 * This folder: what a service looks like from where its users are. It knows no sockets and no files.
 */

import { HISTOGRAM_BUCKETS } from "../proxy/histogram.ts";

export const BUCKET_MS = 10_000;

/** Probes sent within ten seconds. */
export interface ProbeBucket {
  /** A multiple of `BUCKET_MS`. */
  readonly fromMs: number;
  /** Good answers in time, the slow ones among them. */
  readonly good: number;
  readonly bad: number;
  readonly slow: number;
  /** The prober itself stood still or was short of something: they say nothing of the service. */
  readonly unjudged: number;
  /** The longest time between two good answers that ended or went on here. */
  readonly longestSilenceMs: number;
  /** When the first and the last failure were sent. */
  readonly firstBadMs?: number;
  readonly lastBadMs?: number;
  /** Times of good answers: [index, count] in the buckets of `Histogram`. */
  readonly latency: readonly (readonly [number, number])[];
}

/** From the last good answer to the next one, as a user lives it. */
export interface ProbeOutage {
  readonly fromMs: number;
  /** Absent: it goes on. */
  readonly toMs?: number;
  /** Probes that failed within. */
  readonly failed: number;
  /** Of it the prober itself stood still so long: nobody knows. */
  readonly ownMs: number;
  /** Of the first failure. */
  readonly reason: string;
  /** Who answered last before and first after, where answers say so. */
  readonly before?: string;
  readonly after?: string;
  /**
   * Absent: nobody answered. Present: acknowledged writes are gone, so many; then `fromMs` is when the
   * last one that is still there was acknowledged, `toMs` the last one that is not.
   */
  readonly lost?: number;
}

/** One of several a prober sends: the same may come again, and later than others. */
export interface ProbeReport {
  /** Name of the prober. */
  readonly probe: string;
  /** Of its life: buckets of two lives may begin at the same time. */
  readonly run: string;
  readonly target: string;
  /** The service that it looks at; absent: the node finds it by the name of the prober. */
  readonly service?: string;
  /** The prober's time when this was sent. */
  readonly sentMs: number;
  readonly buckets: readonly ProbeBucket[];
  readonly outages: readonly ProbeOutage[];
}

export const MOST_BUCKETS = 100;
export const MOST_OUTAGES = 50;
export const LONGEST_TEXT = 500;

/** A sentence when it is none. */
export function readReport(data: unknown): ProbeReport | string {
  if (!isObject(data)) return "a report is an object";
  for (const key of ["probe", "run", "target"] as const) {
    if (!isText(data[key]) || data[key] === "") return `${key} is missing or too long`;
  }
  if (data["service"] !== undefined && !isText(data["service"])) return "service is not a text";
  if (!isCount(data["sentMs"])) return "sentMs is not a time";
  const { buckets, outages } = data;
  if (!Array.isArray(buckets) || buckets.length > MOST_BUCKETS || !buckets.every(isBucket)) {
    return `buckets are up to ${MOST_BUCKETS} of 10 s each`;
  }
  if (!Array.isArray(outages) || outages.length > MOST_OUTAGES || !outages.every(isOutage)) {
    return `outages are up to ${MOST_OUTAGES}`;
  }
  return data as unknown as ProbeReport;
}

type Data = Readonly<Record<string, unknown>>;

function isObject(data: unknown): data is Data {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length <= LONGEST_TEXT;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isOptional(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || fits(value);
}

function isBucket(data: unknown): boolean {
  if (!isObject(data)) return false;
  const { fromMs, latency, firstBadMs, lastBadMs } = data;
  const counts = ["fromMs", "good", "bad", "slow", "unjudged", "longestSilenceMs"];
  return (
    counts.every((key) => isCount(data[key])) &&
    (fromMs as number) % BUCKET_MS === 0 &&
    isOptional(firstBadMs, isCount) &&
    isOptional(lastBadMs, isCount) &&
    Array.isArray(latency) &&
    latency.length <= HISTOGRAM_BUCKETS &&
    latency.every(isCell)
  );
}

function isCell(cell: unknown): boolean {
  if (!Array.isArray(cell) || cell.length !== 2) return false;
  const [index, count] = cell as unknown[];
  return (
    Number.isInteger(index) &&
    (index as number) >= 0 &&
    (index as number) < HISTOGRAM_BUCKETS &&
    isCount(count)
  );
}

function isOutage(data: unknown): boolean {
  if (!isObject(data)) return false;
  const { fromMs, toMs, failed, ownMs, reason, before, after, lost } = data;
  return (
    [fromMs, failed, ownMs].every(isCount) &&
    isOptional(toMs, isCount) &&
    isOptional(lost, isCount) &&
    isText(reason) &&
    isOptional(before, isText) &&
    isOptional(after, isText)
  );
}
