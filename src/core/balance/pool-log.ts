/** What happened in a pool since it was last asked. */

import type { PoolEvent, PoolEventKind } from "./pool-ports.ts";
import type { Server } from "./server.ts";

/** Far more than one call can make; the oldest go when nobody asks. */
const MAX_EVENTS = 100_000;
const NONE: readonly PoolEvent[] = [];

export class PoolLog {
  #events: PoolEvent[] = [];

  add(at: number, kind: PoolEventKind, server: Server | undefined, reason: string): void {
    if (this.#events.length === MAX_EVENTS) this.#events.shift();
    this.#events.push({ at, kind, server, reason });
  }

  take(): readonly PoolEvent[] {
    if (this.#events.length === 0) return NONE;
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** `41 s`, `5 min`, for sentences. */
export function roughly(ms: number): string {
  const seconds = Math.ceil(Math.max(0, ms) / 1000);
  if (seconds < 120) return `${seconds} s`;
  return `${Math.round(seconds / 60)} min`;
}
