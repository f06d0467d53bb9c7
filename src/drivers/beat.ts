/**
 * For what a process does again and again while nothing happens. To wake costs it several times what it then does,
 * so all that is due in a second is done at one moment, the turn of the wall clock's second.
 */

import { wallMs } from "./clock.ts";

const SECOND_MS = 1_000;
/** Timers count whole ms and may be a fraction early. */
const AFTER_TURN_MS = 2;

interface Task {
  readonly work: () => void;
  readonly everyS: number;
  /** Which of its turns was the last. */
  turn: number;
}

/** Until the next turn of a second. */
export function untilBeatMs(): number {
  return SECOND_MS - (wallMs() % SECOND_MS) + AFTER_TURN_MS;
}

export class Beat {
  readonly #tasks = new Set<Task>();
  #timer: NodeJS.Timeout | undefined;

  /** `everyMs`: whole seconds. The process is not kept alive by it. What is returned ends it. */
  on(work: () => void, everyMs: number): () => void {
    const everyS = everyMs / SECOND_MS;
    const task = { work, everyS, turn: Math.floor(wallMs() / everyMs) };
    this.#tasks.add(task);
    this.#arm();
    return () => {
      this.#tasks.delete(task);
      this.#arm();
    };
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const nowMs = wallMs();
    let inMs = Infinity;
    for (const { everyS, turn } of this.#tasks) {
      const dueMs = (turn + 1) * everyS * SECOND_MS - nowMs;
      // Of a clock that was set back it would be long.
      inMs = Math.min(inMs, dueMs, everyS * SECOND_MS);
    }
    if (inMs === Infinity) return;
    // A process that was held up finds a turn that has passed.
    this.#timer = setTimeout(() => this.#strike(), Math.max(0, inMs) + AFTER_TURN_MS).unref();
  }

  #strike(): void {
    const second = Math.floor(wallMs() / SECOND_MS);
    const due = [...this.#tasks].filter((task) => {
      const before = task.turn;
      task.turn = Math.floor(second / task.everyS);
      return task.turn !== before;
    });
    this.#arm();
    for (const task of due) if (this.#tasks.has(task)) task.work();
  }
}

const beat = new Beat();

/** On the one that all of a process share; as `Beat.on`. */
export function onBeat(work: () => void, everyMs: number): () => void {
  return beat.on(work, everyMs);
}
