/** The last decisions of one instance with what was known then: the memory behind `nines why`. */

import type { RouterAction, RouterEvent } from "./router-ports.ts";
import type { Decision } from "./status.ts";

const MAX_DECISIONS = 64;

export class DecisionLog {
  readonly #decisions: Decision[] = [];

  /** Keeps the event and orders its report. */
  record(at: Turn, event: RouterEvent, inputs: Decision["inputs"]): void {
    if (this.#decisions.length >= MAX_DECISIONS) this.#forgetOne();
    this.#decisions.push({ atMs: at.now, event, inputs });
    at.out.push({ type: "report", event });
  }

  list(): readonly Decision[] {
    return [...this.#decisions];
  }

  /** Who is not believed goes on sending: what is told of that every minute pushes no decision out. */
  #forgetOne(): void {
    const refused = this.#decisions.findIndex(({ event }) => event.kind === "rejected");
    this.#decisions.splice(Math.max(0, refused), 1);
  }
}

/** One step of the router: the moment, and where the actions go. */
export interface Turn {
  now: number;
  /** Unix time, ms; only for time stamps on the wire. */
  wallMs: number;
  /** How long the datagram at hand had waited when it was read, as far as that is believed. */
  waitedMs: number;
  readonly out: RouterAction[];
}
