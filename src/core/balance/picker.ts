/** What every algorithm is to the pool. One picker per tier. */

import type { PickRequest } from "./pool-ports.ts";
import type { Server } from "./server.ts";

/** Servers of one tier as an algorithm sees them. */
export interface Candidates {
  /** All that are configured, usable or not, in the order of the configuration. */
  readonly members: readonly Server[];
  /** Those that may be picked; weights are above 0. */
  readonly usable: readonly Server[];
  /** Requests that run on the usable ones. */
  readonly active: number;
}

export interface Picker {
  /** After each change of members, usable servers or weights; the object stays the same one. */
  rebuild(candidates: Candidates): void;
  /** A usable server with a place that was not tried; undefined if there is none. No allocation. */
  pick(now: number, request: PickRequest): Server | undefined;
}
