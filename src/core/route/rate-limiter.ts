/**
 * Generic cell rate algorithm: `burst` requests at once, then `perSecond`; one number per bucket.
 * Source: ITU-T I.371 annex A.
 *
 * One limit may be kept by several processes: each tells the others what it let through and books what
 * they tell. Until that has gone round each knows only its own, so `n` of them may let `n` bursts
 * through at first, and later `n - 1` times the rate during the time that the news takes. What was too
 * much is owed: the average stays at the rate.
 */

import type { RateLimit } from "./route-settings.ts";

/** Requests by the key of their bucket. */
export type RateTakes = readonly (readonly [key: string, count: number])[];

export class RateLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #size: number;
  /** Theoretical arrival time by key. A Map keeps the order of use: the first is the oldest. */
  readonly #arrivals = new Map<string, number>();
  /** Let through since the others were told; bounded by `size`, as buckets are. */
  readonly #untold = new Map<string, number>();

  constructor({ perSecond, burst, size }: Pick<RateLimit, "perSecond" | "burst" | "size">) {
    this.#intervalMs = 1000 / perSecond;
    this.#toleranceMs = this.#intervalMs * Math.max(0, burst - 1);
    this.#size = size;
  }

  /** 0 = go on; otherwise refused, and how long to wait, ms. */
  take(now: number, key: string): number {
    const arrival = Math.max(now, this.#arrivals.get(key) ?? now);
    const earlyMs = arrival - now - this.#toleranceMs;
    if (earlyMs > 1e-6) return earlyMs;
    this.#book(key, arrival + this.#intervalMs);
    if (this.#untold.size < this.#size) this.#untold.set(key, (this.#untold.get(key) ?? 0) + 1);
    return 0;
  }

  /** What was let through since the last call, at most `limit` keys at a time. */
  takeUntold(limit: number): RateTakes {
    const takes: [string, number][] = [];
    for (const take of this.#untold) {
      if (takes.length >= limit) break;
      takes.push(take);
    }
    for (const [key] of takes) this.#untold.delete(key);
    return takes;
  }

  /** Others have let that through. */
  heard(now: number, takes: RateTakes): void {
    for (const [key, count] of takes) {
      const arrival = Math.max(now, this.#arrivals.get(key) ?? now);
      this.#book(key, arrival + count * this.#intervalMs);
    }
  }

  get buckets(): number {
    return this.#arrivals.size;
  }

  #book(key: string, arrival: number): void {
    this.#arrivals.delete(key);
    this.#arrivals.set(key, arrival);
    if (this.#arrivals.size > this.#size) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const oldest = this.#arrivals.keys().next();
    if (oldest.done !== true) this.#arrivals.delete(oldest.value);
  }
}
