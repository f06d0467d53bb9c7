/**
 * Ejections of one pool: who is out, for how long, and how many may be. Decided by one worker, by what all of
 * them saw, they hold for all: `SharedEjections`.
 */

import { forgive, lowSuccessRates, mayBeEjected, observeResult, startCounting } from "./outlier.ts";
import type { OutlierSettings, PoolSettings } from "./pool-settings.ts";
import type { ServerFacts } from "./server-facts.ts";
import type { Server } from "./server.ts";
import type { SharedEjections } from "./shared-ejections.ts";

export interface EjectionParts {
  readonly facts: ServerFacts;
  readonly servers: () => readonly Server[];
}

export class Ejections {
  readonly #parts: EjectionParts;
  #outlier: OutlierSettings;
  #pool: string;
  #shared: SharedEjections | undefined;
  /** End of the interval in which success rates are counted; Infinity while nothing happens. */
  #intervalEndsAt = Infinity;

  constructor({ name, outlier }: PoolSettings, parts: EjectionParts) {
    this.#parts = parts;
    this.#outlier = outlier;
    this.#pool = name;
  }

  get deadline(): number {
    return this.#intervalEndsAt;
  }

  /** Before the pool's servers are the new ones. */
  update(now: number, { outlier }: PoolSettings): void {
    this.#outlier = outlier;
    if (outlier.enabled) return;
    this.#intervalEndsAt = Infinity;
    const { facts } = this.#parts;
    for (const server of this.#parts.servers()) {
      if (server.ejected) facts.returned(now, server, "outliers are not looked for any more");
    }
  }

  share(shared: SharedEjections): void {
    this.#shared = shared;
  }

  /** Ejections that hold for all end, and from now on this pool decides for itself. */
  shareNoMore(): void {
    this.#shared = undefined;
    for (const server of this.#parts.servers()) {
      this.#parts.facts.leavesNoPast(server);
      server.shared = undefined;
    }
  }

  /** What others decided meanwhile. True: something has changed. */
  follow(now: number): boolean {
    const shared = this.#shared;
    if (shared === undefined || !this.#outlier.enabled) return false;
    let changed = false;
    for (const server of this.#parts.servers()) {
      if (server.shared === undefined) {
        server.shared = shared.of(this.#pool, server.name);
        if (server.shared !== undefined) startCounting(server);
      }
      if (server.shared !== undefined && this.#followOne(now, server)) changed = true;
    }
    return changed;
  }

  /** An attempt has ended. True: somebody is out. */
  observe(now: number, server: Server, failed: boolean): boolean {
    const outlier = this.#outlier;
    if (!outlier.enabled || server.leaving) return false;
    if (this.#intervalEndsAt === Infinity) this.#startInterval(now);
    const reason = observeResult(server, failed, outlier);
    return reason !== undefined && this.#tryEject(now, server, reason);
  }

  wake(now: number): void {
    const servers = this.#parts.servers();
    for (const server of servers) {
      if (server.ejectedUntil <= now)
        this.#parts.facts.returned(now, server, "its ejection is over");
    }
    if (this.#intervalEndsAt <= now) this.#endInterval(now, servers);
  }

  #followOne(now: number, server: Server): boolean {
    const { untilMs, level, reason } = server.shared!;
    const known = server.ejected ? server.ejectedUntil : 0;
    if (untilMs === known) return false;
    const { facts } = this.#parts;
    if (untilMs > now) facts.ejectedElsewhere(server, { untilMs, level, reason });
    else if (server.ejected) facts.returnedElsewhere(now, server);
    else return false;
    return true;
  }

  /** Not more than allowed, and never the last one that can serve. */
  #tryEject(now: number, server: Server, reason: string): boolean {
    if (!server.inService) return false;
    const present = this.#parts.servers().filter((other) => !other.leaving);
    const most = mayBeEjected(present.length, this.#outlier);
    if (present.filter((other) => other.ejected).length >= most) return false;
    if (!present.some((other) => other !== server && other.healthy && !other.ejected)) return false;
    const { shared } = server;
    if (shared !== undefined) {
      if (!shared.claim(now)) return false;
      const isOut = (other: Server): boolean => other.shared?.isClaimed(now) ?? other.ejected;
      if (present.filter(isOut).length > most) {
        shared.withdraw();
        return false;
      }
    }
    this.#parts.facts.ejected(now, server, reason);
    return true;
  }

  #endInterval(now: number, servers: readonly Server[]): void {
    const outlier = this.#outlier;
    for (const { server, reason } of lowSuccessRates(servers, outlier)) {
      this.#tryEject(now, server, reason);
    }
    forgive(now, servers, outlier.intervalMs);
    if (servers.some((server) => server.ejectionLevel > 0)) this.#startInterval(now);
    else this.#intervalEndsAt = Infinity;
  }

  #startInterval(now: number): void {
    for (const server of this.#parts.servers()) startCounting(server);
    this.#intervalEndsAt = now + this.#outlier.intervalMs;
  }
}
