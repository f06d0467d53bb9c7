/**
 * The same architecture lived through: parts fail and are repaired at drawn times, groups switch, crews
 * are busy. It shares no formula with `formulas.ts`; that both say the same is a test of both.
 */

import { assert } from "../../lib/assert.ts";
import { Prng } from "../../lib/prng.ts";
import { type Block, partsOf, type Spread } from "./architecture.ts";
import { withCommonCauses } from "./common-cause.ts";
import { buildUnits, type Timers, type Unit } from "./simulated-units.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Events in all; the simulated time follows from it. */
  readonly events: number;
}

export interface SimulationResult {
  readonly unavailability: number;
  /** Half the width of the 95 % confidence interval of the unavailability. */
  readonly halfWidth: number;
  readonly outages: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly seed: number;
  /** Times that are not exponential: the formulas of groups with few crews only come near. */
  readonly hasOtherSpreads: boolean;
}

/** Parts of the time whose means are compared with each other: batch means. */
const BATCHES = 30;
/** Student's t for 95 % and 29 degrees of freedom. */
const T_95 = 2.045;
/** Everything is up when it starts, which is better than it will be. */
const WARM_UP_SHARE = 0.02;

/** `system` as it was written, common causes included. */
export function simulate(system: Block, { seed, events }: SimulationOptions): SimulationResult {
  const plain = withCommonCauses(system);
  const world = new World(new Prng(seed));
  const root = buildUnits(plain, world);
  const perMs = world.eventsPerMs;
  assert(perMs > 0, "something can fail");
  const batchMs = events / perMs / BATCHES;
  world.run(root, events * WARM_UP_SHARE * (1 / perMs));
  const downs: number[] = [];
  let outages = 0;
  for (let i = 0; i < BATCHES; i++) {
    const batch = world.run(root, batchMs);
    downs.push(batch.downMs / batchMs);
    outages += batch.outages;
  }
  const mean = downs.reduce((sum, down) => sum + down, 0) / BATCHES;
  const variance = downs.reduce((sum, down) => sum + (down - mean) ** 2, 0) / (BATCHES - 1);
  return {
    unavailability: mean,
    halfWidth: T_95 * Math.sqrt(variance / BATCHES),
    outages,
    simulatedMs: batchMs * BATCHES,
    events: world.events,
    seed,
    hasOtherSpreads: partsOf(plain).some(({ life, repair }) => isOther(life) || isOther(repair)),
  };
}

function isOther({ kind }: Spread): boolean {
  return kind !== "exponential";
}

interface Batch {
  readonly downMs: number;
  readonly outages: number;
}

/** Time, and who is called when. Few timers run, so the next one is simply looked for. */
class World implements Timers {
  readonly prng: Prng;
  events = 0;
  eventsPerMs = 0;
  #now = 0;
  readonly #dueMs: number[] = [];
  readonly #calls: (() => void)[] = [];

  constructor(prng: Prng) {
    this.prng = prng;
  }

  timer(call: () => void): number {
    this.#dueMs.push(Infinity);
    return this.#calls.push(call) - 1;
  }

  set(timer: number, afterMs: number): void {
    this.#dueMs[timer] = this.#now + afterMs;
  }

  expect(eventsPerMs: number): void {
    this.eventsPerMs += eventsPerMs;
  }

  run(root: Unit, lengthMs: number): Batch {
    // Each batch counts from 0, so that no digits are lost on the size of the clock.
    for (const [i, due] of this.#dueMs.entries()) this.#dueMs[i] = due - this.#now;
    this.#now = 0;
    let downMs = 0;
    let outages = 0;
    for (;;) {
      const next = this.#next();
      const until = Math.min(this.#dueMs[next] ?? Infinity, lengthMs);
      if (!root.isUp) downMs += until - this.#now;
      this.#now = until;
      if (until === lengthMs) return { downMs, outages };
      const wasUp = root.isUp;
      this.#dueMs[next] = Infinity;
      this.#calls[next]?.();
      this.events++;
      if (wasUp && !root.isUp) outages++;
    }
  }

  #next(): number {
    let best = 0;
    for (let i = 1; i < this.#dueMs.length; i++) {
      if ((this.#dueMs[i] as number) < (this.#dueMs[best] as number)) best = i;
    }
    return best;
  }
}
