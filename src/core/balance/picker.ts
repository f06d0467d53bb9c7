/** What every algorithm is to the pool. One picker per tier. */

import type { PickRequest } from "./pool-ports.ts";
import type { Server } from "./server.ts";

/** Servers of one tier as an algorithm sees them. */
export interface Candidates {
  /** All that are configured, usable or not, in the order of the configuration. */
  readonly members: readonly Server[];
  /** Those that may be picked; weights are above 0. */
  readonly usable: readonly Server[];
  /** Requests that run on all usable ones. */
  readonly active: number;
  // Of each usable one, in the same order: what the inner loops read, side by side in memory.
  readonly actives: Int32Array;
  readonly limits: Int32Array;
  readonly weights: Float64Array;
}

export const NO_CANDIDATES: Candidates = {
  members: [],
  usable: [],
  active: 0,
  actives: new Int32Array(0),
  limits: new Int32Array(0),
  weights: new Float64Array(0),
};

/** May usable server `index` take one more request of this kind? */
export function hasPlaceAt(of: Candidates, index: number, tried: readonly Server[]): boolean {
  return (
    of.actives[index]! < of.limits[index]! &&
    (tried.length === 0 || !tried.includes(of.usable[index]!))
  );
}

export interface Picker {
  /** After each change of members, usable servers or weights; the object is read until the next. */
  rebuild(candidates: Candidates): void;
  /** A usable server with a place that was not tried; undefined if there is none. No allocation. */
  pick(now: number, request: PickRequest): Server | undefined;
  /** Of those that go by a key: where the hash leads, in words. */
  explain?(hash: number): string;
}
