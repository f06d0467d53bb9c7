/**
 * When other nodes fell silent and were heard again, as records: an event for people, and what a look at the past
 * goes by, because a node that dies says nothing more of itself.
 */

import type { JournalRecord } from "../core/journal/record.ts";
import type { NodeView } from "./api.ts";
import { STALE_MS } from "./group-view.ts";
import type { Journal } from "./journal.ts";

const MAX_LOOKS = 40;

export class NodePresence {
  readonly #journal: Pick<Journal, "say">;
  readonly #heard = new Map<string, boolean>();

  constructor(journal: Pick<Journal, "say">) {
    this.#journal = journal;
  }

  look(nodes: readonly NodeView[], nowMs: number): void {
    for (const { name, isSelf, state, reason, ageMs = 0 } of nodes) {
      const isHeard = state !== "UNKNOWN";
      if (isSelf || isHeard === (this.#heard.get(name) ?? false)) continue;
      this.#heard.set(name, isHeard);
      const record = { source: "console", subject: name, reason } as const;
      if (isHeard) this.#journal.say({ ...record, level: "info", kind: "node-heard" });
      else {
        const data = { lastMs: nowMs - ageMs };
        this.#journal.say({ ...record, level: "warning", kind: "node-lost", data });
      }
    }
  }
}

/** When the node was last heard and why no more, if it was silent at that moment. */
export interface Silence {
  readonly lastMs: number;
  readonly reason: string;
}

/** A silence is noticed later than it begins: records behind the moment tell of it, too. */
export function silenceOf(
  journal: Pick<Journal, "find">,
  node: string,
  atMs: number,
): Silence | undefined {
  const untilMs = atMs + 2 * STALE_MS;
  const records = journal.find({ subject: node, untilMs, newest: true, limit: MAX_LOOKS });
  return silenceIn(records, atMs);
}

/** `records`: of the node, oldest first. */
export function silenceIn(records: readonly JournalRecord[], atMs: number): Silence | undefined {
  for (const { kind, wallMs, reason, data } of records.toReversed()) {
    if (kind === "node-heard" && wallMs <= atMs) return undefined;
    const lastMs = kind === "node-lost" ? Number(data?.["lastMs"] ?? wallMs) : Infinity;
    if (lastMs < atMs) return { lastMs, reason };
  }
  return undefined;
}
