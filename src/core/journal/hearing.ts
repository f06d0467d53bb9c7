/**
 * Who heard whom: records in which a node says that something of its own came of another node's
 * doing, and the records in which that other one says that it did it. VRRP's packets carry no number
 * by which one could be found from the other; what, of whom and about when must do.
 */

import type { JournalRecord } from "./record.ts";

/** `farewell`: it was master and gave the addresses away. `mastery`: it became master. */
type Deed = "farewell" | "mastery";

export interface Hearing {
  readonly record: JournalRecord;
  /** Where the heard one's adverts come from. */
  readonly peer: string;
  readonly deed: Deed;
  /** Heard right after it was done, not some time later: says how far apart two clocks are. */
  readonly isPrompt: boolean;
}

const DEEDS: Readonly<Record<string, readonly [Deed, isPrompt: boolean]>> = {
  resigned: ["farewell", true],
  outranked: ["mastery", true],
  lower: ["mastery", false],
  silent: ["mastery", false],
};

/** Kinds that name a peer which must have been master to be heard. */
const OF_MASTERS: ReadonlySet<string> = new Set(["split-brain-found", "peer-lost"]);

/** What a record says of another node, if anything. */
export function hearingOf(record: JournalRecord): Hearing | undefined {
  const { data, kind } = record;
  if (data === undefined || typeof data["peer"] !== "string") return undefined;
  const { peer, cause } = data as { readonly peer: string; readonly cause?: string };
  if (OF_MASTERS.has(kind)) return { record, peer, deed: "mastery", isPrompt: false };
  const [deed, isPrompt] = DEEDS[cause ?? ""] ?? [];
  if (deed === undefined || isPrompt === undefined) return undefined;
  return { record, peer, deed, isPrompt };
}

/** What each address did with each instance, in the order of its node's journal. */
export class Deeds {
  readonly #deeds = new Map<string, JournalRecord[]>();

  /** Records of one node come in the order of their numbers. */
  add(record: JournalRecord): void {
    const { data, kind, subject } = record;
    const address = data?.["address"];
    if (kind !== "state-changed" || typeof address !== "string") return;
    const deed = data?.["to"] === "MASTER" ? "mastery" : undefined;
    const gone = data?.["from"] === "MASTER" && data["cause"] !== "outranked";
    const done = deed ?? (gone ? "farewell" : undefined);
    if (done === undefined) return;
    const key = `${done} ${address} ${subject}`;
    const list = this.#deeds.get(key);
    if (list === undefined) this.#deeds.set(key, [record]);
    else list.push(record);
  }

  /** What `hearing` may have heard. */
  of({ record, peer, deed }: Hearing): readonly JournalRecord[] {
    const found = this.#deeds.get(`${deed} ${peer} ${record.subject}`) ?? [];
    return found.filter(({ node }) => node !== record.node);
  }
}
