/** The journal as a stream for somebody who reads at a speed of their own: a page, another node, the ledger. */

import type { JournalRecord } from "../core/journal/record.ts";
import type { Journal } from "./journal.ts";

const BATCH = 500;

export class RecordFeed {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /**
   * Everything after `seq` in batches, then what comes; ends when `signal` says so. Whoever comes
   * back asks for what is after the last number that it has. One that is slow costs nothing: it reads
   * from the file.
   */
  async *after(seq: number, signal: AbortSignal): AsyncGenerator<readonly JournalRecord[]> {
    // A number from the future is of a journal that was lost.
    let last = seq > this.#journal.lastSeq ? 0 : seq;
    while (!signal.aborted) {
      const batch = this.#journal.after(last, BATCH);
      const newest = batch.at(-1);
      if (newest === undefined) {
        await this.#news(signal);
        continue;
      }
      last = newest.seq;
      yield batch;
    }
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const stop = this.#journal.listen(done);
      signal.addEventListener("abort", done);
    });
  }
}
