/** What is known of the nodes before, during and after a drill. */

import type { Family, InstanceSettings } from "../vrrp/settings.ts";
import type { InstanceStatus, RouterStatus } from "../vrrp/status.ts";

export interface InstanceFacts {
  readonly name: string;
  readonly state: string;
  readonly interface: string;
  readonly family: Family;
  readonly addresses: readonly string[];
  readonly priority: number;
  readonly advertIntervalMs: number;
  readonly isSplit: boolean;
  readonly hasWitness: boolean;
  readonly isUnicast: boolean;
  readonly preempts: boolean;
  readonly preemptDelayMs: number;
  /** Silence after which it takes a master for dead: adverts and its skew. */
  readonly masterDownMs: number;
  /** It answers a resignation sooner than after its skew, if it has heard of one other router only. */
  readonly hastens: boolean;
  readonly othersHeard: number;
  /** 0: none. */
  readonly leaseMs: number;
}

export interface ServerFacts {
  readonly name: string;
  readonly usable: boolean;
  readonly state: string;
  /** `10.0.0.1:80`. */
  readonly endpoint: string;
  /** It gets as much as its weight says: its slow start is over. */
  readonly isWhole: boolean;
  /** It hangs and is out after that, at most; absent: not known. */
  readonly worstMs?: number;
}

export interface RoleFacts {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
}

/** One node as its own control process tells it. */
export interface NodeFacts {
  readonly name: string;
  readonly controlPid: number;
  readonly roles: readonly RoleFacts[];
  readonly instances: readonly InstanceFacts[];
  readonly pools: readonly { readonly name: string; readonly servers: readonly ServerFacts[] }[];
  /** `192.168.17.200:80`. */
  readonly listening: readonly string[];
  /** Why its last configuration was refused. */
  readonly refused?: string;
}

/** How a server program (a web server) is ended and started: on its own host. */
export interface ProgramFacts {
  readonly host: string;
  readonly kill: readonly string[];
  readonly freeze: readonly string[];
  readonly resume: readonly string[];
  readonly start: readonly string[];
}

export interface LinkFacts {
  readonly interface: string;
  /** What the kernel forgets when the link goes down, to be put back: `ip` commands. */
  readonly restore: readonly (readonly string[])[];
  /** Somebody has set a queue of their own on it: to replace it would lose it. */
  readonly isShaped: boolean;
}

/** Where the kernel can delay what goes to servers (netem), by the interface that leads to them. */
export type DelayFacts = readonly {
  readonly interface: string;
  readonly addresses: readonly string[];
}[];

/** What a plan is made of. */
export interface SiteFacts {
  readonly target: NodeFacts;
  readonly others: readonly NodeFacts[];
  /** The command `nines` on the target. */
  readonly nines: readonly string[];
  readonly runDirectory: string;
  readonly stateDirectory: string;
  /** The state directory is a file system of its own: nothing else suffers with it. */
  readonly ownDisk: boolean;
  readonly configuration: string;
  /** Nodes cannot lose packets by themselves (no nft), but a switch of the site's can. */
  readonly hasSwitch?: true;
  /** Starts Nines again on the target; harmless when it runs. */
  readonly restart: readonly string[];
  readonly links: readonly LinkFacts[];
  /** A sentence: why the kernel delays nothing here. */
  readonly delay: DelayFacts | string;
  /** By `POOL/SERVER`; `local` is the program that the target itself serves. */
  readonly programs: Readonly<Record<string, ProgramFacts>>;
  /** By instance: nodes of which the group's consoles say that they are ready to take it over. */
  readonly standbys: Readonly<Record<string, readonly string[]>>;
  /** Incidents open now; empty where nobody keeps them. */
  readonly openIncidents: readonly string[];
  /** Where clients are, for floods; the target by default. */
  readonly client: string;
  /** What asks whether the local program lives does so this often, ms. */
  readonly trackEveryMs: number;
  /**
   * `host`: the clock is the host's own; `shared`: others live by it too, so nobody may set it; a file
   * that steps the clock of the target's processes alone (libfaketime).
   */
  readonly clock: "host" | "shared" | { readonly file: string };
}

/** `undefined`: the node does not answer now. */
export interface View {
  readonly target: NodeFacts | undefined;
  readonly others: readonly NodeFacts[];
  /** There are other nodes that could be asked. */
  readonly seesOthers: boolean;
}

/** What a control process answers to `/v1/status`, as far as drills look at it. */
export interface StatusLike {
  readonly pid: number;
  readonly configuration: { readonly file: string; readonly refused?: string };
  readonly roles: readonly RoleFacts[];
  readonly router?: RouterStatus;
  readonly balance?: {
    readonly pools: readonly { readonly name: string; readonly servers: readonly ServerLike[] }[];
    readonly frontends: readonly { readonly listening: readonly string[] }[];
  };
}

