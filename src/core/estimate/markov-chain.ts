/** Markov chains in continuous time, small ones. */

import { assert } from "../../lib/assert.ts";

/** Rates between states, per millisecond. */
export class MarkovChain {
  readonly #size: number;
  readonly #rates: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#rates = new Float64Array(size * size);
  }

  add(from: number, to: number, rate: number): void {
    if (from === to) return;
    const at = from * this.#size + to;
    this.#rates[at] = (this.#rates[at] as number) + rate;
  }

  rate(from: number, to: number): number {
    return this.#rates[from * this.#size + to] as number;
  }

  /**
   * Long-run share of time in each state. Elimination after Grassmann, Taksar and Heyman (1985): it
   * never subtracts, so probabilities of 1e-15 keep all their digits. Every state must lead, over
   * others, to one with a smaller number.
   */
  shares(): readonly number[] {
    const n = this.#size;
    const a = Float64Array.from(this.#rates);
    const at = (i: number, j: number): number => a[i * n + j] as number;
    for (let k = n - 1; k > 0; k--) {
      let out = 0;
      for (let j = 0; j < k; j++) out += at(k, j);
      assert(out > 0, "every state leads back");
      for (let i = 0; i < k; i++) a[i * n + k] = at(i, k) / out;
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < k; j++) {
          if (i !== j) a[i * n + j] = at(i, j) + at(i, k) * at(k, j);
        }
      }
    }
    const shares = [1];
    for (let k = 1; k < n; k++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (shares[i] as number) * at(i, k);
      shares.push(sum);
    }
    const total = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / total);
  }
}
