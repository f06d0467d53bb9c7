/**
 * Arrival times of rate limits in memory that all workers have mapped. Nobody owns a cell, and what lies in
 * the past says nothing: so there is nothing to clean up, and a worker that dies leaves nothing behind.
 */

import { hash as digestOf } from "node:crypto";
import { assert } from "../lib/assert.ts";
import type { ArrivalCells } from "../core/route/rate-limiter.ts";

/** Of all limits together. */
const CELLS = 2 ** 20;
/** Cells where a key may stand; of a window that is full, the limit that is used up least is forgotten. */
const WINDOW = 8;
/** Others may be quicker that often in a row. */
const TRIES = 1_000;

/** A tag of 4 bytes and a time of 8 for each. */
export const ARRIVALS_BYTES: number = CELLS * (4 + 8);

export class SharedArrivals {
  /** 0 = free. */
  readonly #tags: Int32Array;
  readonly #bits: BigInt64Array;
  readonly #salt: string;
  readonly #floats = new Float64Array(1);
  readonly #ints = new BigInt64Array(this.#floats.buffer);

  constructor(buffer: ArrayBufferLike, at: number, salt: string) {
    this.#bits = new BigInt64Array(buffer, at, CELLS);
    this.#tags = new Int32Array(buffer, at + 8 * CELLS, CELLS);
    this.#salt = salt;
  }

  of(limit: string): ArrivalCells {
    const prefix = `${this.#salt} ${limit} `;
    return { swap: (now, key, next) => this.#swap(now, prefix + key, next) };
  }

  #swap(now: number, key: string, next: (arrival: number) => number): number {
    const digest = digestOf("sha256", key, "buffer");
    const tag = digest.readInt32LE(0) | 1;
    const window = (digest.readUInt32LE(4) % (CELLS / WINDOW)) * WINDOW;
    let seen = 0;
    for (let tries = 0; tries < TRIES; tries++) {
      const at = this.#find(window, tag) ?? this.#settle(now, window, tag);
      if (at === undefined) continue;
      const before = Atomics.load(this.#bits, at);
      seen = this.#time(before);
      const wanted = next(seen);
      if (Number.isNaN(wanted)) return seen;
      this.#floats[0] = wanted;
      const booked = this.#ints[0]!;
      const found = Atomics.compareExchange(this.#bits, at, before, booked);
      // Taken from us between the look and the note: the note is somebody else's now.
      if (found === before && Atomics.load(this.#tags, at) === tag) return seen;
    }
    return seen;
  }

  #find(window: number, tag: number): number | undefined {
    for (let at = window; at < window + WINDOW; at++) {
      if (Atomics.load(this.#tags, at) === tag) return at;
    }
    return undefined;
  }

  /** Takes a cell for the tag. Undefined: others moved in between, look again. */
  #settle(now: number, window: number, tag: number): number | undefined {
    const { at, owner, before } = this.#spare(now, window);
    if (Atomics.compareExchange(this.#tags, at, owner, tag) !== owner) return undefined;
    // What somebody else has left of a full window is not ours to pay.
    Atomics.compareExchange(this.#bits, at, before, 0n);
    const first = this.#find(window, tag);
    if (first === at) return at;
    // Somebody brought the same key, and took another cell: the first one counts.
    Atomics.compareExchange(this.#tags, at, tag, 0);
    return first;
  }

  /** Everybody who looks at the same moment finds the same one. */
  #spare(now: number, window: number): Spare {
    let best: Spare | undefined;
    let least = Infinity;
    for (let at = window; at < window + WINDOW; at++) {
      const owner = Atomics.load(this.#tags, at);
      const before = Atomics.load(this.#bits, at);
      const time = this.#time(before);
      if (owner === 0 || time <= now) return { at, owner, before };
      if (time >= least) continue;
      least = time;
      best = { at, owner, before };
    }
    assert(best !== undefined, "times are numbers");
    return best;
  }

  #time(bits: bigint): number {
    this.#ints[0] = bits;
    return this.#floats[0]!;
  }
}

/** A cell, and what was seen there. */
interface Spare {
  readonly at: number;
  readonly owner: number;
  readonly before: bigint;
}
