/**
 * Draws servers with probability in proportion to their weights in constant time: Walker's alias
 * method as Vose built it. Cell i holds server i with its probability, else its alias.
 */

import type { Prng } from "../../lib/prng.ts";
import { hasPlaceAt, NO_CANDIDATES, type Candidates } from "./picker.ts";
import type { Server } from "./server.ts";

/** Draws before all servers are looked at: enough unless most of them are full. */
const ATTEMPTS = 4;

export class WeightedDraw {
  readonly #prng: Prng;
  #candidates: Candidates = NO_CANDIDATES;
  #own: Float64Array = new Float64Array(0);
  #alias: Uint32Array = new Uint32Array(0);
  #equal = true;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  rebuild(candidates: Candidates): void {
    const { weights } = candidates;
    this.#candidates = candidates;
    this.#equal = weights.every((weight) => weight === weights[0]);
    if (!this.#equal) this.#fill(weights);
  }

  /** By weight among those that have a place and are not `but`; -1 = there is none. */
  drawFree(tried: readonly Server[], but: number): number {
    const candidates = this.#candidates;
    if (candidates.usable.length === 0) return -1;
    for (let i = 0; i < ATTEMPTS; i++) {
      const index = this.#drawAny();
      if (index !== but && hasPlaceAt(candidates, index, tried)) return index;
    }
    return this.#drawAmongFree(tried, but);
  }

  #drawAny(): number {
    const point = this.#prng.fraction() * this.#candidates.usable.length;
    const cell = Math.floor(point);
    if (this.#equal) return cell;
    return point - cell < this.#own[cell]! ? cell : this.#alias[cell]!;
  }

  #drawAmongFree(tried: readonly Server[], but: number): number {
    const candidates = this.#candidates;
    const { weights } = candidates;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      if (i !== but && hasPlaceAt(candidates, i, tried)) sum += weights[i]!;
    }
    let left = this.#prng.fraction() * sum;
    let last = -1;
    for (let i = 0; i < weights.length; i++) {
      if (i === but || !hasPlaceAt(candidates, i, tried)) continue;
      last = i;
      left -= weights[i]!;
      if (left < 0) break;
    }
    return last;
  }

  #fill(weights: Float64Array): void {
    const count = weights.length;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const share = weights.map((weight) => (weight * count) / sum);
    this.#own = new Float64Array(count).fill(1);
    this.#alias = new Uint32Array(count);
    const small: number[] = [];
    const large: number[] = [];
    share.forEach((value, i) => (value < 1 ? small : large).push(i));
    for (;;) {
      const poor = small.pop();
      const rich = large.at(-1);
      // What is left on one side is 1 but for rounding, and `own` is already filled with it.
      if (poor === undefined || rich === undefined) break;
      this.#own[poor] = share[poor]!;
      this.#alias[poor] = rich;
      share[rich]! -= 1 - share[poor]!;
      if (share[rich]! < 1) small.push(large.pop()!);
    }
  }
}
