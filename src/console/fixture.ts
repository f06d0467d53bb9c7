/**
 * Made-up overviews for tests and benches of the page: the same at every call, and as an overview of
 * a real group would be.
 */

import type {
  Alert,
  Holder,
  NodeView,
  Overview,
  Role,
  Sentence,
  ServiceView,
  State,
  Survival,
  TopologyEdge,
  TopologyNode,
  Verdict,
  VerdictState,
} from "./api.ts";
import {
  DAY_MS,
  FIXTURE_NOW_MS,
  fixtureIncidents,
  fixtureRecords,
  REASONS,
} from "./fixture-history.ts";

export const FIXTURE_NAMES = [
  "small",
  "thousand-servers",
  "one-server-left",
  "split-brain",
  "everything-down",
  "stale-peer",
  "control-dead",
] as const;

export type FixtureName = (typeof FIXTURE_NAMES)[number];

/** What differs from the quiet pair of two nodes with three servers. */
interface World {
  readonly servers: number;
  readonly pools: number;
  readonly serverState: (i: number) => State;
  readonly verdict: VerdictState;
  readonly survives: Survival["survives"];
  readonly peer: "STANDBY" | "UNKNOWN" | "UP";
  readonly controlAgeMs: number;
}

const QUIET: World = {
  servers: 3,
  pools: 1,
  serverState: () => "UP",
  verdict: "up",
  survives: "yes",
  peer: "STANDBY",
  controlAgeMs: 0,
};

const MIXED: readonly State[] = ["DOWN", "DRAINING", "MAINTENANCE", "GOING-DOWN", "DEGRADED"];

const WORLDS: Readonly<Record<FixtureName, World>> = {
  small: QUIET,
  "thousand-servers": {
    ...QUIET,
    servers: 1000,
    pools: 10,
    serverState: (i) => (i % 50 === 7 ? MIXED[Math.floor(i / 50) % MIXED.length]! : "UP"),
    verdict: "degraded",
  },
  "one-server-left": {
    ...QUIET,
    serverState: (i) => (i === 0 ? "UP" : "DOWN"),
    verdict: "degraded",
    survives: "no",
  },
  "split-brain": { ...QUIET, peer: "UP", verdict: "degraded", survives: "no" },
  "everything-down": {
    ...QUIET,
    serverState: () => "DOWN",
    verdict: "down",
    survives: "no",
  },
  "stale-peer": { ...QUIET, peer: "UNKNOWN", survives: "no" },
  "control-dead": { ...QUIET, controlAgeMs: 42_000, verdict: "unknown", survives: "unknown" },
};

const PEER_AGE_MS = 95_000;

export function fixture(name: FixtureName, role: Role = "operate"): Overview {
  const world = WORLDS[name];
  const nodes = topologyNodes(world);
  return {
    node: "lb1",
    version: "0.1.0",
    nowMs: FIXTURE_NOW_MS,
    viewer: { role, who: role === "operate" ? "ops" : "anonymous" },
    source: sourceOf(world),
    verdict: verdictOf(world),
    survival: survivalOf(world),
    holders: [holderOf(world)],
    topology: { nodes, edges: edgesOf(world, nodes) },
    services: Array.from({ length: world.pools }, (_, i) => serviceOf(world, i)),
    alerts: alertsOf(world, nodes),
    incidents: fixtureIncidents(world.verdict),
    records: fixtureRecords(world.serverState),
    nodes: [node("lb1", true, world), node("lb2", false, world)],
    drills: {
      recent: [
        {
          id: "drill-7",
          name: "kill-vrrp",
          startMs: FIXTURE_NOW_MS - 2 * DAY_MS,
          endMs: FIXTURE_NOW_MS - 2 * DAY_MS + 31_000,
          verdict: "passed",
          reason: "as promised: another process takes its place",
          outageMs: 62,
          failedRequests: 0,
        },
      ],
    },
  };
}

function say(code: string, text: string, args: Sentence["args"] = {}): Sentence {
  return { code, args, text };
}

function sourceOf({ controlAgeMs }: World): Overview["source"] {
  if (controlAgeMs === 0) return { state: "live", ageMs: 0, reason: "the control process answers" };
  const reason =
    "the control process: nobody answers on /run/nines/control.sock: is nines running? start it with: nines run -f FILE";
  return { state: "stale", ageMs: controlAgeMs, reason };
}

