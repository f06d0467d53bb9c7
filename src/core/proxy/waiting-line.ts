/** Requests or connections of one pool that wait until a server has a place for them. */

import type { Pool } from "../balance/pool.ts";
import type { PickRequest } from "../balance/pool-ports.ts";
import type { Server } from "../balance/server.ts";
import type { Dropped, QueueClass, Ticket } from "../balance/wait-queue.ts";
import type { EngineParts } from "./engine-parts.ts";
import { type Failure, refusedInLine, waitedTooLong } from "./failures.ts";
import { COUNTERS, type Traffic } from "./traffic.ts";

interface Waiter<Self> {
  ticket: Ticket<Self> | undefined;
  readonly pick: PickRequest;
}

export interface LineOptions<Self> {
  readonly pool: Pool<Self>;
  /** Of the frontend that it came to. */
  readonly trafficOf: (waiter: Self) => Traffic;
  /** Its turn has come. */
  readonly attempt: (waiter: Self, server: Server) => void;
  readonly refuse: (waiter: Self, failure: Failure) => void;
}

export class WaitingLine<Self extends Waiter<Self>> {
  readonly #parts: EngineParts;
  readonly #options: LineOptions<Self>;
  #isServing = false;

  constructor(parts: EngineParts, options: LineOptions<Self>) {
    this.#parts = parts;
    this.#options = options;
  }

  join(waiter: Self, queueClass: QueueClass): void {
    const { pool } = this.#options;
    waiter.ticket = pool.enqueue(this.#parts.now, waiter, waiter.pick, queueClass);
    if (waiter.ticket === undefined) this.#refuse(waiter, refusedInLine("the line is full"));
  }

  leave(waiter: Self): void {
    if (waiter.ticket !== undefined) this.#options.pool.leave(waiter.ticket);
    waiter.ticket = undefined;
  }

  /** Places may have come. Whoever is served may change the pool: that is seen in the same go. */
  serve(): void {
    const { pool, attempt } = this.#options;
    if (this.#isServing) return;
    this.#isServing = true;
    while (pool.waiting > 0) {
      const { now } = this.#parts;
      const grant = pool.nextGrant(now);
      if (grant !== undefined) {
        grant.waiter.ticket = undefined;
        attempt(grant.waiter, grant.server);
        continue;
      }
      const dropped = pool.nextDropped(now);
      if (dropped === undefined) break;
      dropped.waiter.ticket = undefined;
      this.#refuse(dropped.waiter, failureOf(dropped));
    }
    this.#isServing = false;
  }

  #refuse(waiter: Self, failure: Failure): void {
    this.#options.trafficOf(waiter).add(COUNTERS.queueRefused, 1);
    this.#options.refuse(waiter, failure);
  }
}

function failureOf({ why, waitedMs }: Dropped<unknown>): Failure {
  if (why === "timeout") return waitedTooLong(waitedMs);
  return refusedInLine(`gave way to a higher class after ${Math.round(waitedMs)} ms in line`);
}
