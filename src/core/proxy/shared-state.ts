/**
 * What all workers of a node know together, each of them at once. Without it (`LoneCount` and the like)
 * a worker counts for itself.
 */

import type { SharedEjections } from "../balance/shared-ejections.ts";
import type { ArrivalCells } from "../route/rate-limiter.ts";

export interface SharedState {
  /** Undefined: there is no room for another name. */
  count(name: string): SharedCount | undefined;
  /** Clients of a frontend by address. */
  sources(frontend: string): SharedSources;
  /** Of one rate limit; another name begins anew. */
  arrivals(limit: string): ArrivalCells;
  readonly ejections: SharedEjections;
}

/** How many there are of something. */
export interface SharedCount {
  /** Ours is `own` from now on. */
  set(own: number): void;
  /** Everybody's. Of two who set theirs and then ask at once, one sees the other. */
  sum(): number;
  /** The sum, when it matters: without those whose worker has died. */
  recount(): number;
}

/** How many there are of something by address. */
export interface SharedSources {
  /** Ours is `own` from now on. */
  set(source: string, own: number): void;
  /** All but ours. Of two who set theirs and then ask at once, one sees the other. */
  elsewhere(source: string): number;
  /** The same, when it matters: without those whose worker has died. */
  recount(source: string): number;
}

/** Of a worker that is the only one. */
export class LoneCount implements SharedCount {
  #own = 0;

  set(own: number): void {
    this.#own = own;
  }

  sum(): number {
    return this.#own;
  }

  recount(): number {
    return this.#own;
  }
}

/** Nobody else has any. */
export const LONE_SOURCES: SharedSources = { set() {}, elsewhere: () => 0, recount: () => 0 };
