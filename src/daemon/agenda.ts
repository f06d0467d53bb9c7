/** Wakes many machines with one alarm. */

import { Alarm } from "../drivers/alarm.ts";
import { monotonicMs } from "../drivers/clock.ts";

export interface Sleeper {
  /** Monotonic ms; Infinity = never. */
  readonly deadline: number;
  /** At or after the deadline. Leaves a later deadline behind. */
  wake(now: number): void;
}

export class Agenda {
  readonly #sleepers = new Set<Sleeper>();
  readonly #alarm: Alarm = new Alarm(() => this.#due());
  #closed = false;

  add(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    this.settle();
  }

  delete(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  /** To be called whenever a deadline may have changed. */
  settle(): void {
    if (this.#closed) return;
    let earliest = Infinity;
    for (const { deadline } of this.#sleepers) earliest = Math.min(earliest, deadline);
    this.#alarm.set(earliest);
  }

  close(): void {
    this.#closed = true;
    this.#sleepers.clear();
    this.#alarm.close();
  }

  #due(): void {
    const now = monotonicMs();
    for (const sleeper of this.#sleepers) if (sleeper.deadline <= now) sleeper.wake(now);
    this.settle();
  }
}
