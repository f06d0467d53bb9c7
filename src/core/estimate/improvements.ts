/** What could be done about it, and what each of these would bring. */

import {
  type Block,
  blocksOf,
  type FailoverCopies,
  mapBlocks,
  mapParts,
  nameOf,
  partsOf,
  type SharedCopies,
} from "./architecture.ts";
import { withCommonCauses } from "./common-cause.ts";
import { stateOf } from "./formulas.ts";
import { minutesPerYear, nextNine } from "./nines.ts";

/** `from`, `to`: milliseconds, shares or numbers, as the kind says. */
export interface Change {
  readonly kind:
    | "repair-faster"
    | "add-copy"
    | "cover-more"
    | "switch-faster"
    | "switch-by-hand-faster"
    | "add-crew"
    | "no-common-cause";
  /** Part or group. */
  readonly subject: string;
  readonly from: number;
  readonly to: number;
}

export interface Improvement {
  readonly change: Change;
  /** Of the whole, afterwards. */
  readonly unavailability: number;
  readonly minutesGained: number;
  /** It alone brings the next nine. */
  readonly bringsNine: boolean;
}

export interface Improvements {
  /** The largest gain first. */
  readonly single: readonly Improvement[];
  /** The best one, then what is best after it …, until the next nine is there; empty: it never is. */
  readonly together: readonly Improvement[];
}

interface Candidate {
  readonly change: Change;
  readonly system: Block;
}

const FEWER_UNCOVERED = 10;
const FASTER_SWITCH = 10;
const MOST_STEPS = 6;
/** Below that a change is told as no gain at all, in minutes a year. */
const LEAST_GAIN = 1e-6;
export const MOST_COPIES = 32;

export function improvementsOf(system: Block): Improvements {
  const goal = nextNine(unavailabilityOf(system));
  return {
    single: weigh(system, goal).map(({ improvement }) => improvement),
    together: together(system, goal),
  };
}

function together(start: Block, goal: number): Improvement[] {
  const steps: Improvement[] = [];
  let system = start;
  while (steps.length < MOST_STEPS) {
    const best = weigh(system, goal)[0];
    if (best === undefined) return [];
    steps.push(best.improvement);
    if (best.improvement.bringsNine) return steps;
    ({ system } = best);
  }
  return [];
}

function weigh(system: Block, goal: number): { improvement: Improvement; system: Block }[] {
  const before = unavailabilityOf(system);
  return candidatesOf(system)
    .map(({ change, system: after }) => {
      const unavailability = unavailabilityOf(after);
      const minutesGained = minutesPerYear(before - unavailability);
      const bringsNine = unavailability <= goal;
      return { improvement: { change, unavailability, minutesGained, bringsNine }, system: after };
    })
    .filter(({ improvement }) => improvement.minutesGained > LEAST_GAIN)
    .sort((a, b) => b.improvement.minutesGained - a.improvement.minutesGained);
}

function unavailabilityOf(system: Block): number {
  return stateOf(withCommonCauses(system)).unavailability;
}

function candidatesOf(system: Block): Candidate[] {
  const parts = partsOf(system).map((part): Candidate => {
    const to = part.mttrMs / 2;
    return {
      change: { kind: "repair-faster", subject: part.name, from: part.mttrMs, to },
      system: mapParts(system, (p) => (p.name === part.name ? { ...p, mttrMs: to } : p)),
    };
  });
  const groups = new Map<string, SharedCopies | FailoverCopies>();
  for (const block of blocksOf(system)) {
    if (block.kind === "copies" || block.kind === "failover") groups.set(block.name, block);
  }
  return [
    ...parts,
    ...secondCopies(system),
    ...[...groups.values()].flatMap((group) => groupCandidates(system, group)),
  ];
}

/** A part that stands alone gets a second one beside it. */
function secondCopies(system: Block): Candidate[] {
  const inGroups = new Set<string>();
  const alone = new Set<string>();
  const visit = (block: Block): void => {
    if (block.kind === "part") alone.add(block.part.name);
    else if (block.kind === "series") block.blocks.forEach(visit);
    else blocksOf(block).forEach((inner) => inGroups.add(nameOf(inner)));
  };
  visit(system);
  return [...alone]
    .filter((name) => !inGroups.has(name))
    .map((name) => ({
      change: { kind: "add-copy", subject: name, from: 1, to: 2 },
      system: mapBlocks(system, (block) =>
        block.kind === "part" && block.part.name === name
          ? { kind: "copies", name, of: block, total: 2, need: 1, crews: 2 }
          : block,
      ),
    }));
}

function groupCandidates(system: Block, group: SharedCopies | FailoverCopies): Candidate[] {
  const { name, total, crews, commonCause } = group;
  const all: Candidate[] = [];
  const add = (kind: Change["kind"], [from, to]: [number, number], patch: object): void => {
    all.push({
      change: { kind, subject: name, from, to },
      system: mapBlocks(system, (block) => {
        return block.kind === group.kind && block.name === name ? { ...block, ...patch } : block;
      }),
    });
  };
  if (total < MOST_COPIES) {
    // As many crews as copies stay as many as copies.
    const more = { total: total + 1, crews: crews >= total ? total + 1 : crews };
    add("add-copy", [total, total + 1], more);
  }
  if (crews < total) add("add-crew", [crews, crews + 1], { crews: crews + 1 });
  if (commonCause !== undefined && commonCause.share > 0) {
    const { commonCause: _, ...rest } = group;
    all.push({
      change: { kind: "no-common-cause", subject: name, from: commonCause.share, to: 0 },
      system: mapBlocks(system, (block) =>
        block.kind === group.kind && block.name === name ? { ...rest, of: block.of } : block,
      ),
    });
  }
  if (group.kind === "failover") {
    const { coverage, switchMs, manualMs } = group;
    const better = 1 - (1 - coverage) / FEWER_UNCOVERED;
    add("cover-more", [coverage, better], { coverage: better });
    add("switch-faster", [switchMs, switchMs / FASTER_SWITCH], {
      switchMs: switchMs / FASTER_SWITCH,
    });
    add("switch-by-hand-faster", [manualMs, manualMs / 2], { manualMs: manualMs / 2 });
  }
  return all;
}
