/** How late the router is woken: last, largest, and a 99th percentile from fixed buckets. */

/** Upper ends of the buckets, ms. */
const BUCKETS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, Infinity];
/** Samples after which the buckets are halved, so that the past fades. */
const FADE_AFTER = 10_000;

export class Lateness {
  lastMs: number = 0;
  maxMs: number = 0;
  readonly #counts = new Uint32Array(BUCKETS.length);
  #total = 0;

  record(lateMs: number): void {
    this.lastMs = lateMs;
    if (lateMs > this.maxMs) this.maxMs = lateMs;
    let i = 0;
    while (lateMs > BUCKETS[i]!) i++;
    this.#counts[i]!++;
    this.#total++;
    if (this.#total >= FADE_AFTER) this.#fade();
  }

  /** The upper end of the bucket that holds the 99th percentile; the maximum where it has none. */
  get p99Ms(): number {
    let seen = 0;
    for (const [i, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= this.#total * 0.99) return Math.min(BUCKETS[i]!, this.maxMs);
    }
    return this.maxMs;
  }

  #fade(): void {
    this.#total = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      this.#counts[i] = this.#counts[i]! >> 1;
      this.#total += this.#counts[i]!;
    }
  }
}
