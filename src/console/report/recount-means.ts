/** The means and the budget of a report a second time: plain sums over what `recount.ts` has walked. */

import type { LedgerService } from "../../core/ledger/settings.ts";
import { joined, type Window } from "./recount-lines.ts";

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
  /** Something was wrong, be it in a drill and without harm. */
  readonly isFault: boolean;
  /** Users were served again with nobody's help; undefined: not yet. */
  readonly byItself: boolean | undefined;
  readonly switchedMs?: number;
  readonly rpoMs?: number;
}

export interface RecountedMeans {
  readonly failures: number;
  readonly downMs: number;
  readonly mttfMs?: number;
  readonly mttrMs?: number;
  readonly mttdMs?: number;
  /** Longest stretch without service of each failure that is over, longest first. */
  readonly rtoMs: readonly number[];
  /** Of all incidents, longest first. */
  readonly rpoMs: readonly number[];
  /** From the beginning until another one served, longest first. */
  readonly switchMs: readonly number[];
  readonly faults: number;
  readonly switched: number;
  readonly coverage?: number;
  /** Share of the good answers that were quick enough, where that was promised. */
  readonly inTime?: number;
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
    | {
        readonly good: number;
        readonly bad: number;
        readonly badMs: number;
        readonly slow: number;
      }
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
  const { good, bad, badMs, slow } = measured ?? { good: 0, bad: 0, badMs: 0, slow: 0 };
  const isIn = ({ startMs }: MeanIncident, sinceMs: number): boolean =>
    startMs >= sinceMs && startMs < period.toMs;
  const faults = incidents.filter((one) => one.isFault && isIn(one, fromMs));
  const mended = faults.filter(({ byItself }) => byItself !== undefined);
  const switched = mended.filter(({ byItself }) => byItself).length;
  const noted = incidents.filter((one) => isIn(one, period.fromMs));
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
    rtoMs: falling(over.map(({ harm }) => longest(harm))),
    rpoMs: falling(incidents.flatMap((one) => (isIn(one, fromMs) ? [one.rpoMs ?? []] : [])).flat()),
    switchMs: falling(
      noted.flatMap(({ switchedMs, startMs, isFault }) =>
        switchedMs === undefined || !isFault ? [] : [switchedMs - startMs],
      ),
    ),
    faults: faults.length,
    switched,
    ...(mended.length === 0 ? {} : { coverage: switched / mended.length }),
    ...(objectives.latency === undefined || good === 0 ? {} : { inTime: 1 - slow / good }),
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

function falling(values: readonly number[]): number[] {
  return [...values].sort((a, b) => b - a);
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
