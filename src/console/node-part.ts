/**
 * What one node knows of itself: all that the group's page needs of it, small enough to be asked for
 * every few seconds. Times are Unix ms of that node.
 */

import type { ServerState } from "../core/balance/pool-ports.ts";
import type { VrrpState } from "../core/vrrp/router-ports.ts";
import type { PoolServer } from "../daemon/balance-status.ts";
import type { NodeStatus, RoleProcessStatus } from "../daemon/control-api.ts";
import type { Source } from "./api.ts";
import type { Rate, RateMeter } from "./rate-meter.ts";

/** Raised when a part changes so that older nodes would misread it. */
export const PART_FORMAT = 1;

export interface NodePart {
  readonly format: number;
  readonly node: string;
  readonly version: string;
  readonly nowMs: number;
  readonly source: Source;
  readonly roles: readonly Pick<RoleProcessStatus, "name" | "state" | "restarts">[];
  readonly instances: readonly PartInstance[];
  readonly frontends: readonly PartFrontend[];
  readonly pools: readonly PartPool[];
  /** The last reload was refused: why. */
  readonly refused?: string;
  /** Of its journal. */
  readonly lastSeq: number;
  /** Of its ledger's news: whoever knows them under another stamp asks for them. */
  readonly ledger?: string;
  /** Of its console. */
  readonly troubles?: readonly string[];
}

export interface PartInstance {
  readonly name: string;
  readonly state: VrrpState;
  readonly sinceMs: number;
  readonly reason: string;
  readonly addresses: readonly string[];
  readonly group?: string;
  readonly interface: string;
  readonly vrid: number;
  readonly priority: number;
  /** Address of the master that it hears. */
  readonly master?: string;
  readonly rival?: string;
  /** What is tracked and not well. */
  readonly failed: readonly string[];
}

export interface PartFrontend {
  readonly name: string;
  readonly listening: readonly string[];
  readonly rate: Rate;
}

export interface PartPool {
  readonly name: string;
  readonly algorithm: string;
  readonly tier?: number;
  readonly panic: boolean;
  readonly waiting: number;
  readonly rate: Rate;
  readonly servers: readonly PartServer[];
}

export interface PartServer {
  readonly name: string;
  readonly endpoint: string;
  readonly state: ServerState;
  readonly reason: string;
  readonly sinceMs: number;
  readonly usable: boolean;
  readonly tier: number;
  readonly weight: number;
  readonly active: number;
  readonly capacity: number;
  /** -1: none yet. */
  readonly latencyMs: number;
  /** The last check failed, and its `fall` is not reached. */
  readonly isFailing: boolean;
  readonly rate: Rate;
}

export interface PartFacts {
  readonly node: string;
  readonly source: Source;
  readonly nowMs: number;
  readonly lastSeq: number;
}

/**
 * Moments told as "so long ago" tremble by the time it takes to tell them; the same moment must look the
 * same, or news would never end.
 */
export class SteadyMoments {
  #known: ReadonlyMap<string, number> = new Map();
  #next = new Map<string, number>();

  of(key: string, wallMs: number): number {
    const known = this.#known.get(key);
    const steady = known !== undefined && Math.abs(known - wallMs) < 1_000 ? known : wallMs;
    this.#next.set(key, Math.round(steady));
    return Math.round(steady);
  }

  /** What was not asked for since the last call is forgotten. */
  turn(): void {
    this.#known = this.#next;
    this.#next = new Map();
  }
}

export interface PartTools {
  readonly meter: RateMeter;
  readonly moments: SteadyMoments;
}

export function nodePart(status: NodeStatus, tools: PartTools, facts: PartFacts): NodePart {
  const { roles, router, balance, configuration, version } = status;
  const { meter, moments } = tools;
  const { refused } = configuration;
  const wallOf = (name: string, ms: number): number =>
    moments.of(`instance ${name}`, status.wallMs - ((router?.nowMs ?? 0) - ms));
  return {
    format: PART_FORMAT,
    version,
    ...facts,
    roles: roles.map(({ name, state, restarts }) => ({ name, state, restarts })),
    ...(refused === undefined ? {} : { refused }),
    instances: (router?.instances ?? []).map((one) => ({
      name: one.name,
      state: one.state,
      sinceMs: wallOf(one.name, one.sinceMs),
      reason: one.reason,
      addresses: one.addresses,
      ...(one.group === undefined ? {} : { group: one.group }),
      interface: one.interface,
      vrid: one.vrid,
      priority: one.effectivePriority,
      ...(one.master === undefined ? {} : { master: one.master.address }),
      ...(one.splitBrain === undefined ? {} : { rival: one.splitBrain.peer }),
      failed: one.tracks.filter(({ ok }) => !ok).map(({ kind, name }) => `${kind} ${name}`),
    })),
    frontends: (balance?.frontends ?? []).map(({ name, listening }) => ({
      name,
      listening,
      rate: meter.of(`frontend ${name}`),
    })),
    pools: (balance?.pools ?? []).map((pool) => ({
      name: pool.name,
      algorithm: pool.algorithm,
      ...(pool.tier === undefined ? {} : { tier: pool.tier }),
      panic: pool.panic,
      waiting: pool.waiting,
      rate: meter.of(`pool ${pool.name}`),
      servers: pool.servers.map((server) => ({
        ...partServer(server),
        sinceMs: moments.of(`server ${pool.name}/${server.name}`, status.wallMs - server.sinceMs),
        rate: meter.of(`server ${pool.name}/${server.name}`),
      })),
    })),
  };
}

function partServer(server: PoolServer): Omit<PartServer, "rate" | "sinceMs"> {
  const { name, endpoint, state, reason, usable, tier, weight, active, check } = server;
  return {
    name,
    endpoint,
    state,
    reason,
    usable,
    tier,
    weight,
    active,
    capacity: server.maxConnections,
    latencyMs: Math.round(server.latencyMs * 10) / 10,
    isFailing: state === "up" && check?.up === false,
  };
}
