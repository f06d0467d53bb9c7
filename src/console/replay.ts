/**
 * The past from the journal: for everything that is in the picture now, what the last record before that
 * moment said of it. What no record speaks of is unknown.
 */

import type { JournalRecord } from "../core/journal/record.ts";
import type { Holder, Overview, State, StateAt, TopologyNode } from "./api.ts";
import { say } from "./verdict.ts";

/** Records looked through for one thing: some say nothing of its state. */
const MAX_LOOKS = 40;

export interface Past {
  /** Newest first, before that moment. */
  readonly of: (subject: string, limit: number) => readonly JournalRecord[];
  readonly atMs: number;
}

const INSTANCE_STATES: Readonly<Record<string, State>> = {
  MASTER: "UP",
  BACKUP: "STANDBY",
  FAULT: "DOWN",
  STOPPED: "DOWN",
  INIT: "UNKNOWN",
};

/** What an event of a server means for its state from then on. */
const SERVER_STATES: Readonly<Record<string, State>> = {
  "server-up": "UP",
  "server-down": "DOWN",
  "server-ejected": "DEGRADED",
  "server-returned": "UP",
  "server-drain-started": "DRAINING",
  "server-drained": "DRAINING",
  "server-maint": "MAINTENANCE",
  "server-ready": "UP",
  "server-added": "UP",
};

interface Then {
  readonly state: State;
  readonly reason: string;
  readonly sinceMs?: number;
}

const UNKNOWN: Then = { state: "UNKNOWN", reason: "the journal says nothing of it before that" };

export function stateAt(
  now: Overview,
  past: Past,
): Omit<StateAt, "records" | "verdict"> & {
  readonly verdict: StateAt["verdict"];
} {
  const servers = new Map<string, Then>();
  for (const { id, layer } of now.topology.nodes) {
    if (layer === "server") servers.set(id, serverThen(past.of(afterSpace(id), MAX_LOOKS)));
  }
  const instances = new Map<string, Then>();
  for (const { instance } of now.holders) {
    instances.set(instance, instanceThen(past.of(instance, MAX_LOOKS)));
  }
  const nodes = now.topology.nodes.map((node) => nodeThen(node, servers, instances, now));
  const holders = now.holders.map((holder) => holderThen(holder, instances, now.node));
  const edges = now.topology.edges.map((edge) => ({
    from: edge.from,
    to: edge.to,
    requestsPerSecond: 0,
    errorsPerSecond: 0,
    isActive: nodes.find(({ id }) => id === edge.to)?.state === "UP",
  }));
  const recorded = past.of("", MAX_LOOKS).find(({ kind }) => kind === "verdict-changed");
  const state = recorded?.data?.["to"];
  const text = recorded?.reason ?? "the journal says nothing before that";
  const isKnown = state === "up" || state === "degraded" || state === "down";
  return {
    atMs: past.atMs,
    verdict: {
      state: isKnown ? state : "unknown",
      sentence: say("then", text, { text }),
      ...(recorded === undefined ? {} : { sinceMs: recorded.wallMs }),
    },
    holders,
    topology: { nodes, edges },
  };
}

function serverThen(records: readonly JournalRecord[]): Then {
  for (const { kind, reason, wallMs } of records) {
    const state = SERVER_STATES[kind];
    if (state !== undefined) return { state, reason, sinceMs: wallMs };
  }
  return UNKNOWN;
}

function instanceThen(records: readonly JournalRecord[]): Then {
  for (const { kind, reason, wallMs, data } of records) {
    const state = kind === "state-changed" ? INSTANCE_STATES[String(data?.["to"])] : undefined;
    if (state !== undefined) return { state, reason, sinceMs: wallMs };
  }
  return UNKNOWN;
}

function nodeThen(
  node: TopologyNode,
  servers: ReadonlyMap<string, Then>,
  instances: ReadonlyMap<string, Then>,
  now: Overview,
): TopologyNode {
  const { ageMs: _ageMs, sinceMs: _sinceMs, ...rest } = node;
  if (node.layer === "client") return node;
  if (node.layer === "server") return { ...rest, ...(servers.get(node.id) ?? UNKNOWN) };
  if (node.layer === "address") {
    const then = instances.get(node.name) ?? UNKNOWN;
    // Another node may have had it: only that one's journal knows.
    return { ...rest, ...(then.state === "UP" ? then : { ...then, state: "UNKNOWN" }) };
  }
  if (node.layer === "pool") return { ...rest, ...poolThen(node.id, now, servers) };
  if (node.name !== now.node) return { ...rest, ...UNKNOWN };
  const own = [...instances.values()];
  const best = own.find(({ state }) => state === "UP") ?? own[0] ?? UNKNOWN;
  return { ...rest, ...best };
}

function poolThen(id: string, now: Overview, servers: ReadonlyMap<string, Then>): Then {
  const own = now.topology.nodes.filter(({ parent }) => parent === id);
  const states = own.map((one) => servers.get(one.id)?.state ?? "UNKNOWN");
  const up = states.filter((state) => state === "UP" || state === "STANDBY").length;
  const reason = `${up} of ${states.length} servers were up`;
  if (states.every((state) => state === "UNKNOWN")) return UNKNOWN;
  const isHurt = states.some((state) => state === "DOWN" || state === "DEGRADED");
  return { state: up === 0 ? "DOWN" : isHurt ? "DEGRADED" : "UP", reason };
}

function holderThen(holder: Holder, instances: ReadonlyMap<string, Then>, node: string): Holder {
  const then = instances.get(holder.instance) ?? UNKNOWN;
  const { instance, addresses } = holder;
  const base = { instance, addresses, rivals: [], reason: then.reason };
  const since = then.sinceMs === undefined ? {} : { sinceMs: then.sinceMs };
  if (then.state === "UP") return { ...base, ...since, holder: node, isSelf: true, standbys: [] };
  const standbys = then.state === "STANDBY" ? [node] : [];
  return { ...base, ...since, isSelf: false, standbys };
}

function afterSpace(id: string): string {
  return id.slice(id.indexOf(" ") + 1);
}
