/**
 * How many there are of something by address, in memory that all workers have mapped. Each worker has a
 * table of its own and writes only there; the others look into it. The tables of the dead are cleared with
 * their places (`shared-counts.ts`).
 */

import { hash as digestOf } from "node:crypto";
import type { SharedSources } from "../core/proxy/shared-state.ts";
import { PLACES, type SharedCounts } from "./shared-counts.ts";

/** Addresses of one worker at a time. */
const CELLS = 2 ** 15;
/** Cells where an address may stand. Of a full window others do not see the rest. */
const WINDOW = 16;

/** A tag and a count for each cell of each worker, and whether that worker's table was ever used. */
export const SOURCES_BYTES: number = 4 * PLACES + 8 * PLACES * CELLS;

export interface SourcesOptions {
  readonly counts: SharedCounts;
  readonly salt: string;
}

export class SourceTables {
  readonly #used: Int32Array;
  /** By place; 0 = free. */
  readonly #tags: Int32Array;
  readonly #figures: Int32Array;
  readonly #counts: SharedCounts;
  readonly #salt: string;
  /** Where the address that was asked for last may stand: set, asked for and set again in a row. */
  #key = "";
  #tag = 0;
  #window = 0;

  constructor(buffer: ArrayBufferLike, at: number, { counts, salt }: SourcesOptions) {
    this.#used = new Int32Array(buffer, at, PLACES);
    this.#tags = new Int32Array(buffer, at + 4 * PLACES, PLACES * CELLS);
    this.#figures = new Int32Array(buffer, at + 4 * PLACES + 4 * PLACES * CELLS, PLACES * CELLS);
    this.#counts = counts;
    this.#salt = salt;
    counts.whenCleared((place) => this.#clear(place));
    this.#clear(counts.place);
  }

  of(frontend: string): SharedSources {
    const prefix = `${this.#salt} ${frontend} `;
    return {
      set: (source, own) => {
        this.#look(prefix + source);
        this.#set(own);
      },
      elsewhere: (source) => {
        this.#look(prefix + source);
        return this.#elsewhere();
      },
      recount: (source) => {
        this.#look(prefix + source);
        this.#counts.buryDead((place) => this.#find(place) !== undefined);
        return this.#elsewhere();
      },
    };
  }

  #look(key: string): void {
    if (key === this.#key) return;
    const digest = digestOf("sha256", key, "buffer");
    this.#key = key;
    this.#tag = digest.readInt32LE(0) | 1;
    this.#window = (digest.readUInt32LE(4) % (CELLS / WINDOW)) * WINDOW;
  }

  #set(own: number): void {
    const { place } = this.#counts;
    const at = this.#find(place);
    if (at !== undefined) {
      // Then in the order that all agree on: of two who set theirs and then look, one sees the other.
      Atomics.store(this.#figures, at, own);
      if (own === 0) Atomics.store(this.#tags, at, 0);
    } else if (own > 0) {
      this.#enter(place, own);
    }
  }

  #enter(place: number, own: number): void {
    Atomics.store(this.#used, place, 1);
    const from = place * CELLS + this.#window;
    for (let at = from; at < from + WINDOW; at++) {
      if (Atomics.load(this.#tags, at) !== 0) continue;
      Atomics.store(this.#figures, at, own);
      Atomics.store(this.#tags, at, this.#tag);
      return;
    }
  }

  #elsewhere(): number {
    const { place: own, mark } = this.#counts;
    let all = 0;
    for (let place = 0; place < mark; place++) {
      if (place === own || Atomics.load(this.#used, place) === 0) continue;
      const at = this.#find(place);
      if (at !== undefined) all += Atomics.load(this.#figures, at);
    }
    return all;
  }

  #find(place: number): number | undefined {
    const from = place * CELLS + this.#window;
    for (let at = from; at < from + WINDOW; at++) {
      if (Atomics.load(this.#tags, at) === this.#tag) return at;
    }
    return undefined;
  }

  #clear(place: number): void {
    if (Atomics.load(this.#used, place) === 0) return;
    this.#tags.fill(0, place * CELLS, (place + 1) * CELLS);
    Atomics.store(this.#used, place, 0);
  }
}
