/**
 * Algorithms that send a key to the same server on every director, by a Maglev table (Eisenbud et al.,
 * "Maglev: A Fast and Reliable Software Network Load Balancer", 3.4).
 *
 * The table holds the configured servers whether they are usable or not, and follows neither health
 * nor agents nor slow start: when a server cannot serve, its keys - and no others - look for another
 * place in the table, and they come back with it. Directors whose checks disagree for a moment still
 * agree on all other keys. Only a changed configuration or a weight set by the operator rebuilds it.
 */

import { hashText, mixed } from "./hash.ts";
import { hasPlaceAt, NO_CANDIDATES, type Candidates, type Picker } from "./picker.ts";
import type { PickRequest } from "./pool-ports.ts";
import { hasPlace, type Server } from "./server.ts";

/** Places looked at before the least loaded server is searched. */
const PROBES = 24;
/** Of them, those that are named in an explanation. */
const NAMED_PROBES = 4;
/** Below that many requests a server is not loaded, and a client's parallel requests stay together. */
const UNBOUNDED = 10;
const OFFSET_SEED = 0x6f666673;
const SKIP_SEED = 0x736b6970;
const NOBODY = 0xffff_ffff;

/** `boundPercent` Infinity: no bound on a server's share of the load. */
export class KeyTable implements Picker {
  readonly #size: number;
  readonly #boundPercent: number;
  #candidates: Candidates = NO_CANDIDATES;
  #members: readonly Server[] = [];
  #table: Uint32Array = new Uint32Array(0);
  #made = "";
  #usableWeight = 0;

  /** `size`: a prime number, 100 or more times the number of servers for shares exact to 1 %. */
  constructor(size: number, boundPercent: number) {
    this.#size = size;
    this.#boundPercent = boundPercent;
  }

  rebuild(candidates: Candidates): void {
    this.#candidates = candidates;
    this.#usableWeight = candidates.usable.reduce((sum, server) => sum + server.baseWeight, 0);
    // In the order of names: directors may have them in another order.
    const members = candidates.members
      .filter((server) => server.baseWeight > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const recipe = JSON.stringify(members.map((server) => [server.name, server.baseWeight]));
    this.#members = members;
    if (recipe === this.#made) return;
    this.#made = recipe;
    this.#table = maglevTable(members, this.#size);
  }

  pick(_now: number, { hash, tried }: PickRequest): Server | undefined {
    if (this.#candidates.usable.length === 0) return undefined;
    let place = hash;
    for (let i = 0; i < PROBES; i++) {
      const server = this.#members[this.#table[place % this.#size]!]!;
      if (server.usable && hasPlace(server, tried) && this.#withinBound(server)) return server;
      place = mixed(place + 0x9e3779b9);
    }
    return this.#leastLoaded(tried);
  }

  explain(hash: number): string {
    const steps: string[] = [];
    let place = hash;
    for (let i = 0; i < PROBES && this.#members.length > 0; i++) {
      const index = place % this.#size;
      const server = this.#members[this.#table[index]!]!;
      const here = `place ${index} of ${this.#size} is ${server.name}`;
      const why = !server.usable
        ? server.state
        : server.full
          ? "full"
          : this.#withinBound(server)
            ? undefined
            : `above ${this.#boundPercent} % of its share`;
      if (why === undefined) return [...steps, here].join("; ");
      if (steps.length < NAMED_PROBES) steps.push(`${here}, which is ${why}`);
      place = mixed(place + 0x9e3779b9);
    }
    return [...steps, "then the least loaded one"].join("; ");
  }

  /**
   * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam): a server takes at most
   * its share of all running requests, this one included, times the bound.
   */
  #withinBound(server: Server): boolean {
    if (server.active < UNBOUNDED || this.#boundPercent === Infinity) return true;
    const share = ((this.#candidates.active + 1) * server.baseWeight) / this.#usableWeight;
    return server.active < Math.ceil((share * this.#boundPercent) / 100);
  }

  #leastLoaded(tried: readonly Server[]): Server | undefined {
    const { usable, actives } = this.#candidates;
    let best: Server | undefined;
    let least = Infinity;
    for (let i = 0; i < usable.length; i++) {
      const load = (actives[i]! + 1) / usable[i]!.baseWeight;
      if (load >= least || !hasPlaceAt(this.#candidates, i, tried)) continue;
      best = usable[i];
      least = load;
    }
    return best;
  }
}

/**
 * For each place the index of its server. Each server has its own order in which it wants places; in
 * turns they take the next free one, a server of half the greatest weight every second turn.
 */
export function maglevTable(servers: readonly Server[], size: number): Uint32Array {
  const table = new Uint32Array(size).fill(NOBODY);
  const count = servers.length;
  if (count === 0) return table;
  const greatest = Math.max(...servers.map((server) => server.baseWeight));
  const pace = Float64Array.from(servers, (server) => server.baseWeight / greatest);
  const place = Uint32Array.from(servers, (server) => hashText(server.name, OFFSET_SEED) % size);
  const skip = Uint32Array.from(
    servers,
    (server) => (hashText(server.name, SKIP_SEED) % (size - 1)) + 1,
  );
  const due = new Float64Array(count);
  for (let filled = 0; ;) {
    for (let i = 0; i < count; i++) {
      due[i]! += pace[i]!;
      if (due[i]! < 1) continue;
      due[i]! -= 1;
      let at = place[i]!;
      const step = skip[i]!;
      while (table[at] !== NOBODY) {
        at += step;
        if (at >= size) at -= size;
      }
      table[at] = i;
      place[i] = at;
      if (++filled === size) return table;
    }
  }
}
