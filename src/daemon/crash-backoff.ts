/**
 * How long to wait before a process that ended is started again: not at all the first time,
 * because every millisecond without it may be an outage; longer and longer while it keeps dying.
 */

/** Living that long forgives what was before. */
const FORGIVEN_AFTER_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

export class CrashBackoff {
  #startedMs = -Infinity;
  #quickDeaths = 0;

  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** The pause before the next start, ms. */
  ended(nowMs: number): number {
    if (nowMs - this.#startedMs >= FORGIVEN_AFTER_MS) this.#quickDeaths = 0;
    const deaths = this.#quickDeaths++;
    if (deaths === 0) return 0;
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(deaths - 1, 16));
  }
}
