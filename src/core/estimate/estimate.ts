/** Everything that the formulas say about an architecture. */

import { type Architecture, blocksOf } from "./architecture.ts";
import { withCommonCauses } from "./common-cause.ts";
import { type Contribution, contributionsOf } from "./contributions.ts";
import { failoverOf, stateOf } from "./formulas.ts";
import { type Improvements, improvementsOf } from "./improvements.ts";
import { minutesPerYear, MS_PER_YEAR, ninesOf } from "./nines.ts";

/** Minutes of a year that the service is away, by cause. */
export interface FailoverDowntime {
  readonly name: string;
  readonly switching: number;
  readonly uncovered: number;
  readonly allDown: number;
}

export interface Estimate {
  readonly name: string;
  readonly unavailability: number;
  readonly nines: number;
  readonly minutesPerYear: number;
  readonly outagesPerYear: number;
  /** Infinity when there is never one. */
  readonly meanOutageMs: number;
  readonly failovers: readonly FailoverDowntime[];
  readonly contributions: readonly Contribution[];
  readonly improvements: Improvements;
}

export function estimate({ name, system }: Architecture): Estimate {
  const plain = withCommonCauses(system);
  const { unavailability, failuresPerMs } = stateOf(plain);
  return {
    name,
    unavailability,
    nines: ninesOf(unavailability),
    minutesPerYear: minutesPerYear(unavailability),
    outagesPerYear: failuresPerMs * MS_PER_YEAR,
    meanOutageMs: failuresPerMs === 0 ? Infinity : unavailability / failuresPerMs,
    failovers: blocksOf(plain).flatMap((block): FailoverDowntime[] => {
      if (block.kind !== "failover") return [];
      const { switching, uncovered, allDown } = failoverOf(block);
      return [
        {
          name: block.name,
          switching: minutesPerYear(switching),
          uncovered: minutesPerYear(uncovered),
          allDown: minutesPerYear(allDown),
        },
      ];
    }),
    contributions: contributionsOf(plain),
    improvements: improvementsOf(system),
  };
}
