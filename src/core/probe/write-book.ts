/**
 * Which writes a service has acknowledged, and which of them are gone. The recovery point of a switch is
 * measured as a user would lose it: from the last write that survived to the last that did not.
 */

/** Neighbouring writes that were acknowledged and are gone. Times of their acknowledgements, Unix ms. */
export interface WorkLoss {
  /** Of the last write before them that is still there; of the first of them, when none is known. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly lost: number;
  /** `toMs - fromMs`. */
  readonly rpoMs: number;
}

interface Row {
  readonly n: number;
  readonly atMs: number;
}

export class WriteBook {
  readonly #keep: number;
  /** Oldest first. */
  #rows: Row[] = [];
  /** Of the last row that is not kept any more. */
  #beforeMs: number | undefined;
  #hasFailed = false;
  #isDue = false;
  #acknowledged = 0;
  #lost = 0;

  /** `keep`: so many of the newest are read again after a switch. */
  constructor(keep: number) {
    this.#keep = keep;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get lost(): number {
    return this.#lost;
  }

  /** All that is kept is to be read again. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Numbers that are to be read, oldest first. */
  get kept(): readonly number[] {
    return this.#rows.map(({ n }) => n);
  }

  get newest(): number | undefined {
    return this.#rows.at(-1)?.n;
  }

  acknowledge(n: number, atMs: number): void {
    this.#acknowledged++;
    this.#rows.push({ n, atMs });
    if (this.#rows.length > this.#keep) this.#beforeMs = this.#rows.shift()!.atMs;
    // Who answers after a failure may be another one than before.
    if (this.#hasFailed) this.#isDue = true;
    this.#hasFailed = false;
  }

  /** A write that nobody acknowledged may be lost: nobody was promised anything. */
  refuse(): void {
    this.#hasFailed = true;
  }

  doubt(): void {
    this.#isDue = true;
  }

  /** What was found of `kept`; a number that is missing could not be asked for and is due again. */
  settle(found: ReadonlyMap<number, "there" | "gone">): readonly WorkLoss[] {
    const losses: WorkLoss[] = [];
    const left: Row[] = [];
    let aliveMs = this.#beforeMs;
    let run: Row[] = [];
    const endRun = (): void => {
      const [first, last] = [run[0], run.at(-1)];
      if (first === undefined || last === undefined) return;
      const fromMs = aliveMs ?? first.atMs;
      losses.push({ fromMs, toMs: last.atMs, lost: run.length, rpoMs: last.atMs - fromMs });
      run = [];
    };
    for (const row of this.#rows) {
      if (found.get(row.n) === "gone") {
        run.push(row);
        continue;
      }
      endRun();
      left.push(row);
      if (found.has(row.n)) aliveMs = row.atMs;
    }
    endRun();
    this.#rows = left;
    this.#lost += losses.reduce((sum, { lost }) => sum + lost, 0);
    this.#isDue = left.some(({ n }) => !found.has(n));
    return losses;
  }
}
