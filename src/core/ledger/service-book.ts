/**
 * The evidence of one service, bounded, in any order of arrival. What is asked of it is computed from
 * all of it, so evidence that comes late changes the answer as if it had come in time.
 */

import {
  type Evidence,
  type Happening,
  type Harm,
  isFoundBy,
  type PartChange,
  type Remark,
} from "./evidence.ts";
import type { Span } from "./intervals.ts";

/** Bad buckets that touch are one; these are separate ones. */
const MAX_HARM = 20_000;
const MAX_CHANGES = 50_000;
const MAX_REMARKS = 10_000;

/** A part that is missing, and since when; `toMs` is Infinity while it is. */
export interface Outage extends Span {
  readonly part: string;
  readonly layer: PartChange["layer"];
  readonly reason: string;
}

export class ServiceBook {
  #harm: Harm[] = [];
  #changes: PartChange[] = [];
  #happenings: Happening[] = [];
  #remarks: Remark[] = [];
  /** Pieces of evidence that had to give way; the oldest go first. */
  dropped = 0;

  get harm(): readonly Harm[] {
    return this.#harm;
  }

  get happenings(): readonly Happening[] {
    return this.#happenings;
  }

  get remarks(): readonly Remark[] {
    return this.#remarks;
  }

  add(evidence: Evidence): void {
    switch (evidence.type) {
      case "harm":
        this.#addHarm(evidence);
        break;
      case "out":
      case "back":
        insert(this.#changes, evidence);
        this.#changes = this.#bounded(this.#changes, MAX_CHANGES);
        break;
      case "annotated":
      case "classed":
      case "owned":
        insert(this.#remarks, evidence);
        this.#remarks = this.#bounded(this.#remarks, MAX_REMARKS);
        break;
      default:
        insert(this.#happenings, evidence);
        this.#happenings = this.#bounded(this.#happenings, MAX_CHANGES);
    }
  }

  outages(): Outage[] {
    const open = new Map<string, PartChange>();
    const result: Outage[] = [];
    const end = (part: string, atMs: number): void => {
      const since = open.get(part);
      if (since === undefined) return;
      const { layer, reason } = since;
      result.push({ part, layer, reason, fromMs: since.atMs, toMs: atMs });
      open.delete(part);
    };
    const ends = this.#happenings.filter(({ type }) => type === "settled" || type === "afresh");
    let next = 0;
    const settleUntil = (atMs: number): void => {
      for (; next < ends.length && ends[next]!.atMs <= atMs; next++) {
        const one = ends[next]!;
        for (const part of open.keys()) {
          if (one.type !== "afresh" || isFoundBy(part, one.node)) end(part, one.atMs);
        }
      }
    };
    for (const change of this.#changes) {
      settleUntil(change.atMs);
      if (change.type === "back") end(change.part, change.atMs);
      else if (!open.has(change.part)) open.set(change.part, change);
    }
    settleUntil(Infinity);
    for (const part of open.keys()) end(part, Infinity);
    return result;
  }

  /** Buckets of one vantage and severity that touch become one. */
  #addHarm(harm: Harm): void {
    const alike = (one: Harm): boolean =>
      one.vantage === harm.vantage && one.severity === harm.severity;
    let i = this.#harm.length;
    while (i > 0 && this.#harm[i - 1]!.fromMs > harm.fromMs) i--;
    const before = this.#harm.findLastIndex((one, k) => k < i && alike(one) && touch(one, harm));
    const merged = before === -1 ? harm : join(this.#harm[before]!, harm);
    if (before === -1) this.#harm.splice(i, 0, harm);
    else this.#harm[before] = merged;
    const at = before === -1 ? i : before;
    const after = this.#harm.findIndex((one, k) => k > at && alike(one) && touch(merged, one));
    if (after !== -1) {
      this.#harm[at] = join(merged, this.#harm[after]!);
      this.#harm.splice(after, 1);
    }
    this.#harm = this.#bounded(this.#harm, MAX_HARM);
  }

  #bounded<T>(list: T[], most: number): T[] {
    if (list.length <= most) return list;
    const less = Math.ceil(most / 10);
    this.dropped += less;
    return list.slice(less);
  }
}

function touch(a: Span, b: Span): boolean {
  return a.fromMs <= b.toMs && b.fromMs <= a.toMs;
}

function join(a: Harm, b: Harm): Harm {
  return {
    ...a,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    seenMs: Math.min(a.seenMs, b.seenMs),
    good: a.good + b.good,
    bad: a.bad + b.bad,
  };
}

/** Sorted by time; what happened at one moment by its text, so that the order of arrival is no matter. */
function insert<T extends Told>(list: T[], item: T): void {
  let i = list.length;
  while (i > 0 && isAfter(list[i - 1]!, item)) i--;
  list.splice(i, 0, item);
}

interface Told {
  readonly atMs: number;
  readonly reason: string;
}

function isAfter(a: Told, b: Told): boolean {
  if (a.atMs !== b.atMs) return a.atMs > b.atMs;
  // Hundreds may share a moment, and their sentences nearly always differ.
  if (a.reason !== b.reason) return a.reason > b.reason;
  return JSON.stringify(a) > JSON.stringify(b);
}
