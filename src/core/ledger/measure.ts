/** What was measured of a service from one place: counts of ten seconds. */

import { bucketEndMs, HISTOGRAM_BUCKETS } from "../proxy/histogram.ts";
import {
  BAD_SHARE,
  DOWN_SHARE,
  LEAST_DARK_MS,
  type LedgerService,
  SLOW_SHARE,
  WIDE_SHARE,
} from "./settings.ts";

export const BUCKET_MS = 10_000;

export interface Measure {
  readonly service: string;
  /** `balancer`, or `probe:NAME`: where was looked from. */
  readonly vantage: string;
  /** Unix ms, a multiple of `lengthMs`. */
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly good: number;
  readonly bad: number;
  /** Good ones that took longer than the objective's latency. */
  readonly slow: number;
  /** When the first and the last failure were seen, if somebody looked closer than the bucket. */
  readonly firstBadMs?: number;
  readonly lastBadMs?: number;
  /** How much of it nobody got a good answer and somebody a bad one. */
  readonly darkMs?: number;
  /** Times of answers: [index, count] pairs in the buckets of `Histogram`. */
  readonly latency?: readonly (readonly [number, number])[];
}

/** `at-risk`: nobody is hurt, but a part that would stand in is missing. */
export type Severity = "at-risk" | "partial" | "wide" | "down";
export const SEVERITIES: readonly Severity[] = ["at-risk", "partial", "wide", "down"];

/** How bad a bucket is for users; undefined: well, or nobody asked. */
export function harmOf(measure: Measure, service: LedgerService): Severity | undefined {
  const { good, bad, slow } = measure;
  const total = good + bad;
  if (total === 0) return undefined;
  const share = bad / total;
  if (share >= DOWN_SHARE || isDark(measure)) return "down";
  if (share >= WIDE_SHARE) return "wide";
  const { latency } = service.objectives;
  if (latency !== undefined && slow / total >= SLOW_SHARE) return "wide";
  return share >= BAD_SHARE ? "partial" : undefined;
}

const LOOK_MS = 1_000;

/**
 * A short outage is a small share of a bucket in which many were served before it: what counts is that
 * from the first failure to the last hardly anybody was.
 */
function isDark({ fromMs, lengthMs, firstBadMs, lastBadMs, darkMs = 0 }: Measure): boolean {
  const lastMs = Math.min(lastBadMs ?? Infinity, fromMs + lengthMs);
  const spanMs = lastMs - Math.max(firstBadMs ?? 0, fromMs);
  // In the first second and the last one some were still, or again, served.
  return darkMs >= LEAST_DARK_MS && darkMs >= DOWN_SHARE * (spanMs - 2 * LOOK_MS);
}

export interface LatencyFigures {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Milliseconds, exact to the bucket's upper end (25 %); undefined: nothing was measured. */
export function latencyOf(
  measures: readonly Pick<Measure, "latency">[],
): LatencyFigures | undefined {
  const counts = new Float64Array(HISTOGRAM_BUCKETS);
  let total = 0;
  for (const { latency = [] } of measures) {
    for (const [index, count] of latency) {
      if (index < 0 || index >= HISTOGRAM_BUCKETS) continue;
      counts[index] = counts[index]! + count;
      total += count;
    }
  }
  if (total === 0) return undefined;
  const quantile = (share: number): number => {
    let left = Math.max(1, Math.ceil(total * share));
    const index = counts.findIndex((count) => (left -= count) <= 0);
    return bucketEndMs(index === -1 ? HISTOGRAM_BUCKETS - 1 : index);
  };
  return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}
