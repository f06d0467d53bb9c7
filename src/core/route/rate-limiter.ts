/**
 * Generic cell rate algorithm: `burst` requests at once, then `perSecond`; one number per bucket.
 * Source: ITU-T I.371 annex A.
 */

import type { RateLimit } from "./route-settings.ts";

export class RateLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #size: number;
  /** Theoretical arrival time by key. A Map keeps the order of use: the first is the oldest. */
  readonly #arrivals = new Map<string, number>();

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
    this.#arrivals.delete(key);
    this.#arrivals.set(key, arrival + this.#intervalMs);
    if (this.#arrivals.size > this.#size) this.#forgetOldest();
    return 0;
  }

  get buckets(): number {
    return this.#arrivals.size;
  }

  #forgetOldest(): void {
    const oldest = this.#arrivals.keys().next();
    if (oldest.done !== true) this.#arrivals.delete(oldest.value);
  }
}
