/**
 * Availability, both ways. Request-based: good / (good + bad) requests. Time-based: time of good buckets /
 * time of buckets in which anybody asked; a bucket with five percent or more failures is bad as a
 * whole. Planned maintenance is left out of both. Time in which nobody asked is in neither and is told.
 */

import { formatDuration } from "../../lib/duration.ts";
import { type Span, covers, intersect, lengthOf, union } from "./intervals.ts";
import { harmOf, type Measure } from "./measure.ts";
import type { LedgerService } from "./settings.ts";

export interface Availability {
  readonly vantage: string;
  readonly good: number;
  readonly bad: number;
  readonly slow: number;
  readonly goodMs: number;
  readonly badMs: number;
  /** Neither measured nor planned. */
  readonly unmeasuredMs: number;
  readonly plannedMs: number;
  /** 0 to 1; absent: nothing was measured. */
  readonly byTime?: number;
  readonly byRequests?: number;
}

export interface Period extends Span {
  /** As `union` gives them. */
  readonly planned: readonly Span[];
}

/**
 * `measures`: of one service and vantage, of any lengths: minutes of old good buckets may lie around
 * a bad one that was kept. A bucket that begins in a planned span is planned.
 */
export function availabilityOf(
  service: LedgerService,
  vantage: string,
  measures: readonly Measure[],
  period: Period,
): Availability {
  const sum = { good: 0, bad: 0, slow: 0 };
  const measured: Span[] = [];
  const harmed: Span[] = [];
  for (const measure of measures) {
    const { fromMs, lengthMs, good, bad, slow } = measure;
    if (fromMs < period.fromMs || fromMs >= period.toMs || good + bad === 0) continue;
    if (covers(period.planned, fromMs)) continue;
    sum.good += good;
    sum.bad += bad;
    sum.slow += slow;
    const span = { fromMs, toMs: fromMs + lengthMs };
    measured.push(span);
    if (harmOf(measure, service) !== undefined) harmed.push(span);
  }
  const planned = intersect([period], period.planned);
  const asked = union(measured);
  const spoken = lengthOf(intersect([period], union([...asked, ...planned])));
  const badMs = lengthOf(union(harmed));
  const goodMs = lengthOf(asked) - badMs;
  const events = sum.good + sum.bad;
  return {
    vantage,
    ...sum,
    goodMs,
    badMs,
    unmeasuredMs: period.toMs - period.fromMs - spoken,
    plannedMs: lengthOf(planned),
    ...(goodMs + badMs === 0 ? {} : { byTime: goodMs / (goodMs + badMs) }),
    ...(events === 0 ? {} : { byRequests: sum.good / events }),
  };
}

/** One sentence for each way in which the figures differ, and what that means. */
export function explainDifference(figures: readonly Availability[]): string[] {
  return [...figures.flatMap(explainWays), ...explainVantages(figures)];
}

/** Smaller differences are rounding, not news. */
const NOTEWORTHY = 0.0001;
/** Vantages whose times differ by more do not speak of the same. */
const UNLIKE = 0.2;

function explainWays({ vantage, byTime, byRequests }: Availability): string[] {
  if (byTime === undefined || byRequests === undefined) return [];
  if (Math.abs(byTime - byRequests) < NOTEWORTHY) return [];
  const [time, requests] = [percent(byTime), percent(byRequests)];
  const meaning =
    byTime < byRequests
      ? "the bad times were quiet ones, or only a part of their requests failed"
      : "the bad times were busy ones, or a few requests fail all the time";
  return [`${vantage}: ${time} of the time but ${requests} of the requests were good: ${meaning}`];
}

function explainVantages(figures: readonly Availability[]): string[] {
  const inside = figures.find(({ vantage }) => vantage === "balancer");
  if (inside?.byRequests === undefined) return [];
  return figures.flatMap((outside) => {
    if (outside === inside || outside.byRequests === undefined) return [];
    const gap = inside.byRequests! - outside.byRequests;
    if (Math.abs(gap) < NOTEWORTHY) return [];
    const [own, seen] = [percent(inside.byRequests!), percent(outside.byRequests)];
    const [long, short] = [inside, outside].map((one) => one.goodMs + one.badMs) as [
      number,
      number,
    ];
    const meaning =
      Math.abs(long - short) > UNLIKE * Math.max(long, short)
        ? `they measured different times, ${formatDuration(long)} and ${formatDuration(short)}`
        : gap > 0
          ? "users met failures that never reached the balancer (network, address, a dead node)"
          : "the balancer failed requests of a kind that the probe does not send";
    return [`balancer says ${own}, ${outside.vantage} says ${seen}: ${meaning}`];
  });
}

/** Always rounded down: 99.996 must not become 100. `99.995 %`. */
export function percent(share: number): string {
  // The product of a share and 100 000 is not always whole where it should be.
  return `${(Math.floor(share * 100_000 + 1e-6) / 1000).toFixed(3)} %`;
}