function verdictOf({ verdict, controlAgeMs }: World): Verdict {
  const sentences: Readonly<Record<VerdictState, Sentence>> = {
    up: say("all-up", "all services are up"),
    degraded: say("services-degraded", "1 service is degraded: web", { count: 1, services: "web" }),
    down: say("services-down", "1 service is down: web", { count: 1, services: "web" }),
    unknown: say("not-known", "not known: the last news is 42 s old", { ageMs: controlAgeMs }),
  };
  return { state: verdict, sentence: sentences[verdict], sinceMs: FIXTURE_NOW_MS - 734_000 };
}

function survivalOf({ survives, peer, serverState }: World): Survival {
  const why: Sentence[] = [];
  if (peer === "UNKNOWN")
    why.push(say("no-standby", "nobody stands by for VI_1", { name: "VI_1" }));
  if (peer === "UP") why.push(say("split-brain", "two nodes hold VI_1", { name: "VI_1" }));
  if (serverState(0) === "DOWN")
    why.push(say("pool-empty", "pool web: no server", { pool: "web" }));
  else if (serverState(1) === "DOWN") {
    why.push(
      say("last-server", "pool web has one server left: web1", { pool: "web", server: "web1" }),
    );
  }
  if (survives === "yes") why.push(say("survives", "any machine may fail"));
  return { survives, services: [{ service: "web", survives, why }] };
}

function holderOf({ peer }: World): Holder {
  return {
    instance: "VI_1",
    addresses: ["192.0.2.10/24"],
    holder: "lb1",
    isSelf: true,
    sinceMs: FIXTURE_NOW_MS - 734_000,
    standbys: peer === "STANDBY" ? ["lb2"] : [],
    rivals: peer === "UP" ? ["lb2"] : [],
    reason: "no advert from 192.0.2.2 for 3609 ms (limit 3609 ms)",
  };
}

function poolName(i: number): string {
  return i === 0 ? "web" : `web${i + 1}`;
}

function topologyNodes(world: World): readonly TopologyNode[] {
  const sinceMs = FIXTURE_NOW_MS - 734_000;
  const made = (node: Omit<TopologyNode, "sinceMs">): TopologyNode => ({ ...node, sinceMs });
  const nodes: TopologyNode[] = [
    made({ id: "client", layer: "client", name: "clients", state: "UP", reason: "", facts: {} }),
    made({
      id: "address VI_1",
      layer: "address",
      name: "VI_1",
      state: world.peer === "UP" ? "DEGRADED" : "UP",
      reason: "no advert from 192.0.2.2 for 3609 ms (limit 3609 ms)",
      facts: { addresses: "192.0.2.10/24", vrid: 51 },
    }),
    made({
      id: "director lb1",
      layer: "director",
      name: "lb1",
      state: "UP",
      reason: "holds VI_1",
      facts: { priority: 200 },
    }),
    {
      ...made({
        id: "director lb2",
        layer: "director",
        name: "lb2",
        state: world.peer,
        reason:
          world.peer === "UNKNOWN" ? "it does not answer" : "VI_1: started, listening for a master",
        facts: { priority: 100 },
      }),
      ...(world.peer === "UNKNOWN" ? { ageMs: PEER_AGE_MS } : {}),
    },
  ];
  for (let pool = 0; pool < world.pools; pool++) nodes.push(...poolNodes(world, pool));
  if (world.controlAgeMs === 0) return nodes;
  return nodes.map((one) => ({ ...one, state: "UNKNOWN", ageMs: world.controlAgeMs }));
}

function poolNodes(world: World, pool: number): readonly TopologyNode[] {
  const name = poolName(pool);
  const share = world.servers / world.pools;
  const servers = Array.from({ length: share }, (_, i): TopologyNode => {
    const index = pool * share + i;
    const state = world.serverState(index);
    return {
      id: `server ${name}/web${i + 1}`,
      layer: "server",
      name: `web${i + 1}`,
      state,
      reason: REASONS[state],
      sinceMs: FIXTURE_NOW_MS - 60_000 - index * 1_000,
      parent: `pool ${name}`,
      facts: {
        endpoint: `10.${pool}.${Math.floor(i / 250)}.${(i % 250) + 1}:8080`,
        weight: 1,
        active: index % 7,
      },
    };
  });
  const up = servers.filter(({ state }) => state === "UP").length;
  const state: State = up === share ? "UP" : up === 0 ? "DOWN" : "DEGRADED";
  return [
    {
      id: `pool ${name}`,
      layer: "pool",
      name,
      state,
      reason: `${up} of ${share} servers usable`,
      facts: { algorithm: "two-choices", usable: up, servers: share },
    },
    ...servers,
  ];
}

