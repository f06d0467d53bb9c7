/** Carries the planned faults out: each begins, and ends by itself or with the chaos. */

import type { Node } from "./node.ts";
import type { Fault, FaultKind } from "./scenario.ts";
import { fixChecksum } from "./advert-reader.ts";
import type { DatagramFrame } from "./network.ts";
import {
  VRID,
  instanceNames,
  primaryAddress,
  virtualAddresses,
  type Edit,
} from "./settings-draft.ts";
import { cutLink, onAllPairs, onLinks, onPairs, slowsDown, swap } from "./link-faults.ts";
import type { World } from "./world.ts";

/** Begins a fault; the result ends it. */
type Begin = (world: World, fault: Fault, node: Node) => (() => void) | undefined;

const begin: Readonly<Record<FaultKind, Begin>> = {
  // Strength decides whether its file was changed meanwhile.
  crash: (_, fault, node) => dies(node, () => node.crash(), fault.strength > 0.8),
  "torn-crash": (_, fault, node) =>
    dies(node, () => {
      if (node.process !== undefined)
        node.process.tearAfterActions = Math.floor(fault.strength * 9);
    }),
  "power-off": (_, __, node) => dies(node, () => node.powerOff()),
  stop: (_, __, node) =>
    dies(node, () => {
      node.process?.take({ type: "stop-requested", reason: "asked to" });
      node.crash();
    }),
  pause: (world, _, node) => pauses(world, node),
  hang: (world, _, node) => hangs(world, node),
  starve: starves,
  freeze: (world, _, node) => {
    node.freeze();
    world.oracles.disturbed(node, false);
    return () => {
      node.thaw();
      world.oracles.disturbed(node, false);
    };
  },
  cut: (world, fault, node) => onLinks(world, [node, world.peer(fault)], cutLink),
  "one-way-cut": (world, fault, node) => {
    const to = world.peer(fault).station;
    return onPairs(world, [[node.station, to]], cutLink);
  },
  isolate: (world, fault, node) => {
    // Strength decides whether its clients lose it as well.
    const others = fault.strength < 0.5 ? world.nodes : world.network.stations;
    const stations = others.flatMap((o) => world.stationOf(o)).filter((s) => s !== node.station);
    return onPairs(
      world,
      stations.flatMap((s) => [
        [node.station, s],
        [s, node.station],
      ]),
      cutLink,
    );
  },
  "block-multicast": (world, _, node) => {
    const stations = world.nodes.map((n) => n.station).filter((s) => s !== node.station);
    return onPairs(
      world,
      stations.map((s) => [node.station, s]),
      (link) => {
        link.multicastCuts++;
        return () => void link.multicastCuts--;
      },
    );
  },
  loss: (world, fault) =>
    onAllPairs(world, fault.strength > 0.5, (link) => swap(link, "loss", fault.strength * 0.6)),
  duplicate: (world, fault) =>
    onAllPairs(world, true, (link) => swap(link, "duplicate", fault.strength)),
  "slow-link": slowsDown,
  "script-failure": (_, fault, node) => {
    const track = node.plan.tracks[Math.floor(fault.strength * node.plan.tracks.length)];
    if (track === undefined) return undefined;
    node.setScript(track.name, track.reverse);
    return () => node.setScript(track.name, !track.reverse);
  },
  "link-down": (world, fault, node) => {
    const segment = Math.floor(fault.strength * world.scenario.group.instances);
    node.setLink(segment, false);
    world.oracles.disturbed(node, false);
    return () => {
      node.setLink(segment, true);
      world.oracles.disturbed(node, false);
    };
  },
  "remove-address": removesAddress,
  "refuse-address": (_, __, node) => {
    node.kernel.refusesAddresses = true;
    return () => {
      node.kernel.refusesAddresses = false;
    };
  },
  handover: (_, fault, node) => {
    const instance = instanceNames[0];
    const reason = `operator ${fault.strength.toFixed(2)}`;
    node.process?.take({ type: "handover-requested", instance, reason });
    return undefined;
  },
  reload: reloads,
  "claim-address": claims,
  "lose-witness": (_, __, node) => {
    node.setWitness(false);
    return () => node.setWitness(true);
  },
  "step-wall-clock": (_, fault, node) => {
    node.clock.wallOffsetMs += (fault.strength - 0.5) * 7_200_000;
    return undefined;
  },
  forge: forges,
};

/** Schedules one fault; `chaosStartMs` and `chaosEndMs` are world time. */
export function plan(world: World, fault: Fault, chaosStartMs: number, chaosEndMs: number): void {
  const named = world.nodes[fault.node];
  const beginMs = chaosStartMs + fault.atMs;
  if (named === undefined || beginMs >= chaosEndMs) return;
  world.queue.at(beginMs, () => {
    const owner = world.nodes.find((n) => n.kernel.holdsAny(instanceNames[0]));
    const node = fault.hitsOwner ? (owner ?? named) : named;
    world.trace.add(world.queue.now, "fault", describeFault(fault, node.name));
    const end = begin[fault.kind](world, fault, node);
    if (end === undefined) return;
    world.queue.at(Math.min(beginMs + fault.durationMs, chaosEndMs), () => {
      world.trace.add(world.queue.now, "fault", `${fault.kind} of ${node.name} ends`);
      end();
    });
  });
}

