/**
 * The lines that wait for one FIFO. The kernel takes about 2000 lines for a reader that is slow
 * or absent; what comes after that waits here, bounded, and is offered again at a calm pace.
 */

import { unreachable } from "../../lib/assert.ts";
import type { Machine } from "../../lib/deadline-machine.ts";

/** Lines that wait beyond the kernel's buffer. */
export const FIFO_LIMIT = 1024;

/** How often a full FIFO is tried again, ms. */
const RETRY_MS = 100;

/** A later line of the same subject makes an earlier one out of date. */
export interface FifoLine {
  readonly subject: string;
  /** With its newline. */
  readonly line: string;
}

export type FifoInput =
  | { readonly type: "woken" }
  | { readonly type: "line-queued"; readonly line: FifoLine }
  /** `full`: nothing was taken. `failed`: the FIFO itself is unusable for now. */
  | { readonly type: "write-ended"; readonly outcome: "written" | "full" | "failed" };

/** Every `write-line` is answered by one `write-ended`. */
export interface WriteLine {
  readonly type: "write-line";
  readonly line: string;
}

const NOTHING: readonly WriteLine[] = [];

export class FifoQueue implements Machine<FifoInput, WriteLine> {
  readonly #waiting: FifoLine[] = [];
  #dropped = 0;
  #retryAt = Infinity;
  #writing = false;

  get deadline(): number {
    return this.#retryAt;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lines given up because nobody read. */
  get dropped(): number {
    return this.#dropped;
  }

  step(now: number, input: FifoInput): readonly WriteLine[] {
    switch (input.type) {
      case "line-queued":
        this.#waiting.push(input.line);
        if (this.#waiting.length > FIFO_LIMIT) this.#collapse();
        return this.#retryAt === Infinity ? this.#write() : NOTHING;
      case "write-ended":
        return this.#ended(now, input.outcome);
      case "woken":
        if (now < this.#retryAt) return NOTHING;
        this.#retryAt = Infinity;
        return this.#write();
      default:
        return unreachable(input);
    }
  }

  #ended(now: number, outcome: "written" | "full" | "failed"): readonly WriteLine[] {
    if (!this.#writing) return NOTHING;
    this.#writing = false;
    if (outcome === "written") {
      this.#waiting.shift();
      return this.#write();
    }
    this.#retryAt = now + RETRY_MS;
    return NOTHING;
  }

  #write(): readonly WriteLine[] {
    const next = this.#waiting[0];
    if (next === undefined || this.#writing) return NOTHING;
    this.#writing = true;
    return [{ type: "write-line", line: next.line }];
  }

  /** Drops the oldest line that a later one of the same subject makes out of date. */
  #collapse(): void {
    const later = new Set<string>();
    let victim = -1;
    const first = this.#writing ? 1 : 0;
    for (let i = this.#waiting.length - 1; i >= first; i--) {
      const key = this.#waiting[i]!.subject;
      if (later.has(key)) victim = i;
      else later.add(key);
    }
    this.#waiting.splice(victim < 0 ? first : victim, 1);
    this.#dropped++;
  }
}
