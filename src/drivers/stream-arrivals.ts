/**
 * Accepted connections that the kernel does not watch for us yet. The first bytes of most are there when
 * they are accepted, so they are read at once; and who says with them that nothing follows is answered
 * and closed before there is any event to tell. All others are watched from the end of the turn on, and
 * those too when their answer takes long: nothing but their end can be learned late.
 */

import { monotonicMs } from "./clock.ts";

/** For so long, at most twice, nobody notices that a client hung up before its last answer. */
const PATIENCE_MS = 50;

export interface Arrival {
  isUnwatched: boolean;
  /** Where it stands among those that rest; -1 = nowhere. */
  restsAt: number;
  restsSince: number;
  /** Nothing but its end can come. */
  readonly hasSaidAll: boolean;
  /** From now on, if it is not. */
  watch(): void;
}

export class Arrivals {
  /** Of this turn. */
  readonly #fresh: Arrival[] = [];
  readonly #resting: Arrival[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  add(arrival: Arrival): void {
    this.#fresh.push(arrival);
  }

  /** At the end of a turn. */
  settle(now: number): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    for (const arrival of fresh) {
      if (!arrival.isUnwatched) continue;
      if (arrival.hasSaidAll) this.#rest(arrival, now);
      else arrival.watch();
    }
    fresh.length = 0;
  }

  /** It is gone, or watched. */
  forget(arrival: Arrival): void {
    const at = arrival.restsAt;
    if (at < 0) return;
    arrival.restsAt = -1;
    const last = this.#resting.pop()!;
    if (last === arrival) return;
    this.#resting[at] = last;
    last.restsAt = at;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #rest(arrival: Arrival, now: number): void {
    arrival.restsSince = now;
    arrival.restsAt = this.#resting.length;
    this.#resting.push(arrival);
    this.#timer ??= setTimeout(this.#look, PATIENCE_MS);
  }

  readonly #look = (): void => {
    const resting = this.#resting;
    const until = monotonicMs() - PATIENCE_MS;
    // Backwards: who is watched leaves its place to one that was looked at.
    for (let i = resting.length - 1; i >= 0; i--) {
      const arrival = resting[i]!;
      if (arrival.restsSince <= until) arrival.watch();
    }
    this.#timer = resting.length > 0 ? setTimeout(this.#look, PATIENCE_MS) : undefined;
  };
}
