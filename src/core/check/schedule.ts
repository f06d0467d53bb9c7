/** When a repeated check runs: a fixed grid, so that a slow run does not shift all later ones. */

/** Checks that start together are put this far apart at most, ms: quick to know, no stampede. */
const START_STEP_MS = 20;

/** Delay of the first run of check `index` out of `count`, ms. */
export function startOffset(index: number, count: number, intervalMs: number): number {
  return index * Math.min(START_STEP_MS, intervalMs / Math.max(1, count));
}

export class Schedule {
  readonly #intervalMs: number;
  #nextMs: number;

  /** First run at `firstMs`, then every `intervalMs` (more than 0). */
  constructor(firstMs: number, intervalMs: number) {
    this.#nextMs = firstMs;
    this.#intervalMs = intervalMs;
  }

  get nextMs(): number {
    return this.#nextMs;
  }

  due(now: number): boolean {
    return now >= this.#nextMs;
  }

  /** Goes to the first point of the grid after `now`; missed points are skipped, not made up. */
  advance(now: number): void {
    const missed = Math.floor((now - this.#nextMs) / this.#intervalMs);
    this.#nextMs += (Math.max(0, missed) + 1) * this.#intervalMs;
    // Rounding of large quotients may leave the point at or before `now`.
    if (this.#nextMs <= now) this.#nextMs = now + this.#intervalMs;
  }
}
