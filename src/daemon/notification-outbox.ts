/**
 * Notifications that the check role has not acknowledged yet. They outlive any number of check
 * processes; a fresh one gets all that wait. Bounded: at the bound, lines for FIFOs alone go first, then what
 * a later notification of the same instance or group has overtaken, so the last word of each is never lost.
 */

import { isLineOnly } from "../core/notify/commands.ts";
import type { RouterAction } from "../core/vrrp/router-ports.ts";
import type { Notification } from "./role-protocol.ts";

/** Four changes of state for each of 255 instances while nobody listens. */
export const MAX_WAITING = 1024;

export class NotificationOutbox {
  readonly #waiting: Notification[] = [];
  #lastSeq = 0;
  dropped = 0;

  get length(): number {
    return this.#waiting.length;
  }

  add(order: Extract<RouterAction, { type: "notify" }>, wallMs: number): Notification {
    const { type: _type, ...what } = order;
    const notification = { seq: ++this.#lastSeq, ...what, wallMs };
    this.#waiting.push(notification);
    if (this.#waiting.length > MAX_WAITING) this.#dropOne();
    return notification;
  }

  /** Everything up to and including `seq` is in good hands. */
  acknowledge(seq: number): void {
    let done = 0;
    while (done < this.#waiting.length && this.#waiting[done]!.seq <= seq) done++;
    this.#waiting.splice(0, done);
  }

  /** Oldest first. */
  list(): readonly Notification[] {
    return this.#waiting;
  }

  #dropOne(): void {
    this.dropped++;
    // A line about a priority is no word about a state.
    const line = this.#waiting.findIndex(isLineOnly);
    const overtaken = this.#waiting.findIndex((old, at) =>
      this.#waiting.some((one, i) => i > at && one.scope === old.scope && one.name === old.name),
    );
    this.#waiting.splice(line >= 0 ? line : Math.max(0, overtaken), 1);
  }
}
