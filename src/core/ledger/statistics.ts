/**
 * Means over the incidents of a period. IEC 60050-192: MTTF is the mean operating time between the end of a
 * failure and the next one, MTTR the mean time to restoration, MTBF their sum; MTTD is the mean time
 * from the first bad evidence to the decision.
 */

import { harmWithin, type Incident, isFailure, isFault } from "./incident.ts";
import { intersect, lengthOf, type Span, union } from "./intervals.ts";

export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Nearest rank (p-th smallest at ceil(p n)); undefined: nothing to tell. */
export function distributionOf(values: readonly number[]): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { count: sorted.length, mean, p50: rank(0.5), p95: rank(0.95), max: sorted.at(-1)! };
}

export interface Statistics {
  /** Incidents that hurt users and count. */
  readonly failures: number;
  /** ... and those that did not hurt. */
  readonly faults: number;
  readonly downMs: number;
  readonly mttfMs?: number;
  readonly mttrMs?: number;
  readonly mtbfMs?: number;
  readonly mttdMs?: number;
  /** From the first bad evidence until redundancy was back. */
  readonly repairMs?: number;
  /** Faults after which users were served again, or all the time, while the part was broken. */
  readonly switched: number;
  /** `switched` / faults that are over; drills count here too. */
  readonly coverage?: number;
  readonly rto?: Distribution;
  readonly rpo?: Distribution;
}

/** Incidents belong to the period in which they began. */
export function statisticsOf(incidents: readonly Incident[], period: Span): Statistics {
  const begun = incidents.filter(
    ({ startMs }) => period.fromMs <= startMs && startMs < period.toMs,
  );
  const failures = begun.filter(isFailure);
  const faults = begun.filter((one) => isFault(one));
  const over = faults.filter(({ recovery }) => recovery !== "not yet");
  const switched = over.filter(
    ({ recovery }) => recovery === "harmless" || recovery === "by itself",
  );
  const restored = failures.filter(({ recovery }) => recovery !== "not yet");
  const downMs = incidents
    .filter(isFailure)
    .reduce((sum, incident) => sum + harmWithin(incident, period), 0);
  const mttrMs = meanOf(restored.map(({ harmMs }) => harmMs));
  const upMs = period.toMs - period.fromMs - downMs;
  const mttfMs = failures.length === 0 ? undefined : upMs / failures.length;
  const rto = distributionOf(restored.map(({ rtoMs }) => rtoMs));
  const rpo = distributionOf(begun.flatMap(({ rpoMs }) => (rpoMs === undefined ? [] : [rpoMs])));
  return {
    failures: failures.length,
    faults: faults.length,
    downMs,
    switched: switched.length,
    ...present("mttfMs", mttfMs),
    ...present("mttrMs", mttrMs),
    ...present(
      "mtbfMs",
      mttfMs === undefined || mttrMs === undefined ? undefined : mttfMs + mttrMs,
    ),
    ...present("mttdMs", meanOf(failures.map(({ detectedMs, startMs }) => detectedMs - startMs))),
    ...present("repairMs", meanOf(repairsOf(faults))),
    ...present("coverage", over.length === 0 ? undefined : switched.length / over.length),
    ...present("rto", rto),
    ...present("rpo", rpo),
  };
}

/** Share of the period in which no incident that counts hurt users; planned time left out. */
export function availabilityByIncidents(
  incidents: readonly Incident[],
  period: Span,
  planned: readonly Span[],
): number {
  const counted = lengthOf([period]) - lengthOf(intersect([period], union(planned)));
  const down = incidents.filter(isFailure).reduce((sum, one) => sum + harmWithin(one, period), 0);
  return counted <= 0 ? 1 : 1 - down / counted;
}

function repairsOf(faults: readonly Incident[]): number[] {
  return faults.flatMap(({ repairedMs, startMs, drill }) =>
    repairedMs === undefined || drill !== undefined ? [] : [repairedMs - startMs],
  );
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, v) => sum + v, 0) / values.length;
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
