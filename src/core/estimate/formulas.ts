/**
 * Closed formulas: the unavailability of a block and how often it fails, from the same of what is in
 * it. Everything is computed as unavailability, without a subtraction from 1, so that ten nines
 * are as exact as two.
 *
 * Exact for independent parts whatever the spread of their times; with fewer crews than copies, and
 * for failover groups, exact when times are exponential. A copy that consists of parts counts there
 * as one part of the same mean times.
 */

import type { Block, FailoverCopies, Part, SharedCopies } from "./architecture.ts";
import { failoverState, type FailoverState } from "./failover-chain.ts";

/** No group may have a common cause: see `withCommonCauses`. */
export interface BlockState {
  /** Share of time in which it is down, 0-1. */
  readonly unavailability: number;
  readonly failuresPerMs: number;
}

export function stateOf(block: Block): BlockState {
  switch (block.kind) {
    case "part":
      return partState(block.part);
    case "series":
      return seriesState(block.blocks.map(stateOf));
    case "parallel":
      return neededState(block.blocks.map(stateOf), block.need);
    case "copies":
      return copiesState(block);
    case "failover": {
      const { switching, uncovered, allDown, failuresPerMs } = failoverOf(block);
      return { unavailability: switching + uncovered + allDown, failuresPerMs };
    }
  }
}

/** Where the downtime of a failover group comes from. */
export function failoverOf(block: FailoverCopies): FailoverState {
  const { failureRate, repairRate } = ratesOf(stateOf(block.of));
  return failoverState({ ...block, failureRate, repairRate });
}

function partState({ mttfMs, mttrMs }: Part): BlockState {
  if (mttfMs === Infinity) return { unavailability: 0, failuresPerMs: 0 };
  return { unavailability: mttrMs / (mttfMs + mttrMs), failuresPerMs: 1 / (mttfMs + mttrMs) };
}

function seriesState(inner: readonly BlockState[]): BlockState {
  const logs = inner.map(({ unavailability }) => Math.log1p(-unavailability));
  const all = logs.reduce((sum, log) => sum + log, 0);
  let failuresPerMs = 0;
  // It fails when one fails while all the others are up.
  for (const [i, { failuresPerMs: own }] of inner.entries()) {
    if (own > 0) failuresPerMs += own * Math.exp(all - (logs[i] as number));
  }
  return { unavailability: -Math.expm1(all), failuresPerMs };
}

/** k of n, of different blocks. */
function neededState(inner: readonly BlockState[], need: number): BlockState {
  const spare = inner.length - need;
  const down = downCounts(inner);
  let unavailability = 0;
  for (let count = spare + 1; count < down.length; count++) unavailability += down[count] as number;
  let failuresPerMs = 0;
  for (const [i, { failuresPerMs: own }] of inner.entries()) {
    const others = downCounts(inner.filter((_, j) => j !== i));
    // The failure of one more is the group's when all spare ones are down.
    failuresPerMs += own * (others[spare] ?? 0);
  }
  return { unavailability, failuresPerMs };
}

/** Chance that exactly 0, 1, 2 … of them are down. */
function downCounts(inner: readonly BlockState[]): readonly number[] {
  let counts: readonly number[] = [1];
  for (const { unavailability } of inner) {
    const next = Array.from({ length: counts.length + 1 }, () => 0);
    for (const [down, chance] of counts.entries()) {
      next[down] = (next[down] as number) + chance * (1 - unavailability);
      next[down + 1] = (next[down + 1] as number) + chance * unavailability;
    }
    counts = next;
  }
  return counts;
}

/** With a crew for each it is k of n; with fewer, births and deaths. */
function copiesState({ of, total, need, crews }: SharedCopies): BlockState {
  const one = stateOf(of);
  if (crews >= total) {
    return neededState(
      Array.from({ length: total }, () => one),
      need,
    );
  }
  const { failureRate, repairRate } = ratesOf(one);
  if (failureRate === 0) return { unavailability: 0, failuresPerMs: 0 };
  const weights = [1];
  for (let down = 1; down <= total; down++) {
    const before = weights[down - 1] as number;
    const rise = (total - down + 1) * failureRate;
    weights.push((before * rise) / (Math.min(down, crews) * repairRate));
  }
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const spare = total - need;
  const failed = weights.slice(spare + 1).reduce((sum, weight) => sum + weight, 0);
  const edge = weights[spare] as number;
  return {
    unavailability: failed / all,
    failuresPerMs: (edge / all) * need * failureRate,
  };
}

/** As of one part with the same mean times. */
function ratesOf({ unavailability, failuresPerMs }: BlockState): {
  readonly failureRate: number;
  readonly repairRate: number;
} {
  if (failuresPerMs === 0) return { failureRate: 0, repairRate: 1 };
  return {
    failureRate: failuresPerMs / (1 - unavailability),
    repairRate: failuresPerMs / unavailability,
  };
}
