/** What a prober saw, as a table. */

import { Histogram } from "../core/proxy/histogram.ts";
import { availabilityText } from "../core/estimate/nines.ts";
import type { ProbeBucket, ProbeOutage } from "../core/probe/report.ts";
import type { WatchTotals } from "../core/probe/watch.ts";
import { formatDuration } from "../lib/duration.ts";
import { formatTable } from "../lib/table.ts";

export interface TargetSummary {
  readonly target: string;
  readonly totals: WatchTotals;
  /** Good of all that were judged, and time outside of outages of all time observed; 0-1. */
  readonly byRequests: number;
  readonly byTime: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestSilenceMs: number;
  readonly outages: readonly ProbeOutage[];
}

/** Gathers the buckets and outages of one target. */
export class TargetBook {
  readonly #latency = new Histogram();
  readonly #outages = new Map<number, ProbeOutage>();
  #longestSilenceMs = 0;

  bucket({ latency, longestSilenceMs }: ProbeBucket): void {
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, longestSilenceMs);
    for (const [index, count] of latency) {
      this.#latency.counts[index] = (this.#latency.counts[index] ?? 0) + count;
      this.#latency.total += count;
    }
  }

  outage(outage: ProbeOutage): void {
    this.#outages.set(outage.fromMs, outage);
  }

  summary(
    target: string,
    totals: WatchTotals,
    [fromMs, toMs]: readonly [number, number],
  ): TargetSummary {
    const outages = [...this.#outages.values()];
    const judged = totals.good + totals.bad;
    const observedMs = Math.max(1, toMs - fromMs - totals.ownMs);
    const outMs = outages.reduce((sum, outage) => sum + lengthOf(outage, toMs), 0);
    return {
      target,
      totals,
      byRequests: judged === 0 ? 1 : totals.good / judged,
      byTime: Math.max(0, 1 - outMs / observedMs),
      p50Ms: this.#latency.quantile(0.5),
      p99Ms: this.#latency.quantile(0.99),
      longestSilenceMs: this.#longestSilenceMs,
      outages,
    };
  }
}

/** Without the time in which the prober itself stood still. */
export function lengthOf({ fromMs, toMs, ownMs }: ProbeOutage, nowMs: number): number {
  return Math.max(0, (toMs ?? nowMs) - fromMs - ownMs);
}

export function summaryLines(summaries: readonly TargetSummary[], nowMs: number): string[] {
  const head = [
    "target",
    "sent",
    "good",
    "bad",
    "slow",
    "not judged",
    "of requests",
    "of time",
    "p50",
    "p99",
    "longest silence",
  ];
  const rows = summaries.map((one) => {
    const { sent, good, bad, slow, unjudged } = one.totals;
    return [
      one.target,
      ...[sent, good, bad, slow, unjudged].map(String),
      availabilityText(1 - one.byRequests),
      availabilityText(1 - one.byTime),
      formatDuration(one.p50Ms),
      formatDuration(one.p99Ms),
      formatDuration(one.longestSilenceMs),
    ];
  });
  const outages = summaries.flatMap(({ target, outages: all }) =>
    all.map((outage) => [
      new Date(outage.fromMs).toISOString(),
      outage.toMs === undefined
        ? `${formatDuration(lengthOf(outage, nowMs))}, still`
        : formatDuration(lengthOf(outage, nowMs)),
      String(outage.failed),
      target,
      answerers(outage),
      outage.ownMs === 0 ? "" : `the prober slept ${formatDuration(outage.ownMs)} of it`,
      outage.reason,
    ]),
  );
  if (outages.length === 0) return [...formatTable(head, rows), "no outage"];
  const titles = ["outage from", "no answer for", "failed", "target", "answered by", "", "why"];
  return [...formatTable(head, rows), "", ...formatTable(titles, outages)];
}

export function answerers({ before, after }: ProbeOutage): string {
  if (before === undefined && after === undefined) return "";
  return before === after ? (before ?? "") : `${before ?? "?"} -> ${after ?? "?"}`;
}
