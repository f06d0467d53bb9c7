/** What each part costs, and how much the whole feels of it. */

import { type Block, mapParts, partsOf, type Part } from "./architecture.ts";
import { stateOf } from "./formulas.ts";
import { minutesPerYear } from "./nines.ts";

export interface Contribution {
  readonly part: string;
  /** Of one such part alone. */
  readonly unavailability: number;
  /** Downtime of the whole that would be gone if this part never failed, in all its copies. */
  readonly minutesPerYear: number;
  /**
   * Birnbaum importance: how much availability of the whole a change of the part's own availability
   * brings; of a part in several copies, the sum over them. 1: all of it.
   */
  readonly birnbaum: number;
}

/** Small enough to be a derivative, large enough not to drown in rounding. */
const STEP = 1e-3;

/** `system` without common causes in its groups: see `withCommonCauses`. The largest first. */
export function contributionsOf(system: Block): Contribution[] {
  const whole = stateOf(system).unavailability;
  return partsOf(system)
    .map((part): Contribution => {
      const { unavailability } = stateOf({ kind: "part", part });
      const perfect = replaced(system, part.name, (p) => ({ ...p, mttfMs: Infinity }));
      return {
        part: part.name,
        unavailability,
        minutesPerYear: minutesPerYear(Math.max(0, whole - perfect)),
        birnbaum: birnbaumOf(system, part, unavailability),
      };
    })
    .sort((a, b) => b.minutesPerYear - a.minutesPerYear);
}

function birnbaumOf(system: Block, part: Part, unavailability: number): number {
  if (unavailability === 0) return 0;
  const at = (factor: number): number => {
    const wanted = unavailability * factor;
    const mttrMs = (part.mttfMs * wanted) / (1 - wanted);
    return replaced(system, part.name, (p) => ({ ...p, mttrMs }));
  };
  return (at(1 + STEP) - at(1 - STEP)) / (2 * STEP * unavailability);
}

function replaced(system: Block, name: string, change: (part: Part) => Part): number {
  return stateOf(mapParts(system, (part) => (part.name === name ? change(part) : part)))
    .unavailability;
}
