/**
 * Time that the host of a virtual machine gave to somebody else. A bound on real time holds for the time that this
 * machine had: a test may widen it by what was stolen while it measured. Where nothing is stolen the bound is as it was.
 */

import { readFileSync } from "node:fs";

/** The kernel counts in hundredths of a second, whatever its own tick (proc_stat(5), USER_HZ). */
const MS_PER_TICK = 10;
const STEAL_COLUMN = 8;

/** Stolen from all CPUs together since the machine has started, ms. */
export function stolenMs(stat: string = readFileSync("/proc/stat", "utf8")): number {
  const all = stat.slice(0, stat.indexOf("\n")).split(/\s+/u);
  return Number(all[STEAL_COLUMN] ?? 0) * MS_PER_TICK;
}

/** What is stolen from now on, or from `begin`, until `end` or for ever. */
export class Theft {
  readonly #read: () => number;
  #fromMs: number;
  #toMs: number | undefined;

  constructor(read: () => number = stolenMs) {
    this.#read = read;
    this.#fromMs = read();
  }

  /** Anew. */
  begin(): void {
    this.#fromMs = this.#read();
    this.#toMs = undefined;
  }

  end(): void {
    this.#toMs = this.#read();
  }

  get ms(): number {
    return (this.#toMs ?? this.#read()) - this.#fromMs;
  }
}

const MOST_TRIES = 3;

/**
 * For what a theft of more than `harmlessMs` makes fail, and no bound can be widened for. A try that fails without one
 * counts, and so does the last; `attempt` may move the span that is looked at.
 */
export async function againIfStolen<T>(
  harmlessMs: number,
  attempt: (theft: Theft) => Promise<T>,
  read: () => number = stolenMs,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const theft = new Theft(read);
    try {
      return await attempt(theft);
    } catch (error) {
      if (tries === MOST_TRIES || theft.ms <= harmlessMs) throw error;
      console.log(`once more, as the host took ${theft.ms} ms: ${(error as Error).message}`);
    }
  }
}
