/** Requests that wait until a server has a free place: bounded, by class, in order of arrival. */

import type { Server } from "./server.ts";

/** Class of a waiting request, 0 first. */
export type QueueClass = 0 | 1 | 2 | 3;

/** One waiting request. `waiter` is the engine's own and never looked at. */
export interface Ticket<Waiter> {
  readonly waiter: Waiter;
  readonly queueClass: QueueClass;
  readonly enqueuedAt: number;
}

/** A place for a waiting request: call `Pool.started` before anything else. */
export interface Grant<Waiter> {
  readonly waiter: Waiter;
  readonly server: Server;
  readonly waitedMs: number;
}

/** A waiting request that is refused: its time is over, or a higher class took its place in line. */
export interface Dropped<Waiter> {
  readonly waiter: Waiter;
  readonly why: "timeout" | "displaced";
  readonly waitedMs: number;
}