function edgesOf(world: World, nodes: readonly TopologyNode[]): readonly TopologyEdge[] {
  const flows = world.verdict !== "down";
  const edge = (from: string, to: string, requestsPerSecond: number): TopologyEdge => ({
    from,
    to,
    isActive: requestsPerSecond > 0,
    requestsPerSecond: flows ? requestsPerSecond : 0,
    errorsPerSecond: flows ? requestsPerSecond / 500 : requestsPerSecond,
    ...(requestsPerSecond > 0 ? { latencyMs: 1.5 } : {}),
  });
  const rate = 12 * world.servers;
  const edges = [
    edge("client", "address VI_1", rate),
    edge("address VI_1", "director lb1", rate),
    edge("address VI_1", "director lb2", 0),
  ];
  for (const { id, layer, parent, state } of nodes) {
    if (layer === "pool") edges.push(edge("director lb1", id, rate / world.pools));
    if (parent !== undefined) edges.push(edge(parent, id, state === "UP" ? 12 : 0));
  }
  return edges;
}

function serviceOf({ verdict }: World, i: number): ServiceView {
  const state = i === 0 ? verdict : "up";
  const bad = (day: number): number => (day % 31 === 11 ? 12 + i : 0);
  const badMinutes = Array.from({ length: 90 }, (_, day) => bad(day));
  const spentMs = badMinutes.slice(-30).reduce((sum, minutes) => sum + minutes * 60_000, 0);
  const totalMs = 30 * DAY_MS * 0.001;
  return {
    name: poolName(i),
    state,
    sentence: say(`service-${state}`, `${poolName(i)} is ${state}`, {
      service: poolName(i),
      why: `pool ${poolName(i)} has lost servers`,
    }),
    days: {
      firstDay: new Date(FIXTURE_NOW_MS - 89 * DAY_MS).toISOString().slice(0, 10),
      availability: badMinutes.map((minutes, day) => (day < 5 ? null : 1 - minutes / 1440)),
      badMinutes,
    },
    availability: 1 - spentMs / (30 * DAY_MS),
    budget: {
      objective: 0.999,
      windowDays: 30,
      totalMs,
      spentMs,
      leftMs: totalMs - spentMs,
      burnRate: state === "up" ? 0.2 : 16,
    },
  };
}

function alertsOf(world: World, nodes: readonly TopologyNode[]): readonly Alert[] {
  const alerts: Alert[] = nodes
    .filter(({ state }) => state === "DOWN")
    .slice(0, 20)
    .map(({ id, name, layer, reason, sinceMs }) => ({
      level: "error",
      subject: id.slice(id.indexOf(" ") + 1),
      node: "lb1",
      ...(sinceMs === undefined ? {} : { sinceMs }),
      sentence: say(`${layer}-down`, `${name} is down: ${reason}`, { name, reason }),
    }));
  if (world.peer === "UP") {
    const sentence = say("split-brain", "two nodes hold VI_1: lb1 and lb2", { name: "VI_1" });
    alerts.unshift({ level: "error", subject: "VI_1", node: "lb1", sentence });
  }
  return alerts;
}

function node(name: string, isSelf: boolean, { peer, controlAgeMs }: World): NodeView {
  const isStale = !isSelf && peer === "UNKNOWN";
  const base = {
    name,
    isSelf,
    address: isSelf ? "192.0.2.1" : "192.0.2.2",
    version: "0.1.0",
    certificateEndsMs: FIXTURE_NOW_MS + 300 * DAY_MS,
  };
  if (isStale) {
    const reason = "connect ECONNREFUSED 192.0.2.2:7601";
    const known = { state: "UNKNOWN" as const, reason, ageMs: PEER_AGE_MS, roles: [] };
    return { ...base, ...known };
  }
  return {
    ...base,
    state: !isSelf ? peer : controlAgeMs > 0 ? "UNKNOWN" : "UP",
    reason: isSelf ? "the control process answers" : "it answers",
    ageMs: isSelf ? controlAgeMs : 400,
    roles: ["vrrp running", "check running", "balance running"],
    clockOffsetMs: isSelf ? 0 : 12,
  };
}
