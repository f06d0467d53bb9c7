/**
 * Generic cell rate algorithm: `burst` requests at once, then `perSecond`; one number per bucket.
 * Source: ITU-T I.371 annex A.
 *
 * One limit may be kept by several processes, each of which sees at once what the others let through:
 * `ArrivalCells` are then common to all of them.
 */

import type { RateLimit } from "./route-settings.ts";

/** Theoretical arrival times by key. What lies in the past may be forgotten: it says nothing. */
export interface ArrivalCells {
  /**
   * Asks `next` of the time that is kept for `key` (0: none), and keeps its answer; NaN: leaves it. Nobody
   * else changes it in between: `next` may be asked more than once. The answer is the time `next` was asked of last.
   */
  swap(now: number, key: string, next: (arrival: number) => number): number;
}

export class RateLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  #cells: ArrivalCells;
  #now = 0;

  constructor({ perSecond, burst, size }: Pick<RateLimit, "perSecond" | "burst" | "size">) {
    this.#intervalMs = 1000 / perSecond;
    this.#toleranceMs = this.#intervalMs * Math.max(0, burst - 1);
    this.#cells = new LoneCells(size);
  }

  /** From now on it is one limit with whoever has the same cells. What was let through before is forgotten. */
  share(cells: ArrivalCells): void {
    this.#cells = cells;
  }

  /** 0 = go on; otherwise refused, and how long to wait, ms. */
  take(now: number, key: string): number {
    this.#now = now;
    const earlyMs = this.#earlyMs(this.#cells.swap(now, key, this.#next));
    return earlyMs > 1e-6 ? earlyMs : 0;
  }

  #earlyMs(arrival: number): number {
    return Math.max(this.#now, arrival) - this.#now - this.#toleranceMs;
  }

  readonly #next = (arrival: number): number =>
    this.#earlyMs(arrival) > 1e-6 ? Number.NaN : Math.max(this.#now, arrival) + this.#intervalMs;
}

/** Of a process that is the only one: at most `size` of them. */
export class LoneCells implements ArrivalCells {
  readonly #size: number;
  /** A Map keeps the order of use: the first is the oldest. */
  readonly #arrivals = new Map<string, number>();

  constructor(size: number) {
    this.#size = size;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  swap(_now: number, key: string, next: (arrival: number) => number): number {
    const seen = this.#arrivals.get(key) ?? 0;
    const wanted = next(seen);
    if (Number.isNaN(wanted)) return seen;
    this.#arrivals.delete(key);
    this.#arrivals.set(key, wanted);
    if (this.#arrivals.size > this.#size) this.#forgetOldest();
    return seen;
  }

  #forgetOldest(): void {
    const oldest = this.#arrivals.keys().next();
    if (oldest.done !== true) this.#arrivals.delete(oldest.value);
  }
}
