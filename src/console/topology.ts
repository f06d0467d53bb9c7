/** The picture: clients, addresses, directors, pools, servers, and what flows between them. */

import type { Holder, State, Topology, TopologyEdge, TopologyNode } from "./api.ts";
import { directorState, holdersOf, membersOf, type GroupFacts, type Member } from "./group-view.ts";
import type { NodePart, PartPool, PartServer } from "./node-part.ts";
import type { Rate } from "./rate-meter.ts";

export function topologyOf(facts: GroupFacts): Topology {
  const members = membersOf(facts);
  const holders = holdersOf(facts);
  const pools = poolsOf(members);
  const nodes: TopologyNode[] = [
    { id: "client", layer: "client", name: "clients", state: "UP", reason: "", facts: {} },
    ...holders.map((holder) => addressNode(holder, members)),
    ...members.map(directorNode),
    ...pools.flatMap(poolNodes),
  ];
  const edges = [...frontEdges(members, holders), ...poolEdges(pools)];
  return { nodes, edges };
}

/** One pool of the group, as the node sees it that knows best. */
export interface SeenPool {
  readonly pool: PartPool;
  readonly member: Member;
  /** Every fresh node that has it. */
  readonly all: readonly { readonly pool: PartPool; readonly member: Member }[];
}

/** Whoever holds an address knows best, then this node, then anybody. */
export function poolsOf(members: readonly Member[]): readonly SeenPool[] {
  const names = new Set(members.flatMap(({ part }) => (part?.pools ?? []).map(({ name }) => name)));
  return [...names].map((name) => {
    const seen = members.flatMap((member) => {
      const pool = member.part?.pools.find((one) => one.name === name);
      return pool === undefined ? [] : [{ pool, member }];
    });
    const all = seen.filter(({ member }) => member.isFresh);
    const best =
      all.find(({ member }) => isActive(member.part)) ??
      all.find(({ member }) => member.isSelf) ??
      all[0] ??
      seen[0]!;
    return { ...best, all };
  });
}

/** Requests come to it: it holds an address, or there are none to hold. */
export function isActive(part: NodePart | undefined): boolean {
  if (part === undefined || part.frontends.length === 0) return false;
  return part.instances.length === 0 || part.instances.some(({ state }) => state === "MASTER");
}

function addressNode(holder: Holder, members: readonly Member[]): TopologyNode {
  const seen = members.flatMap(
    ({ part }) => part?.instances.find(({ name }) => name === holder.instance) ?? [],
  )[0];
  const base = {
    id: `address ${holder.instance}`,
    layer: "address" as const,
    name: holder.instance,
    ...(holder.sinceMs === undefined ? {} : { sinceMs: holder.sinceMs }),
    facts: {
      addresses: holder.addresses.join(" "),
      ...(holder.holder === undefined ? {} : { holder: holder.holder }),
      ...(seen === undefined ? {} : { interface: seen.interface, vrid: seen.vrid }),
    },
  };
  if (holder.rivals.length > 0) {
    const reason = `${holder.holder ?? "?"} and ${holder.rivals.join(", ")} hold it`;
    return { ...base, state: "DEGRADED", reason };
  }
  if (holder.holder !== undefined) return { ...base, state: "UP", reason: holder.reason };
  const [self] = members;
  if (self?.isFresh === true) return { ...base, state: "DOWN", reason: `nobody: ${holder.reason}` };
  const age = self?.ageMs === undefined ? {} : { ageMs: self.ageMs };
  return { ...base, ...age, state: "UNKNOWN", reason: self?.reason ?? "" };
}

function directorNode(member: Member): TopologyNode {
  const { name, part, ageMs, isFresh } = member;
  const instances = part?.instances ?? [];
  const priorities = instances.map(({ name: of, priority }) =>
    instances.length === 1 ? `${priority}` : `${of} ${priority}`,
  );
  const since = part?.instances.map(({ sinceMs }) => sinceMs) ?? [];
  return {
    id: `director ${name}`,
    layer: "director",
    name,
    ...directorState(member),
    ...(since.length === 0 ? {} : { sinceMs: Math.max(...since) }),
    ...(isFresh || ageMs === undefined ? {} : { ageMs }),
    facts: {
      ...(part === undefined ? {} : { version: part.version }),
      ...(priorities.length === 0 ? {} : { priority: priorities.join(", ") }),
    },
  };
}

function poolNodes({ pool, member, all }: SeenPool): readonly TopologyNode[] {
  const usable = pool.servers.filter((server) => server.usable).length;
  const stale = member.isFresh ? {} : { ageMs: member.ageMs ?? 0 };
  const reason = pool.panic ? ", panic: all are used whatever their health" : "";
  const node: TopologyNode = {
    id: `pool ${pool.name}`,
    layer: "pool",
    name: pool.name,
    state: member.isFresh ? poolState(pool) : "UNKNOWN",
    reason: `${usable} of ${pool.servers.length} servers usable${reason}`,
    ...stale,
    facts: {
      algorithm: pool.algorithm,
      usable,
      servers: pool.servers.length,
      waiting: pool.waiting,
      ...(member.isSelf ? {} : { seenBy: member.name }),
    },
  };
  const others = all
    .filter((one) => one.member !== member)
    .map((one) => ({ ...one, byName: serversByName(one.pool) }));
  return [
    node,
    ...pool.servers.map((server): TopologyNode => {
      const differing = others.flatMap(({ pool: other, member: by, byName }) => {
        const same = byName.get(server.name);
        if (same === undefined || serverState(same, other) === serverState(server, pool)) return [];
        return [`${by.name}: ${same.state}`];
      });
      return {
        id: `server ${pool.name}/${server.name}`,
        layer: "server",
        name: server.name,
        parent: node.id,
        state: member.isFresh ? serverState(server, pool) : "UNKNOWN",
        reason: server.reason,
        sinceMs: server.sinceMs,
        ...stale,
        facts: {
          endpoint: server.endpoint,
          weight: server.weight,
          active: server.active,
          ...(server.capacity === 0 ? {} : { limit: server.capacity }),
          ...(differing.length === 0 ? {} : { seenOtherwise: differing.join(", ") }),
        },
      };
    }),
  ];
}

