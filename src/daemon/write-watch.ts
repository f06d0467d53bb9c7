/**
 * Writes numbered rows through a service, and reads again what was acknowledged whenever another one may
 * have taken over: after a failed write, when the row before is gone, and now and then.
 */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { WriteBook, type WorkLoss } from "../core/probe/write-book.ts";
import { wallMs } from "../drivers/clock.ts";
import type { WriteDoor } from "../drivers/write-door.ts";

export interface WriteWatchOptions {
  readonly door: WriteDoor;
  readonly everyMs: number;
  /** Rows that are read again; twice as many are used in turn. */
  readonly keep: number;
  /** Of keys, after `nines-`. */
  readonly name: string;
  readonly onLoss: (loss: WorkLoss) => void;
}

/** A copy that is about to catch up gets that long. */
const CONFIRM_TIMES = 3;
const CONFIRM_MS = 200;
const SWEEP_EVERY_MS = 60_000;
const READERS = 8;
/** For the last look of all: what cannot be read by then is not known to be lost. */
const LAST_WITHIN_MS = 20_000;

export class WriteWatch {
  readonly #options: WriteWatchOptions;
  readonly #book: WriteBook;
  /** Of this life: rows of another one are not ours. */
  readonly #run = randomBytes(4).toString("hex");
  readonly #stopping = new AbortController();
  readonly #writing: Promise<void>;
  #latest: WorkLoss | undefined;
  #sweptMs = wallMs();

  constructor(options: WriteWatchOptions) {
    this.#options = options;
    this.#book = new WriteBook(options.keep);
    this.#writing = this.#write();
  }

  get totals(): { readonly acknowledged: number; readonly lost: number } {
    const { acknowledged, lost } = this.#book;
    return { acknowledged, lost };
  }

  /** Without a last look: somebody else may write these rows from now on. */
  abandon(): void {
    this.#stopping.abort();
  }

  /** Reads everything once more. `worst`: the largest loss. */
  async stop(): Promise<{
    readonly acknowledged: number;
    readonly lost: number;
    readonly worst?: WorkLoss;
  }> {
    this.#stopping.abort();
    await this.#writing;
    const untilMs = wallMs() + LAST_WITHIN_MS;
    this.#book.doubt();
    while (this.#book.isDue && wallMs() < untilMs) {
      await this.#sweep();
      if (this.#book.isDue) await sleep(CONFIRM_MS);
    }
    const worst = this.#latest;
    return { ...this.totals, ...(worst === undefined ? {} : { worst }) };
  }

  async #write(): Promise<void> {
    const { door, everyMs } = this.#options;
    for (let n = 0; !this.#stopping.signal.aborted; n++) {
      const pause = sleep(everyMs);
      const before = this.#book.newest;
      if (await door.write(this.#key(n), this.#value(n))) {
        this.#book.acknowledge(n, wallMs());
        await this.#lookBack(before);
      } else this.#book.refuse();
      await pause;
    }
  }

  /** Another one that answers so fast that no write failed has not the row before. */
  async #lookBack(before: number | undefined): Promise<void> {
    if (before !== undefined && (await this.#isThere(before)) === "gone") this.#book.doubt();
    if (wallMs() - this.#sweptMs >= SWEEP_EVERY_MS) this.#book.doubt();
    if (this.#book.isDue) await this.#sweep();
  }

  async #sweep(): Promise<void> {
    this.#sweptMs = wallMs();
    const found = new Map<number, "there" | "gone">();
    let doubtful = this.#book.kept;
    for (let i = 0; i < CONFIRM_TIMES && doubtful.length > 0; i++) {
      if (i > 0) await sleep(CONFIRM_MS);
      await this.#readAll(doubtful, found);
      doubtful = doubtful.filter((n) => found.get(n) === "gone");
    }
    for (const loss of this.#book.settle(found)) {
      if (loss.rpoMs >= (this.#latest?.rpoMs ?? 0)) this.#latest = loss;
      this.#options.onLoss(loss);
    }
  }

  async #readAll(numbers: readonly number[], found: Map<number, "there" | "gone">): Promise<void> {
    const waiting = [...numbers];
    const readOn = async (): Promise<void> => {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
        const how = await this.#isThere(n);
        if (how === undefined) found.delete(n);
        else found.set(n, how);
      }
    };
    await Promise.all(Array.from({ length: READERS }, readOn));
  }

  async #isThere(n: number): Promise<"there" | "gone" | undefined> {
    const value = await this.#options.door.read(this.#key(n));
    if (value === undefined) return undefined;
    return value?.trim() === this.#value(n) ? "there" : "gone";
  }

  /** Used again after a while, so that nothing piles up in the service. */
  #key(n: number): string {
    return `nines-${this.#options.name}-${n % (2 * this.#options.keep)}`;
  }

  #value(n: number): string {
    return `${this.#run}-${n}`;
  }
}
