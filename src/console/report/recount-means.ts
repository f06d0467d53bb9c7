/** The means and the budget of a report a second time: plain sums over what `recount.ts` has walked. */

import type { LedgerService } from "../../core/ledger/settings.ts";

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** An incident as the means need it. */
export interface MeanIncident {
  readonly startMs: number;
  readonly detectedMs: number;
  readonly harmMs: number;
  readonly score: number;
  /** No drill, no false start, not dismissed. */
  readonly counts: boolean;
  /** Users have their service back. */
  readonly isOver: boolean;
  readonly harm: readonly Window[];
}

export interface RecountedMeans {
  readonly failures: number;
  readonly downMs: number;
  readonly mttfMs?: number;
  readonly mttrMs?: number;
  readonly mttdMs?: number;
  /** Longest stretch without service of each failure that is over, longest first. */
  readonly rtoMs: readonly number[];
  readonly allowedMinutes: number;
  readonly usedMinutes: number;
  readonly allowedRequests: number;
  readonly usedRequests: number;
  readonly score: number;
}

export interface MeanSources {
  readonly incidents: readonly MeanIncident[];
  /** Of the vantage with the fewest good requests; undefined: nothing was measured. */
  readonly measured:
    | { readonly good: number; readonly bad: number; readonly badMs: number }
    | undefined;
  readonly planned: readonly Window[];
  /** Up to now. */
  readonly period: Window;
  /** When the journal begins. */
  readonly knownFromMs: number;
}

export function meansOf({ objectives }: LedgerService, sources: MeanSources): RecountedMeans {
  const { incidents, measured, planned, period, knownFromMs } = sources;
  const fromMs = Math.min(period.toMs, Math.max(period.fromMs, knownFromMs));
  const counting = incidents.filter(({ counts, harmMs }) => counts && harmMs > 0);
  const begun = counting.filter(({ startMs }) => startMs >= fromMs && startMs < period.toMs);
  const over = begun.filter(({ isOver }) => isOver);
  const downMs = counting.reduce(
    (sum, { harm }) => sum + lengthIn(harm, { fromMs, toMs: period.toMs }),
    0,
  );
  const allowed = 1 - objectives.availability;
  const plannedMs = lengthIn(planned, period);
  const { good, bad, badMs } = measured ?? { good: 0, bad: 0, badMs: 0 };
  return {
    failures: begun.length,
    downMs,
    ...(begun.length === 0 ? {} : { mttfMs: (period.toMs - fromMs - downMs) / begun.length }),
    ...mean(
      "mttrMs",
      over.map(({ harmMs }) => harmMs),
    ),
    ...mean(
      "mttdMs",
      begun.map(({ detectedMs, startMs }) => detectedMs - startMs),
    ),
    rtoMs: over.map(({ harm }) => longest(harm)).sort((a, b) => b - a),
    allowedMinutes: (allowed * (period.toMs - period.fromMs - plannedMs)) / 60_000,
    usedMinutes: badMs / 60_000,
    allowedRequests: allowed * (good + bad),
    usedRequests: bad,
    score: incidents
      .filter(({ startMs }) => startMs >= period.fromMs && startMs < period.toMs)
      .reduce((sum, { score }) => sum + score, 0),
  };
}

function mean<K extends string>(key: K, values: readonly number[]): { readonly [P in K]?: number } {
  if (values.length === 0) return {};
  const sum = values.reduce((total, value) => total + value, 0);
  return { [key]: sum / values.length } as { readonly [P in K]?: number };
}

/** Stretches that touch or overlap are one. */
function joined(spans: readonly Window[]): { fromMs: number; toMs: number }[] {
  const all: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else all.push({ fromMs, toMs });
  }
  return all;
}

function longest(spans: readonly Window[]): number {
  return Math.max(0, ...joined(spans).map(({ fromMs, toMs }) => toMs - fromMs));
}

function lengthIn(spans: readonly Window[], within: Window): number {
  return joined(spans).reduce((sum, { fromMs, toMs }) => {
    const length = Math.min(toMs, within.toMs) - Math.max(fromMs, within.fromMs);
    return sum + Math.max(0, length);
  }, 0);
}
