/** Is it up, and may the next machine fail? From what the nodes say, for each service. */

import type { FrontendSettings } from "../core/proxy/frontend-settings.ts";
import { judgeSurvival, type AddressFacts, type PoolFacts } from "../core/survival/survival.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Holder, Sentence, Survival, Verdict, VerdictState } from "./api.ts";
import { holdersOf, membersOf, type GroupFacts, type Member } from "./group-view.ts";
import type { PartPool } from "./node-part.ts";
import { isActive, poolsOf, poolState, type SeenPool } from "./topology.ts";

/** What users see as one: by default each frontend, or each address where nothing is balanced. */
export interface LiveService {
  readonly name: string;
  readonly instances: readonly string[];
  readonly pools: readonly string[];
}

export interface ServiceState {
  readonly name: string;
  readonly state: VerdictState;
  readonly sentence: Sentence;
}

export function say(code: string, text: string, args: Sentence["args"] = {}): Sentence {
  return { code, args, text };
}

/** Those of the configuration, and frontends that none of them names. `names`: known before control answers. */
export function liveServices(
  { service }: GroupFacts,
  names: readonly string[],
): readonly LiveService[] {
  if (service === undefined) return names.map((name) => ({ name, instances: [], pools: [] }));
  const { services } = service.ledger;
  const named = new Set(services.flatMap(({ frontends }) => frontends));
  const instances = service.vrrp.vrrp.instances.map(({ name }) => name);
  const others = service.balance.frontends.filter(({ name }) => !named.has(name));
  return [
    ...services,
    ...others.map((one) => ({ name: one.name, instances, pools: poolNames(one) })),
  ];
}

function poolNames({ routes, defaultPool }: FrontendSettings): readonly string[] {
  const names = new Set<string>(defaultPool === undefined ? [] : [defaultPool]);
  for (const { target } of routes) {
    for (const { pool } of target.kind === "pools" ? target.pools : []) names.add(pool);
  }
  return [...names];
}

interface Seen {
  readonly members: readonly Member[];
  readonly holders: readonly Holder[];
  readonly pools: readonly SeenPool[];
}

export function seenOf(facts: GroupFacts): Seen {
  const members = membersOf(facts);
  return { members, holders: holdersOf(facts), pools: poolsOf(members) };
}

export function serviceState(
  service: LiveService,
  { members, holders, pools }: Seen,
): ServiceState {
  const { name } = service;
  const args = { service: name };
  if (!members.some(({ isFresh }) => isFresh)) {
    const sentence = say("service-unknown", `${name}: nothing new is known`, args);
    return { name, state: "unknown", sentence };
  }
  const own = holders.filter(({ instance }) => service.instances.includes(instance));
  const used = pools.filter(({ pool }) => service.pools.includes(pool.name));
  const lost = own.filter(({ holder }) => holder === undefined).map((one) => one.instance);
  const empty = used.filter(({ pool, member }) => member.isFresh && poolState(pool) === "DOWN");
  const isDown =
    (own.length > 0 && lost.length === own.length) ||
    (used.length > 0 && empty.length === used.length);
  const troubles = [
    ...lost.map((one) => `nobody holds ${one}`),
    ...own.filter(({ rivals }) => rivals.length > 0).map((one) => `two nodes hold ${one.instance}`),
    ...empty.map(({ pool }) => `pool ${pool.name} has no server`),
    ...used
      .filter(({ pool, member }) => member.isFresh && poolState(pool) === "DEGRADED")
      .map(({ pool }) => `pool ${pool.name} has lost servers`),
  ];
  const why = troubles.join(", ");
  if (isDown) {
    const sentence = say("service-down", `${name} is down: ${why}`, { ...args, why });
    return { name, state: "down", sentence };
  }
  if (troubles.length > 0) {
    const sentence = say("service-degraded", `${name} is degraded: ${why}`, { ...args, why });
    return { name, state: "degraded", sentence };
  }
  return { name, state: "up", sentence: say("service-up", `${name} is up`, args) };
}

export function survivalOf(services: readonly LiveService[], seen: Seen, apart: boolean): Survival {
  const judged = services.map((service) => {
    const { survives, why } = judgeSurvival({
      service: service.name,
      addresses: seen.holders
        .filter(({ instance }) => service.instances.includes(instance))
        .map((holder) => addressFacts(holder, apart)),
      directors: seen.members
        .filter(({ isFresh, part }) => isFresh && isActive(part))
        .map(({ name }) => name),
      pools: seen.pools
        .filter(({ pool }) => service.pools.includes(pool.name))
        .map(({ pool }) => poolFacts(pool)),
    });
    const isKnown = seen.members.some(({ isFresh }) => isFresh);
    return { service: service.name, survives: isKnown ? survives : ("unknown" as const), why };
  });
  const has = (state: Survival["survives"]): boolean =>
    judged.some(({ survives }) => survives === state);
  const survives = has("no") ? "no" : has("unknown") || judged.length === 0 ? "unknown" : "yes";
  return { survives, services: judged };
}

function addressFacts(holder: Holder, apart: boolean): AddressFacts {
  const { instance: name, rivals, standbys } = holder;
  // A master hears no backup: only their own word counts.
  const isUnknown = standbys.length === 0 && apart;
  return { name, holder: holder.holder, rivals, standbys: isUnknown ? undefined : standbys };
}

/** A spare counts: it serves as soon as those before it cannot. */
export function poolFacts(pool: PartPool): PoolFacts {
  return {
    name: pool.name,
    servers: pool.servers.map(({ name, endpoint, usable, tier, state, capacity, active }) => ({
      name,
      machine: machineOf(endpoint),
      isReady: usable || (tier > (pool.tier ?? 0) && (state === "up" || state === "unchecked")),
      capacity,
      active,
    })),
  };
}

function machineOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/u, "");
}

export function verdictOf(services: readonly ServiceState[], ageMs: number | undefined): Verdict {
  const inState = (state: VerdictState): readonly string[] =>
    services.filter((one) => one.state === state).map(({ name }) => name);
  const [down, degraded, unknown] = [inState("down"), inState("degraded"), inState("unknown")];
  if (down.length > 0) return { state: "down", sentence: counted("down", down) };
  if (unknown.length > 0 || services.length === 0) {
    const age = ageMs === undefined ? "nothing was heard yet" : `${formatDuration(ageMs)} old`;
    const text = `not known: ${ageMs === undefined ? age : `the last news is ${age}`}`;
    return { state: "unknown", sentence: say("not-known", text, { ageMs: ageMs ?? -1 }) };
  }
  if (degraded.length > 0) return { state: "degraded", sentence: counted("degraded", degraded) };
  const one = services.length === 1 ? `${services[0]!.name} is up` : "all services are up";
  return { state: "up", sentence: say("all-up", one, { count: services.length }) };
}

function counted(state: "down" | "degraded", names: readonly string[]): Sentence {
  const services = names.slice(0, 5).join(", ");
  const [is, word] = names.length === 1 ? ["is", "service"] : ["are", "services"];
  const text = `${names.length} ${word} ${is} ${state}: ${services}`;
  return say(`services-${state}`, text, { count: names.length, services });
}