interface ServerLike extends Omit<ServerFacts, "isWhole" | "worstMs"> {
  readonly weight: number;
  readonly effectiveWeight: number;
}

/** What its configuration says, where that can be read. */
export interface Configured {
  readonly instances: readonly InstanceSettings[];
  /** By `POOL/SERVER`: it hangs and is out after that, at most. */
  readonly worstMs: ReadonlyMap<string, number>;
}

const NOTHING: Configured = { instances: [], worstMs: new Map() };

export function nodeFacts(
  name: string,
  status: StatusLike,
  configured: Configured = NOTHING,
): NodeFacts {
  const { refused } = status.configuration;
  const { pools = [], frontends = [] } = status.balance ?? {};
  const instances = status.router?.instances ?? [];
  return {
    name,
    controlPid: status.pid,
    roles: status.roles.map((role) => ({ ...role })),
    instances: instances.map((instance) =>
      instanceFacts(
        instance,
        configured.instances.find((one) => one.name === instance.name),
      ),
    ),
    pools: pools.map((pool) => ({
      name: pool.name,
      servers: pool.servers.map(
        ({ name: server, usable, state, endpoint, weight, effectiveWeight }) => {
          const worstMs = configured.worstMs.get(`${pool.name}/${server}`);
          return {
            name: server,
            usable,
            state,
            endpoint,
            isWhole: effectiveWeight >= weight,
            ...(worstMs === undefined ? {} : { worstMs }),
          };
        },
      ),
    })),
    listening: frontends.flatMap(({ listening }) => listening),
    ...(refused === undefined ? {} : { refused }),
  };
}

function instanceFacts(
  status: InstanceStatus,
  settings: InstanceSettings | undefined,
): InstanceFacts {
  return {
    name: status.name,
    state: status.state,
    interface: status.interface,
    family: status.family,
    addresses: status.addresses,
    priority: status.effectivePriority,
    advertIntervalMs: status.advertIntervalMs,
    isSplit: status.splitBrain !== undefined,
    hasWitness: status.witnesses.length > 0,
    isUnicast: settings?.transport.kind === "unicast",
    preempts: settings?.preempt ?? true,
    preemptDelayMs: settings?.preemptDelayMs ?? 0,
    masterDownMs: status.masterDownIntervalMs,
    hastens: settings?.fastHandover ?? true,
    othersHeard: status.peers.length,
    leaseMs: status.lease.enabled ? status.lease.durationMs : 0,
  };
}

/** Names of the nodes that say that they are master of this instance. */
export function ownersOf(view: View, instance: string): readonly string[] {
  const nodes = [...(view.target === undefined ? [] : [view.target]), ...view.others];
  const owns = (node: NodeFacts): boolean =>
    node.instances.some(({ name, state }) => name === instance && state === "MASTER");
  return nodes.filter(owns).map(({ name }) => name);
}

export function isMaster(node: NodeFacts): boolean {
  return node.instances.some((instance) => instance.state === "MASTER");
}

export function serverOf(node: NodeFacts, name: string): ServerFacts | undefined {
  const [pool, server] = name.split("/");
  return node.pools.find((p) => p.name === pool)?.servers.find((s) => s.name === server);
}

/**
 * What is not as it should be, in one sentence; undefined: steady. Every process runs, each address
 * has exactly one owner, every server serves. `before`: and everything is as it was then.
 */
export function unsteady(view: View, before?: View): string | undefined {
  const { target } = view;
  if (target === undefined) return "the node does not answer";
  const nodes = [target, ...view.others];
  for (const node of nodes) {
    const wrong = unsteadyNode(node);
    if (wrong !== undefined) return `${node.name}: ${wrong}`;
    // Who can be asked says itself whether it is master; the memory of a split lasts for adverts.
    const split = view.seesOthers ? undefined : node.instances.find(({ isSplit }) => isSplit);
    if (split !== undefined) return `${node.name}: ${split.name} sees two masters`;
  }
  for (const { name } of view.seesOthers ? target.instances : []) {
    const owners = ownersOf(view, name);
    if (owners.length === 0) return `nobody has ${name}`;
    if (owners.length > 1) return `${owners.join(" and ")} have ${name}`;
  }
  if (before !== undefined && view.others.length < before.others.length) {
    return "not every other node answers again";
  }
  return undefined;
}

function unsteadyNode(node: NodeFacts): string | undefined {
  const role = node.roles.find(({ state }) => state !== "running");
  if (role !== undefined) return `the ${role.name} process is ${role.state}`;
  for (const instance of node.instances) {
    if (instance.state !== "MASTER" && instance.state !== "BACKUP") {
      return `${instance.name} is ${instance.state}`;
    }
  }
  for (const pool of node.pools) {
    const out = pool.servers.find(({ usable }) => !usable);
    if (out !== undefined) return `${pool.name}/${out.name} is ${out.state}`;
  }
  return node.refused === undefined ? undefined : `its configuration was refused: ${node.refused}`;
}
