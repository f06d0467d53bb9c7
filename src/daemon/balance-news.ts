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
  "server-quorum-lost": "quorum",
  "server-quorum-regained": "quorum",
};

/** Each worker drains a server by itself: what one said before does not count any more. */
const DRAINS_ANEW: ReadonlySet<EventDraft["kind"]> = new Set([
  "server-drain-started",
  "server-maint",
  "server-ready",
  "server-removed",
]);

interface Told {
  readonly atMs: number;
  readonly by: WeakRef<object>;
}

export class BalanceNews {
  /** Workers that have no request of the server left. */
  readonly #empty = new Map<string, WeakSet<object>>();
  readonly #recent = new Map<string, Told>();
  readonly #lasting = new Map<string, string>();

  /** A server is drained when the last worker says so; all else is true when one says it. */
  isWhole({ kind, instance }: EventDraft, worker: object, workers: readonly object[]): boolean {
    if (DRAINS_ANEW.has(kind)) this.#empty.get(instance)?.delete(worker);
    if (kind !== "server-drained") return true;
    const empty = this.#empty.get(instance) ?? new WeakSet();
    this.#empty.set(instance, empty.add(worker));
    return workers.every((one) => empty.has(one));
  }

  isNews(event: EventDraft, worker: object): boolean {
    const { kind, instance, reason } = event;
    const aspect = LASTING[kind];
    const told = this.#toldLately(`${kind} ${instance} ${reason}`);
    if (aspect === undefined) {
      if (told === undefined) this.#tell(event, worker);
      return told === undefined;
    }
    const key = `${aspect} ${instance}`;
    const state = aspect === "tier" ? reason : kind;
    if (this.#lasting.get(key) === state) return false;
    // Workers do not learn at the same moment: this may be the last one's word of what is over already.
    // Whoever told it says it again only when it has happened again.
    if (told !== undefined && told !== worker) return false;
    this.#lasting.set(key, state);
    this.#tell(event, worker);
    return true;
  }

  /** Servers and pools that are gone; one that comes back is news again. */
  forget(isKnown: (instance: string) => boolean): void {
    for (const instance of this.#empty.keys()) {
      if (!isKnown(instance)) this.#empty.delete(instance);
    }
    for (const key of this.#lasting.keys()) {
      if (!isKnown(key.slice(key.indexOf(" ") + 1))) this.#lasting.delete(key);
    }
  }

  /** Which worker told it a moment ago, if any did. */
  #toldLately(key: string): object | undefined {
    const told = this.#recent.get(key);
    return told !== undefined && monotonicMs() - told.atMs <= SAME_MS ? told.by.deref() : undefined;
  }

  #tell({ kind, instance, reason }: EventDraft, worker: object): void {
    if (this.#recent.size >= MAX_RECENT) this.#recent.clear();
    const told = { atMs: monotonicMs(), by: new WeakRef(worker) };
    this.#recent.set(`${kind} ${instance} ${reason}`, told);
  }
}
