/** Named periods that records begin and end: maintenance, drills. In any order of arrival. */

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
