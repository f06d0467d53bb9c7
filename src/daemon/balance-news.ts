/**
 * Every worker tells what it sees of a server, and a fresh one all of it: what is said once is
 * news, what was known before is not.
 */

import { monotonicMs } from "../drivers/clock.ts";
import type { PoolOverrides } from "./balance-protocol.ts";
import type { WorkerStatus } from "./balance-status.ts";
import type { EventDraft } from "./event-log.ts";

/** Workers tell the same change each; within that time one line is enough. */
const SAME_MS = 3_000;
const MAX_RECENT = 1024;
const DRAINED = "drained";

/** Of those only a change is news, however long ago the last one was. */
const LASTING: Partial<Record<EventDraft["kind"], string>> = {
  "server-up": "health",
  "server-down": "health",
  "server-panic-on": "panic",
  "server-panic-off": "panic",
  "server-tier": "tier",
  "server-quorum-lost": "quorum",
  "server-quorum-regained": "quorum",
  "server-drain-started": "order",
  "server-maint": "order",
  "server-ready": "order",
  "server-drained": DRAINED,
  "server-weight": "weight",
};

/** One worker decides on these for all, and it alone tells of it. */
const TOLD_BY_ONE: ReadonlySet<EventDraft["kind"]> = new Set(["server-ejected", "server-returned"]);

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
  readonly #now: () => number;

  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** Orders that workers have told to an earlier control process. */
  knows(orders: readonly PoolOverrides[]): void {
    for (const { pool, servers } of orders) {
      for (const { server, admin, weight } of servers) {
        const { state } = admin ?? {};
        const kind = state === "drain" ? "drain-started" : state;
        if (kind !== undefined) this.#lasting.set(`order ${pool}/${server}`, `server-${kind}`);
        if (weight !== undefined) this.#lasting.set(`weight ${pool}/${server}`, `-> ${weight}`);
      }
    }
  }

  /** What living workers told an earlier control process of their servers. */
  knowsHealth(living: readonly WorkerStatus[]): void {
    for (const pool of living.flatMap(({ pools }) => pools)) {
      for (const { name, state } of pool.servers) {
        const key = `health ${pool.name}/${name}`;
        if ((state === "up" || state === "down") && !this.#lasting.has(key))
          this.#lasting.set(key, `server-${state}`);
      }
    }
  }

  /** A server is drained when the last worker says so; all else is true when one says it. */
  isWhole({ kind, instance }: EventDraft, worker: object, workers: readonly object[]): boolean {
    if (DRAINS_ANEW.has(kind)) this.#empty.get(instance)?.delete(worker);
    if (kind !== "server-drained") return true;
    const empty = this.#empty.get(instance) ?? new WeakSet();
    this.#empty.set(instance, empty.add(worker));
    return workers.every((one) => empty.has(one));
  }

  isNews(event: EventDraft, worker: object): boolean {
    const { kind, instance } = event;
    if (TOLD_BY_ONE.has(kind)) return true;
    const aspect = aspectOf(event);
    const key = `${aspect} ${instance}`;
    const state = stateOf(event);
    if (aspect !== undefined && this.#lasting.get(key) === state) return false;
    // Workers do not learn at the same moment: this may be the last one's word of what is over already.
    // Whoever told it says it again only when it has happened again.
    const told = this.#toldLately(event);
    if (aspect !== DRAINED && told !== undefined && told !== worker) return false;
    if (aspect !== undefined) this.#lasting.set(key, state);
    if (DRAINS_ANEW.has(kind)) this.#lasting.delete(`${DRAINED} ${instance}`);
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
  #toldLately({ kind, instance, reason }: EventDraft): object | undefined {
    const told = this.#recent.get(`${kind} ${instance} ${reason}`);
    return told !== undefined && this.#now() - told.atMs <= SAME_MS ? told.by.deref() : undefined;
  }

  #tell({ kind, instance, reason }: EventDraft, worker: object): void {
    if (this.#recent.size >= MAX_RECENT) this.#recent.clear();
    const told = { atMs: this.#now(), by: new WeakRef(worker) };
    this.#recent.set(`${kind} ${instance} ${reason}`, told);
  }
}

/** A server's own weight, and the percentage that its check leaves it, change apart from each other. */
function aspectOf({ kind, reason }: EventDraft): string | undefined {
  return kind === "server-weight" && reason.includes("%") ? "percentage" : LASTING[kind];
}

function stateOf({ kind, reason }: EventDraft): string {
  if (kind === "server-tier") return reason;
  // `5 -> 7`: one that is fresh comes from what is configured, `1 -> 7`.
  if (kind === "server-weight") return reason.slice(reason.indexOf("-> "));
  return kind;
}
