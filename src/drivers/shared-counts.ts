/**
 * How many there are of something, counted by several processes and seen by each of them at once: memory
 * without a file, which all of them have mapped. Each process has a place of its own and writes only
 * there. A lock on that place, which the kernel takes back with the process, says whether its figures
 * still count; so nothing has to be told when one dies.
 */

import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import type { SharedCount } from "../core/proxy/shared-state.ts";
import { monotonicMs } from "./clock.ts";
import type { NativeMemory } from "./ffi.ts";
import { isLocked, lockByte, unlockByte } from "./shared-memory.ts";

/** Processes: 64 workers, and those of earlier generations that still carry something. */
export const PLACES = 256;
/** Names that were ever counted for, and behind them the one word that says how far places are taken. */
const NAMES = 256;
const MARK = NAMES - 1;
const NAME_BYTES = 8 * NAMES;
export const COUNTS_BYTES: number = NAME_BYTES + 4 * NAMES * PLACES;
/** How often the dead are looked for. */
const LOOK_EVERY_MS = 50;

export class SharedCounts {
  /** An opening of our own: the lock belongs to it. */
  readonly #fd: number;
  readonly place: number;
  /** Hashes; 0 = free. */
  readonly #names: BigInt64Array;
  /** By name, then by place. */
  readonly #cells: Int32Array;
  /** No place from here on was ever taken: with two workers two figures are added up, and not 256. */
  readonly #mark: Int32Array;
  readonly #cleared: ((place: number) => void)[] = [];
  #lookedMs = -Infinity;

  /** Takes a place in what is mapped of `fd`, an opening of our own that is kept; else `-errno`. */
  static join(fd: number, memory: NativeMemory, at: number): SharedCounts | number {
    const place = freePlace(fd);
    return place < 0 ? place : new SharedCounts(fd, place, { memory, at });
  }

  private constructor(
    fd: number,
    place: number,
    { memory, at }: { memory: NativeMemory; at: number },
  ) {
    this.#fd = fd;
    this.place = place;
    const { buffer } = memory.bytes;
    this.#names = new BigInt64Array(buffer, at, NAMES);
    this.#cells = new Int32Array(buffer, at + NAME_BYTES, NAMES * PLACES);
    this.#mark = new Int32Array(buffer, at + 8 * MARK, 1);
    this.#clear(place);
    // Before anything is counted there: whoever still sees the old mark was counted before we add up.
    this.#raiseMark(place + 1);
  }

  /** Places from here on were never taken. */
  get mark(): number {
    return Atomics.load(this.#mark, 0);
  }

  /** Whoever keeps something else by places: theirs goes with it. */
  whenCleared(clear: (place: number) => void): void {
    this.#cleared.push(clear);
  }

  /** Undefined: there is no room for another name. */
  of(name: string): SharedCount | undefined {
    const hash = createHash("sha256").update(name).digest().readBigInt64LE(0) | 1n;
    for (let index = 0; index < MARK; index++) {
      const found = Atomics.compareExchange(this.#names, index, 0n, hash);
      if (found === 0n || found === hash) return this.#count(index * PLACES);
    }
    return undefined;
  }

  /** The place is free again. */
  leave(): void {
    this.#clear(this.place);
    // What is mapped keeps the opening, and with it the lock.
    unlockByte(this.#fd, this.place);
    closeSync(this.#fd);
  }

  #count(from: number): SharedCount {
    const cells = this.#cells;
    const sum = (): number => {
      const to = from + Atomics.load(this.#mark, 0);
      let all = 0;
      for (let at = from; at < to; at++) all += Atomics.load(cells, at);
      return all;
    };
    return {
      set: (own) => {
        // This and `sum` in the order that all processes agree on: of two who set theirs and then add
        // up, one sees the other.
        Atomics.store(cells, from + this.place, own);
      },
      sum,
      recount: () => {
        this.buryDead((place) => Atomics.load(cells, from + place) !== 0);
        return sum();
      },
    };
  }

  #raiseMark(to: number): void {
    for (;;) {
      const seen = Atomics.load(this.#mark, 0);
      if (seen >= to || Atomics.compareExchange(this.#mark, 0, seen, to) === seen) return;
    }
  }

  /** Those who count where it matters. Not at each look: whoever refuses many looks often. */
  buryDead(matters: (place: number) => boolean): void {
    const now = monotonicMs();
    if (now - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = now;
    for (let place = 0; place < Atomics.load(this.#mark, 0); place++) {
      if (place === this.place || !matters(place)) continue;
      if (isLocked(this.#fd, place)) continue;
      // Locked while it is cleared: somebody new would take another one.
      if (lockByte(this.#fd, place) < 0) continue;
      this.#clear(place);
      unlockByte(this.#fd, place);
    }
  }

  #clear(place: number): void {
    for (let at = place; at < this.#cells.length; at += PLACES) Atomics.store(this.#cells, at, 0);
    for (const clear of this.#cleared) clear(place);
  }
}

/** Its number, or `-errno`: all are taken. */
function freePlace(fd: number): number {
  let result = -1;
  for (let place = 0; place < PLACES; place++) {
    result = lockByte(fd, place);
    if (result >= 0) return place;
  }
  return result;
}
