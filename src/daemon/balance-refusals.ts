/** Connections that never became clients, told at a bounded rate: anybody can make them fail. */

import { monotonicMs } from "../drivers/clock.ts";
import type { EventDraft } from "./event-log.ts";

const TELL_EVERY_MS = 60_000;

interface Tally {
  count: number;
  toldAtMs: number;
}

export class RefusalReport {
  readonly #tell: (event: EventDraft) => void;
  /** By frontend. */
  readonly #tallies = new Map<string, Tally>();

  constructor(tell: (event: EventDraft) => void) {
    this.#tell = tell;
  }

  add(frontend: string, why: string): void {
    const now = monotonicMs();
    const tally = this.#tallies.get(frontend) ?? { count: 0, toldAtMs: -Infinity };
    this.#tallies.set(frontend, tally);
    tally.count++;
    if (now - tally.toldAtMs < TELL_EVERY_MS) return;
    const others = tally.count === 1 ? "" : ` (and ${tally.count - 1} others since the last note)`;
    const reason = `frontend ${frontend}: a connection was refused: ${why}${others}`;
    this.#tell({
      source: "balance",
      level: "info",
      kind: "clients-refused",
      instance: "",
      reason,
    });
    tally.toldAtMs = now;
    tally.count = 0;
  }
}
