/** Algorithms that look at each usable server in order: round robin, least connections, first. */

import type { Candidates, Picker } from "./picker.ts";
import type { PickRequest } from "./pool-ports.ts";
import { hasPlace, type Server } from "./server.ts";

/**
 * Smooth weighted round robin: each server's account grows by its weight, the richest one serves and
 * pays what all got. Weights 5, 1, 1 give a a b a c a a, never five in a row.
 */
export class RoundRobin implements Picker {
  #usable: readonly Server[] = [];

  rebuild({ usable }: Candidates): void {
    // One that was away starts at zero: what it was owed or owed before is forgotten.
    const before = new Set(this.#usable);
    for (const server of usable) if (!before.has(server)) server.turn = 0;
    this.#usable = usable;
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    const usable = this.#usable;
    let best: Server | undefined;
    let shared = 0;
    for (let i = 0; i < usable.length; i++) {
      const server = usable[i]!;
      if (!hasPlace(server, tried)) continue;
      server.turn += server.weight;
      shared += server.weight;
      if (best === undefined || server.turn > best.turn) best = server;
    }
    if (best !== undefined) best.turn -= shared;
    return best;
  }
}

/** Fewest (requests + 1) / weight; ties in turn. */
export class LeastConnections implements Picker {
  #usable: readonly Server[] = [];
  #next = 0;

  rebuild({ usable }: Candidates): void {
    this.#usable = usable;
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    const usable = this.#usable;
    const count = usable.length;
    let best: Server | undefined;
    let bestLoad = Infinity;
    let at = this.#next < count ? this.#next : 0;
    for (let i = 0; i < count; i++) {
      const server = usable[at]!;
      if (++at === count) at = 0;
      const load = (server.active + 1) / server.weight;
      if (load >= bestLoad || !hasPlace(server, tried)) continue;
      best = server;
      bestLoad = load;
      this.#next = at;
    }
    return best;
  }
}

/** The first server with a place: fills one after the other, so that the last ones can be off. */
export class FirstFree implements Picker {
  #usable: readonly Server[] = [];

  rebuild({ usable }: Candidates): void {
    this.#usable = usable;
  }

  pick(_now: number, { tried }: PickRequest): Server | undefined {
    const usable = this.#usable;
    for (let i = 0; i < usable.length; i++) {
      const server = usable[i]!;
      if (hasPlace(server, tried)) return server;
    }
    return undefined;
  }
}
