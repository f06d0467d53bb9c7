/** Algorithms that look at each usable server in order: round robin, least connections, first. */

import { hasPlaceAt, NO_CANDIDATES, type Candidates, type Picker } from "./picker.ts";
import type { PickRequest } from "./pool-ports.ts";
import type { Server } from "./server.ts";

/**
 * Smooth weighted round robin: each server's account grows by its weight, the richest one serves and
 * pays what all got. Weights 5, 1, 1 give a a b a c a a, never five in a row.
 */
export class RoundRobin implements Picker {
  #candidates: Candidates = NO_CANDIDATES;
  #usable: readonly Server[] = [];
  #accounts: Float64Array = new Float64Array(0);
  #equal = true;
  #next = 0;

  rebuild(candidates: Candidates): void {
    // One that was away starts at zero: what it was owed or owed before is forgotten.
    const before = new Map(this.#usable.map((server, i) => [server, this.#accounts[i]!]));
    const { usable, weights } = candidates;
    this.#candidates = candidates;
    this.#usable = usable;
    this.#equal = weights.every((weight) => weight === weights[0]);
    this.#accounts = Float64Array.from(usable, (server) => before.get(server) ?? 0);
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    return this.#equal ? this.#nextFree(tried) : this.#richest(tried);
  }

  /** What the accounts come to when all weights are the same. */
  #nextFree(tried: readonly Server[]): Server | undefined {
    const candidates = this.#candidates;
    const count = candidates.usable.length;
    let at = this.#next < count ? this.#next : 0;
    for (let i = 0; i < count; i++) {
      const index = at;
      if (++at === count) at = 0;
      if (!hasPlaceAt(candidates, index, tried)) continue;
      this.#next = at;
      return candidates.usable[index];
    }
    return undefined;
  }

  #richest(tried: readonly Server[]): Server | undefined {
    const candidates = this.#candidates;
    const accounts = this.#accounts;
    const { actives, limits, weights } = candidates;
    const isRetry = tried.length > 0;
    let best = -1;
    let most = -Infinity;
    let shared = 0;
    for (let i = 0; i < accounts.length; i++) {
      if (actives[i]! >= limits[i]!) continue;
      if (isRetry && tried.includes(candidates.usable[i]!)) continue;
      const weight = weights[i]!;
      const account = accounts[i]! + weight;
      accounts[i] = account;
      shared += weight;
      if (account <= most) continue;
      best = i;
      most = account;
    }
    if (best === -1) return undefined;
    accounts[best]! -= shared;
    return candidates.usable[best];
  }
}

/** Fewest (requests + 1) / weight; ties in turn. */
export class LeastConnections implements Picker {
  #candidates: Candidates = NO_CANDIDATES;
  /** 1 / weight. */
  #prices: Float64Array = new Float64Array(0);
  #next = 0;

  rebuild(candidates: Candidates): void {
    this.#candidates = candidates;
    this.#prices = candidates.weights.map((weight) => 1 / weight);
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    const { usable } = this.#candidates;
    const turn = this.#next < usable.length ? this.#next : 0;
    const late = this.#cheapest(turn, usable.length, tried);
    const early = this.#cheapest(0, turn, tried);
    const best =
      early !== -1 && (late === -1 || this.#load(early) < this.#load(late)) ? early : late;
    this.#next = best + 1;
    return usable[best];
  }

  #cheapest(from: number, to: number, tried: readonly Server[]): number {
    const candidates = this.#candidates;
    const prices = this.#prices;
    const { actives } = candidates;
    let best = -1;
    let least = Infinity;
    for (let i = from; i < to; i++) {
      const load = (actives[i]! + 1) * prices[i]!;
      if (load >= least || !hasPlaceAt(candidates, i, tried)) continue;
      best = i;
      least = load;
    }
    return best;
  }

  #load(index: number): number {
    return (this.#candidates.actives[index]! + 1) * this.#prices[index]!;
  }
}

/** The first server with a place: fills one after the other, so that the last ones can be off. */
export class FirstFree implements Picker {
  #candidates: Candidates = NO_CANDIDATES;

  rebuild(candidates: Candidates): void {
    this.#candidates = candidates;
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    const candidates = this.#candidates;
    for (let i = 0; i < candidates.usable.length; i++) {
      if (hasPlaceAt(candidates, i, tried)) return candidates.usable[i];
    }
    return undefined;
  }
}