export function describeFault(fault: Fault, name: string): string {
  const { kind, durationMs, other, strength } = fault;
  return `${kind} ${name} (other ${other}, strength ${strength.toFixed(2)}, ${durationMs.toFixed(1)} ms)`;
}

function dies(node: Node, kill: () => void, edited = false): () => void {
  kill();
  return () => {
    // A torn crash that found no step to tear is a plain one.
    node.crash();
    const owner = node.plan.priority === 255;
    node.start(edited ? (owner ? { accept: false } : { priority: node.plan.otherPriority }) : {});
  };
}

/** Like a pause, but its supervisor notices: it is killed, another takes its place. */
function hangs(world: World, node: Node): (() => void) | undefined {
  const { process } = node;
  if (pauses(world, node) === undefined) return undefined;
  return () => {
    if (node.process !== process) return;
    node.crash();
    node.start();
  };
}

function pauses(world: World, node: Node): (() => void) | undefined {
  const { process } = node;
  if (process === undefined) return undefined;
  node.say("process stops");
  process.suspend();
  world.oracles.processPaused(node, true);
  return () => {
    if (node.process !== process) return;
    node.say("process goes on");
    process.release();
    world.oracles.processPaused(node, false);
    process.catchUp();
  };
}

/** No CPU for a while, again and again: each gap a share of the advert interval or several. */
function starves(world: World, fault: Fault, node: Node): () => void {
  const gapMs = (0.2 + fault.strength * 3) * node.plan.intervalMs;
  let ended = false;
  const again = (): void => {
    if (ended) return;
    const end = pauses(world, node);
    world.queue.after(gapMs, () => {
      end?.();
      world.queue.after(gapMs * 0.7, again);
    });
  };
  again();
  return () => {
    ended = true;
  };
}

function removesAddress(world: World, fault: Fault, node: Node): undefined {
  const segment = Math.floor(fault.strength * world.scenario.group.instances);
  const instance = instanceNames[segment]!;
  const addresses = virtualAddresses(world.scenario, segment);
  const address = addresses[Math.floor(fault.strength * 97) % addresses.length]!;
  if (!node.kernel.removeOne(instance, address)) return undefined;
  world.oracles.disturbed(node, true);
  world.queue.after(NETLINK_DELAY_MS, () => {
    node.process?.take({ type: "address-removed", instance, address });
  });
  return undefined;
}

/** The same file again, another priority, or what makes an instance start anew; then back. */
function reloads(_: World, fault: Fault, node: Node): () => void {
  const owner = node.plan.priority === 255;
  let edit: Edit = {};
  if (fault.strength > 0.6) edit = { accept: false };
  else if (fault.strength > 0.2 && !owner) edit = { priority: node.plan.otherPriority };
  node.process?.reconfigure(edit);
  return () => node.process?.reconfigure({});
}

/** Another machine claims the address, over and over: a clone, or a careless colleague. */
function claims(world: World, fault: Fault): () => void {
  const stranger = world.stationOf(world.clients[0]!)[0]!;
  const addresses = virtualAddresses(world.scenario, 0);
  const address = addresses[Math.floor(fault.strength * addresses.length)]!;
  let ended = false;
  const again = (): void => {
    if (ended) return;
    world.network.broadcast(0, stranger, { kind: "announce", address });
    world.queue.after((0.1 + fault.strength) * world.nodes[0]!.plan.intervalMs, again);
  };
  again();
  return () => {
    ended = true;
  };
}

/** A datagram that no router may believe, from a machine that is no peer. */
function forges(world: World, fault: Fault, node: Node): undefined {
  const { group } = world.scenario;
  const kinds = ["ttl", "checksum", "vrid", "version", "cut", "count", "flip"] as const;
  const kind = kinds[Math.floor(fault.strength * kinds.length)]!;
  const width = group.family === "ipv4" ? 4 : 16;
  const peer = world.peer(fault).plan;
  const source = primaryAddress(world.scenario, 0, peer.hostNumber);
  const payload = new Uint8Array(8 + group.addresses * width + (group.version === 2 ? 8 : 0));
  const version = kind === "version" ? 5 - group.version : group.version;
  const vrid = kind === "vrid" ? VRID + 100 : VRID;
  payload.set([(version << 4) | 1, vrid, 255, kind === "count" ? 0 : group.addresses]);
  payload.set(group.version === 2 ? [0, peer.intervalMs / 1000] : [0, peer.intervalMs / 10], 4);
  const frame: DatagramFrame = {
    kind: "datagram",
    family: group.family,
    protocol: 112,
    source,
    destination: group.family === "ipv4" ? "224.0.0.18" : "ff02::12",
    ttl: kind === "ttl" ? 254 : 255,
    payload: kind === "cut" ? payload.subarray(0, 7) : payload,
  };
  if (kind !== "cut") fixChecksum(frame);
  if (kind === "flip") payload[Math.floor(fault.strength * 9973) % payload.length]! ^= 0x10;
  if (kind === "checksum") payload[7]! ^= 1;
  node.receive(0, world.peer(fault).station, frame);
  return undefined;
}

/** rtnetlink tells of an address that is gone. */
const NETLINK_DELAY_MS = 0.2;
