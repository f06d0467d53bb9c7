/**
 * The past from the journal: for everything that is in the picture now, what the last record before that
 * moment said of it. What no record speaks of is unknown.
 */

import type { JournalRecord } from "../core/journal/record.ts";
import type { Holder, Overview, State, StateAt, TopologyNode } from "./api.ts";
import type { Silence } from "./node-presence.ts";
import { say } from "./verdict.ts";

/** Records looked through for one thing: some say nothing of its state. */
const MAX_LOOKS = 40;

export interface Past {
  /** This node's, newest first, before that moment. */
  readonly of: (subject: string, limit: number) => readonly JournalRecord[];
  /** What other nodes told of instances, newest first, before that moment. */
  readonly others: readonly JournalRecord[];
  /** Since when a node had not been heard at that moment. */
  readonly silence: (node: string) => Silence | undefined;
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
  const told: Told = new Map();
  for (const { instance } of now.holders) {
    told.set(keyOf(now.node, instance), instanceThen(past.of(instance, MAX_LOOKS)));
    for (const { name, isSelf } of now.nodes) {
      if (isSelf) continue;
      const own = past.others.filter((one) => one.node === name && one.subject === instance);
      told.set(keyOf(name, instance), heardThen(instanceThen(own), past.silence(name)));
    }
  }
  const holders = now.holders.map((holder) => holderThen(holder, told, now));
  const nodes = now.topology.nodes.map((node) => nodeThen(node, { servers, told, holders, now }));
  const states = new Map(nodes.map(({ id, state }) => [id, state]));
  const edges = now.topology.edges.map((edge) => ({
    from: edge.from,
    to: edge.to,
    requestsPerSecond: 0,
    errorsPerSecond: 0,
    isActive: states.get(edge.to) === "UP",
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

/** What a node was when it was heard last says nothing of the time after. */
function heardThen(then: Then, silence: Silence | undefined): Then {
  if (silence === undefined || (then.sinceMs ?? 0) > silence.lastMs) return then;
  return { state: "UNKNOWN", reason: silence.reason, sinceMs: silence.lastMs };
}

/** By node and instance. */
type Told = Map<string, Then>;

function keyOf(node: string, instance: string): string {
  return `${node} ${instance}`;
}

interface Scene {
  readonly servers: ReadonlyMap<string, Then>;
  readonly told: Told;
  readonly holders: readonly Holder[];
  readonly now: Overview;
}

function nodeThen(node: TopologyNode, { servers, told, holders, now }: Scene): TopologyNode {
  const { ageMs: _ageMs, sinceMs: _sinceMs, ...rest } = node;
  if (node.layer === "client") return node;
  if (node.layer === "server") return { ...rest, ...(servers.get(node.id) ?? UNKNOWN) };
  if (node.layer === "pool") return { ...rest, ...poolThen(node.id, now, servers) };
  if (node.layer === "address") {
    const holder = holders.find(({ instance }) => instance === node.name);
    if (holder?.holder === undefined) return { ...rest, ...UNKNOWN };
    const { sinceMs, rivals, reason } = holder;
    const since = sinceMs === undefined ? {} : { sinceMs };
    return { ...rest, ...since, reason, state: rivals.length > 0 ? "DEGRADED" : "UP" };
  }
  const own = now.holders.map(({ instance }) => told.get(keyOf(node.name, instance)) ?? UNKNOWN);
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

function holderThen({ instance, addresses }: Holder, told: Told, now: Overview): Holder {
  const inState = (state: State): readonly string[] =>
    now.nodes
      .map(({ name }) => name)
      .filter((name) => told.get(keyOf(name, instance))?.state === state);
  const [holder, ...rivals] = inState("UP");
  const then = told.get(keyOf(holder ?? now.node, instance)) ?? UNKNOWN;
  const { reason, sinceMs } = then;
  return {
    instance,
    addresses,
    rivals,
    reason,
    standbys: inState("STANDBY"),
    isSelf: holder === now.node,
    ...(holder === undefined ? {} : { holder }),
    ...(sinceMs === undefined || holder === undefined ? {} : { sinceMs }),
  };
}

function afterSpace(id: string): string {
  return id.slice(id.indexOf(" ") + 1);
}
