/** The share of faults that the system mended by itself: the `c` of every availability formula. */

import type { DrillResult } from "./result.ts";

export interface Coverage {
  /** Drills in which another copy had to take over. */
  readonly faults: number;
  /** Those in which it did, within the promise. */
  readonly switched: number;
  /** 0-1; undefined: nothing was tried. */
  readonly ratio: number | undefined;
  /** Client-side outage of those that switched, ms: mean and worst. */
  readonly outage?: { readonly meanMs: number; readonly worstMs: number };
}

export type CoverageInput = Pick<
  DrillResult,
  "drill" | "layer" | "faulted" | "switchExpected" | "switched" | "verdict" | "measured"
>;

/** `error` says nothing of the system; an aborted drill that had begun is a fault not mastered. */
export function switchCoverage(results: readonly CoverageInput[]): Coverage {
  const counted = results.filter(
    ({ faulted, switchExpected, verdict }) => faulted && switchExpected && verdict !== "error",
  );
  const good = counted.filter(({ switched }) => switched);
  const outages = good.flatMap(({ measured }) => (measured === undefined ? [] : measured.outageMs));
  const sum = outages.reduce((total, ms) => total + ms, 0);
  return {
    faults: counted.length,
    switched: good.length,
    ratio: counted.length === 0 ? undefined : good.length / counted.length,
    ...(outages.length === 0
      ? {}
      : { outage: { meanMs: sum / outages.length, worstMs: Math.max(...outages) } }),
  };
}

/** The same by drill or by layer, in the order of their first result. */
export function coverageBy(
  results: readonly CoverageInput[],
  key: "drill" | "layer",
): ReadonlyMap<string, Coverage> {
  const groups = Map.groupBy(results, (result) => result[key]);
  return new Map(Array.from(groups, ([name, members]) => [name, switchCoverage(members)]));
}
