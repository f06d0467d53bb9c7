/**
 * Every worker tells what it sees of a server, and a fresh one all of it: what is said once is
 * news, what was known before is not.
 */

import { monotonicMs } from "../drivers/clock.ts";
import type { EventDraft } from "./event-log.ts";

/** Workers tell the same change each; within that time one line is enough. */
const SAME_MS = 3_000;
const MAX_RECENT = 1024;

/** Of those only a change is news, however long ago the last one was. */
const LASTING: Partial<Record<EventDraft["kind"], string>> = {
  "server-up": "health",
  "server-down": "health",
  "server-panic-on": "panic",
  "server-panic-off": "panic",
  "server-tier": "tier",
};

export class BalanceNews {
  readonly #recent = new Map<string, number>();
  readonly #lasting = new Map<string, string>();

  isNews(event: EventDraft): boolean {
    const { kind, instance, reason } = event;
    const aspect = LASTING[kind];
    if (aspect === undefined) return this.#isFirst(`${kind} ${instance} ${reason}`);
    const key = `${aspect} ${instance}`;
    const state = aspect === "tier" ? reason : kind;
    if (this.#lasting.get(key) === state) return false;
    this.#lasting.set(key, state);
    // Workers do not learn at the same moment: the last one's word of what is over already.
    return this.#isFirst(`${kind} ${instance} ${reason}`);
  }

  /** Servers and pools that are gone; one that comes back is news again. */
  forget(isKnown: (instance: string) => boolean): void {
    for (const key of this.#lasting.keys()) {
      if (!isKnown(key.slice(key.indexOf(" ") + 1))) this.#lasting.delete(key);
    }
  }

  #isFirst(key: string): boolean {
    const now = monotonicMs();
    const isFirst = now - (this.#recent.get(key) ?? -Infinity) > SAME_MS;
    if (!isFirst) return false;
    if (this.#recent.size >= MAX_RECENT) this.#recent.clear();
    this.#recent.set(key, now);
    return true;
  }
}
