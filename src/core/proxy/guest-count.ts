/**
 * Who is connected to one frontend, here and at the other workers: limits are for all of them. Each
 * worker tells the others how many it has whenever that changed; until the news has gone round, they
 * may let in more than the limit, as many as come in that time.
 */

import type { FrontendLimits } from "./frontend-settings.ts";

/** How many there are now, not how many more: news that was lost is made good by the next. */
export interface GuestNews {
  readonly connections: number;
  /** Only of addresses that changed, and only where they have a limit of their own. */
  readonly sources: readonly (readonly [source: string, count: number])[];
}

interface Elsewhere {
  connections: number;
  readonly sources: Map<string, number>;
}

export class GuestCount {
  #own = 0;
  #told = 0;
  readonly #sources = new Map<string, number>();
  /** Addresses whose count the others do not know. At most as many as there were clients. */
  readonly #untold = new Set<string>();
  /** By worker. */
  readonly #elsewhere = new Map<number, Elsewhere>();

  /** Undefined: welcome, and counted. Otherwise why not. */
  admit(source: string, limits: FrontendLimits): string | undefined {
    const { connections, connectionsPerSource } = limits;
    if (this.#all >= connections) return `${connections} connections already`;
    if (connectionsPerSource > 0 && this.#allOf(source) >= connectionsPerSource) {
      return `${connectionsPerSource} connections of ${source} already`;
    }
    this.#own++;
    this.#count(source, 1, connectionsPerSource > 0);
    return undefined;
  }

  left(source: string, { connectionsPerSource }: FrontendLimits): void {
    this.#own--;
    this.#count(source, -1, connectionsPerSource > 0);
  }

  // ---- what workers tell each other ----

  /** What changed since the last call, at most `limit` addresses at a time; undefined: nothing. */
  takeUntold(limit: number): GuestNews | undefined {
    if (this.#told === this.#own && this.#untold.size === 0) return undefined;
    this.#told = this.#own;
    const sources: [string, number][] = [];
    for (const source of this.#untold) {
      if (sources.length >= limit) break;
      sources.push([source, this.#sources.get(source) ?? 0]);
    }
    for (const [source] of sources) this.#untold.delete(source);
    return { connections: this.#own, sources };
  }

  /** Somebody knows nothing yet. */
  tellAll({ connectionsPerSource }: FrontendLimits): void {
    this.#told = -1;
    if (connectionsPerSource === 0) return;
    for (const source of this.#sources.keys()) this.#untold.add(source);
  }

  heard(worker: number, { connections, sources }: GuestNews): void {
    const there = this.#elsewhere.get(worker) ?? { connections, sources: new Map() };
    this.#elsewhere.set(worker, there);
    there.connections = connections;
    for (const [source, count] of sources) {
      if (count > 0) there.sources.set(source, count);
      else there.sources.delete(source);
    }
  }

  /** That worker is gone, and with it its clients; undefined: nobody tells us any more. */
  forget(worker: number | undefined): void {
    if (worker === undefined) this.#elsewhere.clear();
    else this.#elsewhere.delete(worker);
  }

  get #all(): number {
    let sum = this.#own;
    for (const { connections } of this.#elsewhere.values()) sum += connections;
    return sum;
  }

  #allOf(source: string): number {
    let sum = this.#sources.get(source) ?? 0;
    for (const { sources } of this.#elsewhere.values()) sum += sources.get(source) ?? 0;
    return sum;
  }

  #count(source: string, change: number, isTold: boolean): void {
    const count = (this.#sources.get(source) ?? 0) + change;
    if (count > 0) this.#sources.set(source, count);
    else this.#sources.delete(source);
    if (isTold) this.#untold.add(source);
  }
}
