/** Named periods that records begin and end: maintenance, drills. In any order of arrival. */

import type { LedgerRecord } from "./evidence.ts";

interface Change {
  /** What one period is known by. */
  readonly key: string;
  readonly subject: string;
  readonly atMs: number;
  readonly reason: string;
  /** When it ends if nobody ends it. */
  readonly untilMs: number;
}

export interface NamedPeriod {
  readonly key: string;
  readonly subject: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
}

/** Of each kind; the oldest give way. */
const MAX_CHANGES = 10_000;

/** A drill whose conductor died is mended by its guard and never finished: its last traces end then. */
const AFTER_UNDONE_MS = 360_000;
/** Neither was heard: no drill lasts longer. */
const LONGEST_DRILL_MS = 2 * 3_600_000;

/** What a record says of a drill here or on another node of the group (`near`); undefined: nothing. */
export function drillChange({
  kind,
  subject,
  wallMs,
  reason,
  data,
}: LedgerRecord): readonly ["start" | "end", Change] | undefined {
  const [, word] = /^drill-(?:near-)?(started|undone|finished)$/u.exec(kind) ?? [];
  if (word === undefined) return undefined;
  const id = data?.["run"] ?? data?.["id"];
  const key = typeof id === "string" ? id : subject;
  const atMs = word === "undone" ? wallMs + AFTER_UNDONE_MS : wallMs;
  const change = { key, subject, atMs, reason, untilMs: wallMs + LONGEST_DRILL_MS };
  return [word === "started" ? "start" : "end", change];
}

export class Periods {
  readonly #starts: Change[] = [];
  readonly #ends: Change[] = [];
  #all: NamedPeriod[] | undefined;

  add(what: "start" | "end", change: Change): void {
    const list = what === "start" ? this.#starts : this.#ends;
    list.push(change);
    list.sort((a, b) => a.atMs - b.atMs);
    if (list.length > MAX_CHANGES) list.shift();
    this.#all = undefined;
  }

  /** Each start lasts until the first end of its key after it, or as long as it said. */
  all(): readonly NamedPeriod[] {
    this.#all ??= this.#starts.map(({ key, subject, atMs: fromMs, reason, untilMs }) => {
      const end = this.#ends.find((one) => one.key === key && one.atMs >= fromMs);
      return { key, subject, fromMs, toMs: Math.min(untilMs, end?.atMs ?? Infinity), reason };
    });
    return this.#all;
  }
}
