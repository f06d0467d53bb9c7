/**
 * Who is in the pool and who may be picked: servers by name, in tiers. After every change of facts
 * `settle` derives everything anew; that is some microseconds and happens seldom.
 */

import type { Prng } from "../../lib/prng.ts";
import { makePicker, picksAlike } from "./algorithms.ts";
import type { PoolLog } from "./pool-log.ts";
import type { PoolSettings } from "./pool-settings.ts";
import type { ServerFacts } from "./server-facts.ts";
import { Server } from "./server.ts";
import { slowStartShare, slowStartStepMs } from "./slow-start.ts";
import { Tier } from "./tier.ts";

export interface RosterParts {
  readonly log: PoolLog;
  readonly facts: ServerFacts;
  readonly prng: Prng;
}

export class Roster {
  readonly #parts: RosterParts;
  #settings: PoolSettings;
  readonly #byName = new Map<string, Server>();
  #servers: readonly Server[] = [];
  #tiers: readonly Tier[] = [];
  #serving: Tier | undefined;
  #panic = false;
  #nextId = 0;
  #nextStepAt = Infinity;

  constructor(settings: PoolSettings, parts: RosterParts, now: number) {
    this.#parts = parts;
    this.#settings = settings;
    this.#members(now, settings);
    // Nobody was away before the start, so nobody starts slowly.
    for (const server of this.#servers) server.inService = isInService(server);
    this.settle(now);
    parts.log.take();
  }

  /** In the order of the configuration; those that are leaving come last. */
  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** All that have a server, lowest first. */
  get tiers(): readonly Tier[] {
    return this.#tiers;
  }

  /** Undefined when none can serve. */
  get serving(): Tier | undefined {
    return this.#serving;
  }

  get panic(): boolean {
    return this.#panic;
  }

  /** When the next step of a slow start is due. */
  get deadline(): number {
    return this.#nextStepAt;
  }

  get(name: string): Server | undefined {
    return this.#byName.get(name);
  }

  update(now: number, settings: PoolSettings): void {
    if (!picksAlike(settings.algorithm, this.#settings.algorithm)) this.#tiers = [];
    this.#settings = settings;
    this.#members(now, settings);
    this.settle(now);
  }

  /** A removed server whose last request has ended. */
  forget(server: Server): void {
    this.#servers = this.#servers.filter((other) => other !== server);
    this.#byName.delete(server.name);
  }

  /** Derives from the facts who may be picked. */
  settle(now: number): void {
    for (const server of this.#servers) this.#derive(now, server);
    this.#returnLastHope(now);
    this.#tiers = this.#tiersNow();
    this.#choose(now);
    for (const server of this.#servers) server.reachable = isReachable(server, this.#panic);
    this.#nextStepAt = this.#nextStep(now);
  }

  /** Derives one server alone, whose admin state is as it was. True: others are touched, `settle`. */
  refresh(now: number, server: Server): boolean {
    const { healthy, weight, maxConnections, reachable } = server;
    this.#derive(now, server);
    if (server.healthy !== healthy || server.weight !== weight) return true;
    if (server.maxConnections !== maxConnections) return true;
    return isReachable(server, this.#panic) !== reachable;
  }

  #nextStep(now: number): number {
    const { slowStart } = this.#settings;
    let next = Infinity;
    for (const { warmingSince } of this.#servers) {
      if (warmingSince === Infinity) continue;
      const warmAt = warmingSince + slowStart.windowMs;
      next = Math.min(next, warmAt, now + slowStartStepMs(slowStart));
    }
    return next;
  }

  #members(now: number, settings: PoolSettings): void {
    const { facts } = this.#parts;
    const present = new Set<Server>();
    for (const each of settings.servers) {
      let server = this.#byName.get(each.name);
      if (server !== undefined) facts.configured(now, server, each);
      else server = new Server(this.#nextId++, each, now);
      if (!this.#byName.has(each.name) || server.leaving) facts.joins(now, server);
      this.#byName.set(each.name, server);
      present.add(server);
    }
    const others = this.#servers.filter((server) => !present.has(server));
    this.#servers = [...present, ...others];
    for (const server of others) {
      if (!server.leaving) facts.leaves(now, server);
      if (server.active === 0) this.forget(server);
    }
  }

  #derive(now: number, server: Server): void {
    const { slowStart } = this.#settings;
    const was = server.inService;
    server.inService = isInService(server);
    if (server.inService && !was && slowStart.windowMs > 0) server.warmingSince = now;
    // The same sum as for the deadline: a difference may be rounded to just below the window.
    const isWarm = now >= server.warmingSince + slowStart.windowMs;
    if (!server.inService || isWarm) server.warmingSince = Infinity;
    const share =
      server.warmingSince === Infinity ? 1 : slowStartShare(slowStart, now - server.warmingSince);
    server.weight = ((server.baseWeight * server.agentPercent) / 100) * share;
    server.maxConnections = server.maxConnectionsNow();
    server.healthy = server.inService && server.weight > 0;
    const state = server.stateNow();
    server.stateReason = server.reasonNow();
    if (state !== server.state) server.stateSince = now;
    server.state = state;
  }

  /** An ejected server may fail; without it everything does. */
  #returnLastHope(now: number): void {
    if (this.#servers.some((server) => server.healthy)) return;
    for (const server of this.#servers) {
      if (server.state !== "ejected") continue;
      this.#parts.facts.returned(now, server, "no other server is usable");
      this.#derive(now, server);
    }
  }

  #tiersNow(): Tier[] {
    const byNumber = new Map<number, Server[]>();
    for (const server of this.#servers) {
      server.usable = false;
      server.load = undefined;
      if (server.leaving) continue;
      const members = byNumber.get(server.settings.tier);
      if (members === undefined) byNumber.set(server.settings.tier, [server]);
      else members.push(server);
    }
    return [...byNumber]
      .sort(([a], [b]) => a - b)
      .map(([number, members]) => {
        const known = this.#tiers.find((other) => other.number === number);
        const tier = known ?? this.#newTier(number);
        tier.members = members;
        return tier;
      });
  }

  #newTier(number: number): Tier {
    return new Tier(number, makePicker(this.#settings.algorithm, this.#parts.prng));
  }

  /** Backups, when the first tier has servers and yet too little weight; undefined: as usual. */
  #insteadOfFirst(now: number): Tier | undefined {
    const { quorum } = this.#settings;
    const [first, ...others] = this.#tiers;
    if (quorum === undefined || first === undefined) return undefined;
    const { weight, hysteresis } = quorum;
    const sum = first.members.reduce((all, one) => all + (one.healthy ? one.baseWeight : 0), 0);
    const { hasQuorum } = first;
    first.hasQuorum = sum > 0 && sum >= weight + (hasQuorum ? -hysteresis : hysteresis);
    if (first.hasQuorum !== hasQuorum) {
      const kind = first.hasQuorum ? "quorum-regained" : "quorum-lost";
      this.#parts.log.add(now, kind, undefined, `weight ${sum} of ${weight}`);
    }
    return first.hasQuorum ? undefined : others.find((tier) => tier.healthy > 0);
  }

  /** The first tier with a healthy server; without any the first that a panic may use. */
  #choose(now: number): void {
    const { panicPercent } = this.#settings;
    const before = this.#serving?.number;
    let serving = this.#insteadOfFirst(now) ?? this.#tiers.find((tier) => tier.healthy > 0);
    if (panicPercent > 0) serving ??= this.#tiers.find((tier) => tier.ready > 0);
    const panic = serving !== undefined && serving.healthy * 100 < serving.ready * panicPercent;
    for (const tier of this.#tiers) tier.settle(panic && tier === serving);
    this.#serving = serving;
    if (serving?.number !== before) {
      const { log } = this.#parts;
      log.add(now, "tier", undefined, tierText(serving));
    }
    if (panic === this.#panic) return;
    this.#panic = panic;
    const healthy = `${serving?.healthy ?? 0} of ${serving?.ready ?? 0} servers are healthy`;
    const reason = `${healthy}, limit ${panicPercent} %`;
    this.#parts.log.add(now, panic ? "panic-on" : "panic-off", undefined, reason);
  }
}

function tierText(serving: Tier | undefined): string {
  if (serving === undefined) return "no server can serve";
  return `tier ${serving.number} serves with ${serving.usable.length} of ${serving.members.length}`;
}

function isInService(server: Server): boolean {
  return !server.leaving && server.admin === "ready" && server.checkUp !== false && !server.ejected;
}

function isReachable(server: Server, panic: boolean): boolean {
  if (server.leaving || server.admin === "maint" || server.drainOver) return false;
  return panic || (server.checkUp !== false && !server.ejected);
}