function serversByName({ servers }: PartPool): ReadonlyMap<string, PartServer> {
  return new Map(servers.map((server) => [server.name, server]));
}

export function poolState(pool: PartPool): State {
  if (!pool.servers.some(({ usable }) => usable)) return "DOWN";
  const isHurt = pool.servers.some(({ state }) => state === "down" || state === "ejected");
  return isHurt || pool.panic ? "DEGRADED" : "UP";
}

export function serverState(server: PartServer, { tier }: Pick<PartPool, "tier">): State {
  switch (server.state) {
    case "down":
      return "DOWN";
    case "ejected":
      return "DEGRADED";
    case "drain":
    case "leaving":
      return "DRAINING";
    case "maint":
      return "MAINTENANCE";
    default:
      if (server.isFailing) return "GOING-DOWN";
      return tier !== undefined && server.tier > tier ? "STANDBY" : "UP";
  }
}

const STILL: Rate = { requests: 0, errors: 0 };

function sum(rates: readonly Rate[]): Rate {
  return rates.reduce(
    (all, one) => ({ requests: all.requests + one.requests, errors: all.errors + one.errors }),
    STILL,
  );
}

function edge(from: string, to: string, rate: Rate, isOpen: boolean): TopologyEdge {
  const { requests: requestsPerSecond, errors: errorsPerSecond } = rate;
  return { from, to, isActive: isOpen, requestsPerSecond, errorsPerSecond };
}

/** Clients to addresses to directors; without addresses clients come to directors themselves. */
function frontEdges(
  members: readonly Member[],
  holders: readonly Holder[],
): readonly TopologyEdge[] {
  const edges: TopologyEdge[] = [];
  for (const holder of holders) {
    const id = `address ${holder.instance}`;
    const holding = members.filter(({ name }) => [holder.holder, ...holder.rivals].includes(name));
    const rates = holding.map((member) => (member.isFresh ? rateAt(member, holder) : STILL));
    edges.push(edge("client", id, sum(rates), holding.length > 0));
    for (const [i, { name }] of holding.entries()) {
      edges.push(edge(id, `director ${name}`, rates[i]!, true));
    }
    for (const { name, part } of members) {
      const has = part?.instances.some((one) => one.name === holder.instance) === true;
      const isHolding = holding.some((one) => one.name === name);
      if (has && !isHolding) edges.push(edge(id, `director ${name}`, STILL, false));
    }
  }
  for (const { name, part, isFresh } of members) {
    if (part === undefined || part.instances.length > 0 || part.frontends.length === 0) continue;
    const rate = isFresh ? sum(part.frontends.map((one) => one.rate)) : STILL;
    edges.push(edge("client", `director ${name}`, rate, isFresh));
  }
  return edges;
}

/**
 * What comes in by this address. A frontend that listens on any address cannot be told apart when its
 * node holds several: then it counts for the first.
 */
function rateAt({ part }: Member, holder: Holder): Rate {
  if (part === undefined) return STILL;
  const own = holder.addresses.map((address) => address.split("/", 1)[0]!);
  const held = part.instances.filter(({ state }) => state === "MASTER");
  const isFirst = held[0]?.name === holder.instance;
  const here = part.frontends.filter(({ listening }) =>
    listening.some((bind) => {
      const address = bind.replace(/:\d+$/u, "").replace(/^\[(.*)\]$/u, "$1");
      const isAny = ["", "::", "0.0.0.0", "*"].includes(address);
      return isAny ? isFirst : own.includes(address);
    }),
  );
  return sum(here.map(({ rate }) => rate));
}

function poolEdges(pools: readonly SeenPool[]): readonly TopologyEdge[] {
  const edges: TopologyEdge[] = [];
  for (const { pool, member, all } of pools) {
    const id = `pool ${pool.name}`;
    for (const { pool: seen, member: by } of all) {
      edges.push(edge(`director ${by.name}`, id, seen.rate, isActive(by.part)));
    }
    if (all.length === 0) edges.push(edge(`director ${member.name}`, id, STILL, false));
    const maps = all.map((one) => serversByName(one.pool));
    for (const server of pool.servers) {
      const rate = sum(maps.map((map) => map.get(server.name)?.rate ?? STILL));
      const isOpen = member.isFresh && (server.usable || rate.requests > 0);
      const flow = edge(id, `server ${pool.name}/${server.name}`, rate, isOpen);
      edges.push(server.latencyMs < 0 ? flow : { ...flow, latencyMs: server.latencyMs });
    }
  }
  return edges;
}
