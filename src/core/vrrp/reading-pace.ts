/**
 * Whether adverts are read one by one, each as it comes, or several at a time. To be woken costs
 * more than to read an advert; a node that hears thousands in a second is cheaper when it lets
 * them gather for a moment, as network cards do with their interrupts.
 */

/** Between two readings of gathered adverts, ms: 4 % of `SHORTEST_INTERVAL_MS`. */
export const GATHER_MS = 4;
/** Below it every moment counts: nothing is gathered where an instance advertises more often. */
export const SHORTEST_INTERVAL_MS = 100;
/** Adverts in a window from which on they are gathered: two for each reading. */
const MANY = 8;
/** Fewer are read one by one again; far enough from `MANY` not to go to and fro. */
const FEW = 4;
/** Short: what began together advertises together, a whole second's adverts in a few ms. */
const WINDOW_MS = 8;

export class ReadingPace {
  #gathers = false;
  #windowEndsAtMs = 0;
  #heard = 0;

  /** `count` adverts (none, too) were read at `now`. True when the next ones are to gather. */
  read(now: number, count: number): boolean {
    if (now >= this.#windowEndsAtMs) {
      // A window that nothing was read in for long is a quiet one, whatever it held.
      const isFresh = now < this.#windowEndsAtMs + WINDOW_MS;
      this.#gathers = isFresh && this.#heard >= (this.#gathers ? FEW : MANY);
      this.#windowEndsAtMs = now + WINDOW_MS;
      this.#heard = 0;
    }
    this.#heard += count;
    if (this.#heard >= MANY) this.#gathers = true;
    return this.#gathers;
  }
}
