/**
 * Who is connected to one frontend, here and at the other workers: limits are for all of them. Whoever is
 * let in is counted first, and then all are added up: so both limits are exact, and of two who ask for
 * the last place at the same time both may be refused.
 */

import type { FrontendLimits } from "./frontend-settings.ts";
import { LONE_SOURCES, LoneCount, type SharedCount, type SharedSources } from "./shared-state.ts";

export class GuestCount {
  #own = 0;
  #shared: SharedCount = new LoneCount();
  #elsewhere: SharedSources = LONE_SOURCES;
  /** Of each address, also where that has no limit (yet). */
  readonly #sources = new Map<string, number>();
  /** Others see how many come from one address. */
  #isTold = false;

  /** From now on the others count. */
  share(shared: SharedCount, sources: SharedSources): void {
    this.#shared = shared;
    this.#elsewhere = sources;
    shared.set(this.#own);
    this.#tellSources();
  }

  /** Before anybody is asked about by other limits. */
  configure({ connectionsPerSource }: FrontendLimits): void {
    const isTold = connectionsPerSource > 0;
    if (isTold === this.#isTold) return;
    this.#isTold = isTold;
    this.#tellSources();
  }

  /** Its frontend is gone; another one of that name begins anew. */
  part(): void {
    this.#shared.set(0);
    this.#shared = new LoneCount();
    for (const source of this.#sources.keys()) this.#elsewhere.set(source, 0);
    this.#elsewhere = LONE_SOURCES;
  }

  /** Undefined: welcome, and counted. Otherwise why not. */
  admit(source: string, limits: FrontendLimits): string | undefined {
    const { connections, connectionsPerSource } = limits;
    const own = this.#sources.get(source) ?? 0;
    if (connectionsPerSource > 0 && !this.#hasPlace(source, own, connectionsPerSource)) {
      return `${connectionsPerSource} connections of ${source} already`;
    }
    this.#shared.set(this.#own + 1);
    if (this.#shared.sum() > connections && this.#shared.recount() > connections) {
      this.#shared.set(this.#own);
      if (this.#isTold) this.#elsewhere.set(source, own);
      return `${connections} connections already`;
    }
    this.#own++;
    this.#sources.set(source, own + 1);
    return undefined;
  }

  left(source: string): void {
    this.#shared.set(--this.#own);
    const own = (this.#sources.get(source) ?? 0) - 1;
    if (own > 0) this.#sources.set(source, own);
    else this.#sources.delete(source);
    if (this.#isTold) this.#elsewhere.set(source, Math.max(0, own));
  }

  /** One more of it, counted among what others see. */
  #hasPlace(source: string, own: number, limit: number): boolean {
    const all = this.#elsewhere;
    all.set(source, own + 1);
    const room = limit - own - 1;
    if (all.elsewhere(source) <= room || all.recount(source) <= room) return true;
    all.set(source, own);
    return false;
  }

  #tellSources(): void {
    for (const [source, count] of this.#sources) {
      this.#elsewhere.set(source, this.#isTold ? count : 0);
    }
  }
}
