/**
 * Draws servers with probability in proportion to their weights in constant time: Walker's alias
 * method as Vose built it. Cell i holds server i with its probability, else its alias.
 */

import type { Prng } from "../../lib/prng.ts";
import { hasPlace, type Server } from "./server.ts";

/** Draws before all servers are looked at: enough unless most of them are full. */
const ATTEMPTS = 4;

export class WeightedDraw {
  readonly #prng: Prng;
  #servers: readonly Server[] = [];
  #own: Float64Array = new Float64Array(0);
  #alias: Uint32Array = new Uint32Array(0);
  #equal = true;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  get servers(): readonly Server[] {
    return this.#servers;
  }

  rebuild(servers: readonly Server[]): void {
    this.#servers = servers;
    this.#equal = servers.every((server) => server.weight === servers[0]!.weight);
    if (!this.#equal) this.#fill(servers);
  }

  /** One of at least one. */
  draw(): number {
    const point = this.#prng.fraction() * this.#servers.length;
    const cell = Math.floor(point);
    if (this.#equal) return cell;
    return point - cell < this.#own[cell]! ? cell : this.#alias[cell]!;
  }

  /** By weight among those that have a place and are not `but`; -1 = there is none. */
  drawFree(tried: readonly Server[], but: number): number {
    const servers = this.#servers;
    if (servers.length === 0) return -1;
    for (let i = 0; i < ATTEMPTS; i++) {
      const index = this.draw();
      if (index !== but && hasPlace(servers[index]!, tried)) return index;
    }
    let sum = 0;
    for (let i = 0; i < servers.length; i++) {
      if (i !== but && hasPlace(servers[i]!, tried)) sum += servers[i]!.weight;
    }
    let left = this.#prng.fraction() * sum;
    let last = -1;
    for (let i = 0; i < servers.length; i++) {
      if (i === but || !hasPlace(servers[i]!, tried)) continue;
      last = i;
      left -= servers[i]!.weight;
      if (left < 0) break;
    }
    return last;
  }

  #fill(servers: readonly Server[]): void {
    const count = servers.length;
    const sum = servers.reduce((total, server) => total + server.weight, 0);
    const share = Float64Array.from(servers, (server) => (server.weight * count) / sum);
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
