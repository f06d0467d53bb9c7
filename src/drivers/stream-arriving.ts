/** The first moments of an accepted connection, which the kernel may not watch for us yet (see `Arrivals`). */

import { errnoName } from "./ffi.ts";
import type { Arrival } from "./stream-arrivals.ts";
import * as calls from "./stream-calls.ts";
import { Sender, type StreamLoop } from "./stream-loop.ts";

export const WIRE_EVENTS: number =
  calls.EPOLLIN | calls.EPOLLOUT | calls.EPOLLRDHUP | calls.EPOLLET;

export abstract class ArrivingSender extends Sender implements Arrival {
  isUnwatched = false;
  restsAt = -1;
  restsSince = 0;
  protected readonly loop: StreamLoop;
  /** The kernel may have more for us than was read. */
  protected isReadable = false;

  constructor(loop: StreamLoop, fd: number, isToServer: boolean) {
    super(fd, isToServer);
    this.loop = loop;
  }

  abstract get hasSaidAll(): boolean;
  /** Told at the end of the turn. */
  abstract fail(reason: string): void;

  /**
   * Accepted, and its peer is set: its first bytes are there or come soon, and are looked for in this
   * turn. Watched from the end of the turn on, or later.
   */
  arrive(): void {
    this.isUnwatched = true;
    this.isReadable = true;
    this.loop.arrivals.add(this);
    this.loop.makeReady(this);
  }

  watch(): void {
    if (!this.isUnwatched) return;
    this.hasArrived();
    const result = this.loop.add(this, WIRE_EVENTS);
    if (result < 0) this.fail(errnoName(result));
  }

  /** It is watched from now on, or gone. */
  protected hasArrived(): void {
    if (!this.isUnwatched) return;
    this.isUnwatched = false;
    this.loop.arrivals.forget(this);
  }
}
