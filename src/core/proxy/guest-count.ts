/**
 * Who is connected to one frontend, here and at the other workers: limits are for all of them. How many
 * there are in all is counted where every worker sees it at once. How many come from one address the
 * workers tell each other; until such news has gone round, they may let in more of it.
 */

import type { FrontendLimits } from "./frontend-settings.ts";

/** Of one frontend, at all workers. */
export interface SharedCount {
  /** Ours is `own` from now on. */
  set(own: number): void;
  /** Everybody's. Of two who set theirs and then ask at once, one sees the other. */
  sum(): number;
  /** The sum, when it matters: without those whose worker has died. */
  recount(): number;
}

/** How many there are now, not how many more: news that was lost is made good by the next. */
export interface GuestNews {
  /** Only addresses that changed, and only where they have a limit of their own. */
  readonly sources: readonly (readonly [source: string, count: number])[];
}

export class GuestCount {
  #own = 0;
  #shared: SharedCount = new LoneCount();
  readonly #sources = new Map<string, number>();
  /** Addresses whose count the others do not know. At most as many as there were clients. */
  readonly #untold = new Set<string>();
  /** By worker. */
  readonly #elsewhere = new Map<number, Map<string, number>>();

  /** From now on the others count. */
  share(shared: SharedCount): void {
    this.#shared = shared;
    shared.set(this.#own);
  }

  /** Its frontend is gone; another one of that name begins anew. */
  part(): void {
    this.#shared.set(0);
    this.#shared = new LoneCount();
  }

  /** Undefined: welcome, and counted. Otherwise why not. */
  admit(source: string, limits: FrontendLimits): string | undefined {
    const { connections, connectionsPerSource } = limits;
    if (connectionsPerSource > 0 && this.#allOf(source) >= connectionsPerSource) {
      return `${connectionsPerSource} connections of ${source} already`;
    }
    this.#shared.set(this.#own + 1);
    if (this.#shared.sum() > connections && this.#shared.recount() > connections) {
      this.#shared.set(this.#own);
      return `${connections} connections already`;
    }
    this.#own++;
    this.#count(source, 1, connectionsPerSource > 0);
    return undefined;
  }

  left(source: string, { connectionsPerSource }: FrontendLimits): void {
    this.#shared.set(--this.#own);
    this.#count(source, -1, connectionsPerSource > 0);
  }

  // ---- what workers tell each other ----

  /** What changed since the last call, at most `limit` addresses at a time; undefined: nothing. */
  takeUntold(limit: number): GuestNews | undefined {
    if (this.#untold.size === 0) return undefined;
    const sources: [string, number][] = [];
    for (const source of this.#untold) {
      if (sources.length >= limit) break;
      sources.push([source, this.#sources.get(source) ?? 0]);
    }
    for (const [source] of sources) this.#untold.delete(source);
    return { sources };
  }

  /** Somebody knows nothing yet. */
  tellAll({ connectionsPerSource }: FrontendLimits): void {
    if (connectionsPerSource === 0) return;
    for (const source of this.#sources.keys()) this.#untold.add(source);
  }

  heard(worker: number, { sources }: GuestNews): void {
    const there = this.#elsewhere.get(worker) ?? new Map<string, number>();
    this.#elsewhere.set(worker, there);
    for (const [source, count] of sources) {
      if (count > 0) there.set(source, count);
      else there.delete(source);
    }
  }

  /** That worker is gone, and with it its clients; undefined: nobody tells us any more. */
  forget(worker: number | undefined): void {
    if (worker === undefined) this.#elsewhere.clear();
    else this.#elsewhere.delete(worker);
  }

  #allOf(source: string): number {
    let sum = this.#sources.get(source) ?? 0;
    for (const sources of this.#elsewhere.values()) sum += sources.get(source) ?? 0;
    return sum;
  }

  #count(source: string, change: number, isTold: boolean): void {
    const count = (this.#sources.get(source) ?? 0) + change;
    if (count > 0) this.#sources.set(source, count);
    else this.#sources.delete(source);
    if (isTold) this.#untold.add(source);
  }
}

/** Of a worker that is the only one. */
class LoneCount implements SharedCount {
  #own = 0;

  set(own: number): void {
    this.#own = own;
  }

  sum(): number {
    return this.#own;
  }

  recount(): number {
    return this.#own;
  }
}
