/**
 * Ejections in memory that all workers have mapped: one cell for each server, which nobody owns, so that
 * an ejection outlives the worker that decided on it. It ends by its time.
 */

import { createHash } from "node:crypto";
import type {
  Ejection,
  SharedEjection,
  SharedEjections,
} from "../core/balance/shared-ejections.ts";

/** Servers that ever had a name here; others are ejected by each worker for itself. */
const CELLS = 16_384;
/** Cells where a name may stand, from its hash on. */
const WINDOW = 64;
const CELL_BYTES = 128;
const HASH = 0;
const UNTIL = 8;
const CLAIM = 16;
const ERRORS = 20;
const LEVEL = 24;
const LENGTH = 28;
const REQUESTS = 32;
const REASON = 40;
const REASON_BYTES = CELL_BYTES - REASON;
/** A claim is a matter of microseconds: one that is older was made by somebody who died. */
const CLAIM_MS = 1_000;

/** The first cell is the version's. */
export const EJECTIONS_BYTES: number = CELL_BYTES * (CELLS + 1);

export class EjectionCells implements SharedEjections {
  readonly #words: Int32Array;
  readonly #longs: BigInt64Array;
  readonly #bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike, at: number) {
    this.#words = new Int32Array(buffer, at, EJECTIONS_BYTES / 4);
    this.#longs = new BigInt64Array(buffer, at, EJECTIONS_BYTES / 8);
    this.#bytes = new Uint8Array(buffer, at, EJECTIONS_BYTES);
  }

  get version(): number {
    return Atomics.load(this.#words, 0);
  }

  of(pool: string, server: string): SharedEjection | undefined {
    const digest = createHash("sha256").update(`${pool}/${server}`).digest();
    const hash = digest.readBigInt64LE(0) | 1n;
    const from = digest.readUInt32LE(8) % CELLS;
    for (let i = 0; i < WINDOW; i++) {
      const at = (1 + ((from + i) % CELLS)) * CELL_BYTES;
      // Names are never taken back, so two who bring the same one end at the same cell.
      const found = Atomics.compareExchange(this.#longs, (at + HASH) / 8, 0n, hash);
      if (found === 0n || found === hash) {
        return new Cell({ words: this.#words, longs: this.#longs, bytes: this.#bytes }, at);
      }
    }
    return undefined;
  }
}

interface Views {
  readonly words: Int32Array;
  readonly longs: BigInt64Array;
  readonly bytes: Uint8Array;
}

class Cell implements SharedEjection {
  readonly #views: Views;
  readonly #at: number;
  /** Its word of errors in a row, looked at with every answer. */
  readonly #words: Int32Array;
  readonly #errors: number;
  /** Requests, and behind them those that failed. */
  readonly #counts: number;

  constructor(views: Views, at: number) {
    this.#views = views;
    this.#at = at;
    this.#words = views.words;
    this.#errors = (at + ERRORS) / 4;
    this.#counts = (at + REQUESTS) / 4;
  }

  failed(): number {
    Atomics.add(this.#words, this.#counts, 1);
    Atomics.add(this.#words, this.#counts + 1, 1);
    return Atomics.add(this.#words, this.#errors, 1) + 1;
  }

  succeeded(): void {
    Atomics.add(this.#words, this.#counts, 1);
    this.forgive();
  }

  forgive(): void {
    // Mostly there is none, and a look is cheap: nobody writes there.
    if (Atomics.load(this.#words, this.#errors) !== 0) Atomics.store(this.#words, this.#errors, 0);
  }

  get requests(): number {
    return Atomics.load(this.#words, this.#counts);
  }

  get errors(): number {
    return Atomics.load(this.#words, this.#counts + 1);
  }

  get untilMs(): number {
    return asNumber(Atomics.load(this.#views.longs, (this.#at + UNTIL) / 8));
  }

  get level(): number {
    return Atomics.load(this.#words, (this.#at + LEVEL) / 4);
  }

  get reason(): string {
    const from = this.#at + REASON;
    const length = Math.min(REASON_BYTES, Atomics.load(this.#words, (this.#at + LENGTH) / 4));
    return Buffer.from(this.#views.bytes.subarray(from, from + length)).toString("latin1");
  }

  claim(now: number): boolean {
    if (this.untilMs > now) return false;
    const seen = Atomics.load(this.#words, this.#claim);
    if (isFresh(seen, now)) return false;
    return Atomics.compareExchange(this.#words, this.#claim, seen, stamp(now)) === seen;
  }

  isClaimed(now: number): boolean {
    return isFresh(Atomics.load(this.#words, this.#claim), now) || this.untilMs > now;
  }

  publish({ untilMs, level, reason }: Ejection): void {
    const text = Buffer.from(reason, "latin1").subarray(0, REASON_BYTES);
    this.#views.bytes.set(text, this.#at + REASON);
    Atomics.store(this.#words, (this.#at + LENGTH) / 4, text.length);
    Atomics.store(this.#words, (this.#at + LEVEL) / 4, level);
    // Whoever sees this sees what was written before it.
    Atomics.store(this.#views.longs, (this.#at + UNTIL) / 8, asBits(untilMs));
    this.withdraw();
    Atomics.add(this.#words, 0, 1);
  }

  withdraw(): void {
    Atomics.store(this.#words, this.#claim, 0);
  }

  end(untilMs: number): boolean {
    const bits = asBits(untilMs);
    const found = Atomics.compareExchange(this.#views.longs, (this.#at + UNTIL) / 8, bits, 0n);
    if (found !== bits) return false;
    Atomics.store(this.#words, this.#errors, 0);
    Atomics.add(this.#words, 0, 1);
    return true;
  }

  get #claim(): number {
    return (this.#at + CLAIM) / 4;
  }
}

/** Never 0. */
function stamp(now: number): number {
  return Math.floor(now) | 1;
}

function isFresh(claim: number, now: number): boolean {
  return claim !== 0 && Math.abs((stamp(now) - claim) | 0) < CLAIM_MS;
}

const floats = new Float64Array(1);
const bits = new BigInt64Array(floats.buffer);

function asBits(value: number): bigint {
  floats[0] = value;
  return bits[0]!;
}

function asNumber(value: bigint): number {
  bits[0] = value;
  return floats[0]!;
}
