/** Algorithms that draw servers by weight: random, and the better one of two. */

import type { Prng } from "../../lib/prng.ts";
import { peakCost } from "./peak-latency.ts";
import { NO_CANDIDATES, type Candidates, type Picker } from "./picker.ts";
import type { PickRequest } from "./pool-ports.ts";
import type { Server } from "./server.ts";
import { WeightedDraw } from "./weighted-draw.ts";

export class WeightedRandom implements Picker {
  readonly #draw: WeightedDraw;
  #candidates: Candidates = NO_CANDIDATES;

  constructor(prng: Prng) {
    this.#draw = new WeightedDraw(prng);
  }

  rebuild(candidates: Candidates): void {
    this.#candidates = candidates;
    this.#draw.rebuild(candidates);
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    return this.#candidates.usable[this.#draw.drawFree(tried, -1)];
  }
}

/**
 * The better one of two different servers. Both are drawn by weight and a tie goes to the first, so
 * that shares follow the weights also when nothing is running; no herd runs to the best one.
 */
export class BetterOfTwo implements Picker {
  readonly #draw: WeightedDraw;
  readonly #cost: Cost;
  #candidates: Candidates = NO_CANDIDATES;

  constructor(prng: Prng, cost: Cost) {
    this.#draw = new WeightedDraw(prng);
    this.#cost = cost;
  }

  rebuild(candidates: Candidates): void {
    this.#candidates = candidates;
    this.#draw.rebuild(candidates);
  }

  pick(now: number, { tried }: PickRequest): Server | undefined {
    const { usable } = this.#candidates;
    const first = this.#draw.drawFree(tried, -1);
    if (first === -1 || usable.length === 1) return usable[first];
    const second = this.#draw.drawFree(tried, first);
    if (second === -1) return usable[first];
    const one = usable[first]!;
    const other = usable[second]!;
    return this.#cost(other, now) < this.#cost(one, now) ? other : one;
  }
}

type Cost = (server: Server, now: number) => number;

/** Requests / weight. */
export function loadCost(server: Server): number {
  return server.active / server.weight;
}

export function latencyCost(decayMs: number): Cost {
  return (server, now) => peakCost(server, now, decayMs);
}
