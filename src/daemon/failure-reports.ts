/** Operating trouble of the drivers as events: each kind once, and again when it goes on. */

import type { RouterEvent } from "../core/vrrp/router-ports.ts";

/** The same sentence is not said again within that time, ms. */
const REPEAT_AFTER_MS = 60_000;
/** Sentences remembered; a driver has a handful. */
const MAX_REMEMBERED = 256;

export class FailureReports {
  readonly #report: (event: RouterEvent) => void;
  readonly #saidMs = new Map<string, number>();

  constructor(report: (event: RouterEvent) => void) {
    this.#report = report;
  }

  add(nowMs: number, instance: string, reason: string): void {
    const key = `${instance} ${reason}`;
    const saidMs = this.#saidMs.get(key) ?? -Infinity;
    if (nowMs - saidMs < REPEAT_AFTER_MS) return;
    if (this.#saidMs.size >= MAX_REMEMBERED) this.#saidMs.clear();
    this.#saidMs.set(key, nowMs);
    this.#report({ instance, kind: "note", level: "warning", reason });
  }
}
