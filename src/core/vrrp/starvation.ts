/**
 * How late a master's adverts are. One late advert is a busy machine; several soon after each
 * other mean that the next may come too late, and it is better to resign while that still works.
 */

/** Missed intervals that add up to starvation. */
const LIMIT = 3;
/** Adverts on time that take one missed interval off. */
const FORGIVE_AFTER = 20;

export class Starvation {
  #missed = 0;
  #onTime = 0;

  /** `lateMs`: how long after its time an advert goes out. True when the master is starved. */
  advert(lateMs: number, intervalMs: number): boolean {
    const missed = Math.floor(lateMs / intervalMs);
    if (missed === 0) {
      this.#onTime++;
      if (this.#onTime >= FORGIVE_AFTER) {
        this.#onTime = 0;
        this.#missed = Math.max(0, this.#missed - 1);
      }
      return false;
    }
    this.#onTime = 0;
    this.#missed += missed;
    return this.#missed >= LIMIT;
  }

  reset(): void {
    this.#missed = 0;
    this.#onTime = 0;
  }
}
