/**
 * Looks out of turn. When a listening socket of this machine ends, some service has probably just
 * died: a check that would be due in seconds can run now. It runs twice, at once and a moment
 * later, because a process that is still on its way out may look alive to the first.
 *
 * A failure counts like any other (`fall` still holds), and the regular schedule is not moved.
 * At most one pair of looks in half an interval, so that a machine that opens and closes sockets
 * all day does not run its scripts all day.
 */

const SECOND_LOOK_MS = 100;
const SHORTEST_QUIET_MS = 200;
const QUIET_SHARE = 0.5;

export class EarlyLook {
  readonly #quietMs: number;
  #quietUntilMs = -Infinity;
  #nextMs = Infinity;
  #left = 0;

  constructor(intervalMs: number) {
    this.#quietMs = Math.max(SHORTEST_QUIET_MS, intervalMs * QUIET_SHARE);
  }

  /** When to look; Infinity = no reason to. */
  get nextMs(): number {
    return this.#nextMs;
  }

  serviceEnded(now: number): void {
    if (now < this.#quietUntilMs) return;
    this.#quietUntilMs = now + this.#quietMs;
    this.#nextMs = now;
    this.#left = 2;
  }

  /** A run begins, for this reason or any other. */
  runStarted(now: number): void {
    if (now >= this.#nextMs) this.#left--;
    this.#nextMs = Infinity;
  }

  runEnded(now: number, ok: boolean): void {
    if (!ok) this.#left = 0;
    if (this.#left > 0) this.#nextMs = now + SECOND_LOOK_MS;
  }
}
