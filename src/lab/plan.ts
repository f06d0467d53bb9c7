/** What a world looks like, in the user's words, and how its parts are named in the kernel. */

import { closest } from "../lib/spelling.ts";

/** An Ethernet segment: one bridge. STP off, no forward delay. */
export interface SegmentPlan {
  readonly name: string;
  /** IGMP and MLD snooping; off by default, as on a plain switch. */
  readonly multicastSnooping?: boolean;
}

export interface InterfacePlan {
  /** The segment that the cable leads to. */
  readonly segment: string;
  /** `192.168.17.50/24`, `2001:db8::50/64`; several are an array. */
  readonly address?: string | readonly string[];
  /** As `ip route add` takes them, without the device: `default via 192.168.17.1`. */
  readonly routes?: readonly string[];
  readonly mac?: string;
  readonly mtu?: number;
}

/** Interface name -> interface. */
export type HostPlan = Readonly<Record<string, InterfacePlan>>;

export interface WorldPlan {
  /** For messages, and the handle of a world that outlives its creator. `world` by default. */
  readonly name?: string;
  readonly segments: readonly (string | SegmentPlan)[];
  readonly hosts: Readonly<Record<string, HostPlan>>;
}

export interface InterfaceState {
  readonly name: string;
  readonly segment: string;
  /** The other end of the cable: a port of the segment's bridge, in the wire's namespace. */
  readonly port: string;
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly mac: string;
  readonly mtu?: number;
}

export interface HostState {
  readonly name: string;
  /** Name of its network namespace, as `ip netns` lists it. */
  readonly namespace: string;
  /** On the outside: `run`, `tmp` (seen inside as `/run`, `/tmp`) and `log`. */
  readonly directory: string;
  readonly interfaces: readonly InterfaceState[];
  /** Process 1 of the host, numbered from outside; undefined = powered off. */
  initPid: number | undefined;
}

/** Plain data: enough to reach a living world from another process. */
export interface WorldState {
  readonly name: string;
  readonly directory: string;
  /** The namespace that holds all bridges: no host can touch its own cable. */
  readonly wire: string;
  readonly segments: readonly SegmentPlan[];
  readonly hosts: readonly HostState[];
  /** Goes on living when its creator ends; `World.destroy` ends it. */
  readonly persistent: boolean;
}

/** The host that is no host: the namespace of the bridges. */
const WIRE = "wire";

// A port is named HOST-INTERFACE: no dash inside keeps the names apart, 15 letters is the kernel's.
const HOST_NAME = /^[a-z][a-z0-9]{0,15}$/;
const INTERFACE_NAME = /^[a-z][a-z0-9]{0,11}$/;
const LONGEST_INTERFACE_NAME = 15;

export interface Place {
  readonly prefix: string;
  readonly directory: string;
  readonly persistent: boolean;
}

/** Checks the plan and gives everything its name. Throws `PlanError`, naming all mistakes. */
export function layOut(plan: WorldPlan, place: Place): WorldState {
  const segments = plan.segments.map((s) => (typeof s === "string" ? { name: s } : s));
  const mistakes = mistakesOf(plan, segments);
  if (mistakes.length > 0) throw new PlanError(mistakes);
  let ports = 0;
  const hosts = Object.entries(plan.hosts).map(([name, interfaces]) => ({
    name,
    namespace: `${place.prefix}-${name}`,
    directory: `${place.directory}/${name}`,
    initPid: undefined,
    interfaces: Object.entries(interfaces).map(([ifName, planned]) =>
      interfaceState({ host: name, name: ifName, number: ports++ }, planned),
    ),
  }));
  return {
    name: plan.name ?? "world",
    directory: place.directory,
    wire: `${place.prefix}-${WIRE}`,
    segments,
    hosts,
    persistent: place.persistent,
  };
}

export class PlanError extends Error {
  override readonly name = "PlanError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`this world cannot be built: ${mistakes.join("; ")}`);
    this.mistakes = mistakes;
  }
}

function interfaceState(
  id: { host: string; name: string; number: number },
  planned: InterfacePlan,
): InterfaceState {
  const port = `${id.host}-${id.name}`;
  const { address, routes, segment, ...rest } = planned;
  return {
    // A host that is powered on again is the same one to neighbours that remember it.
    mac: localMac(id.number),
    ...rest,
    name: id.name,
    segment,
    port: port.length <= LONGEST_INTERFACE_NAME ? port : `port${id.number}`,
    addresses: address === undefined ? [] : typeof address === "string" ? [address] : address,
    routes: routes ?? [],
  };
}

/** Locally administered; `number` is the port of the world. */
function localMac(number: number): string {
  const bytes = [0x02, 0, 0, 0, (number + 1) >> 8, (number + 1) & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function mistakesOf(plan: WorldPlan, segments: readonly SegmentPlan[]): string[] {
  const mistakes: string[] = [];
  const known = new Set(segments.map((s) => s.name));
  if (known.size !== segments.length) mistakes.push("two segments of one name");
  for (const name of known) {
    if (!INTERFACE_NAME.test(name)) {
      mistakes.push(`segment '${name}': letters and digits, 12 at most`);
    }
  }
  for (const [host, interfaces] of Object.entries(plan.hosts)) {
    if (!HOST_NAME.test(host) || host === WIRE) {
      mistakes.push(`host '${host}': small letters and digits, 16 at most, not '${WIRE}'`);
    }
    for (const [name, planned] of Object.entries(interfaces)) {
      if (!INTERFACE_NAME.test(name)) {
        mistakes.push(`interface '${name}' of '${host}': letters and digits, 12 at most`);
      }
      if (!known.has(planned.segment)) {
        mistakes.push(
          `'${host}' ${name}: no segment '${planned.segment}' (there are: ${[...known].join(", ")})`,
        );
      }
      mistakes.push(...cableMistakes(planned).map((what) => `'${host}' ${name}: ${what}`));
    }
  }
  return mistakes;
}

const CABLE_WORDS: readonly string[] = ["segment", "address", "routes", "mac", "mtu"];
const WITH_LENGTH = /^[\da-f.:]+\/\d+$/i;

/** What would build a world, only not the one that was meant. */
function cableMistakes(planned: InterfacePlan): string[] {
  const unknown = Object.keys(planned).filter((word) => !CABLE_WORDS.includes(word));
  const addresses = [planned.address ?? []].flat();
  return [
    ...unknown.map((word) => {
      const near = closest(word, CABLE_WORDS);
      return `nobody knows '${word}'; ${near === undefined ? `there are: ${CABLE_WORDS.join(", ")}` : `did you mean '${near}'?`}`;
    }),
    ...addresses
      .filter((address) => !WITH_LENGTH.test(address))
      .map((address) => `'${address}' has no length: ${address}/24`),
  ];
}
