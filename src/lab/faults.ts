/** Ways to break a world. Each resolves when the fault is in force, to what takes it back. */
import { bridge, ipBatch } from "./command.ts";
import { configuration } from "./host-boot.ts";
import type { Host } from "./host.ts";
import { dropPackets } from "./packet-filter.ts";
import type { Direction } from "./packet-filter.ts";
import type { LabProcess } from "./process.ts";
import type { World } from "./world.ts";

/** Repairs what a fault broke, as far as it can be repaired: a killed process stays dead. */
export type Undo = () => Promise<void>;

/** `ip` and `bridge` are enough for all faults except those that say "needs nftables". */

/** SIGKILL to the program and its children, like a crash: its kernel state (addresses) stays. */
export async function kill(target: LabProcess): Promise<Undo> {
  target.kill();
  await target.ended;
  return nothing;
}

/** SIGSTOP: alive, but neither sends nor renews anything. */
export async function hang(target: LabProcess): Promise<Undo> {
  target.stop();
  return async () => target.resume();
}

/** All processes of the host gone at once, and its interfaces. Undo switches it on, empty. */
export async function powerOff(world: World, host: Host): Promise<Undo> {
  await world.powerOff(host.name);
  return () => world.powerOn(host.name);
}

/** An administrator's `ip link set … down` inside the host. The peer's end loses its carrier too. */
export async function linkDown(host: Host, interfaceName?: string): Promise<Undo> {
  const link = host.interface(interfaceName);
  await host.ip(`link set ${link.name} down`);
  // The kernel forgot routes and IPv6 addresses; the administrator's tools would put them back.
  return () => host.ip(...configuration(link));
}

/** The cable is pulled: the host sees its carrier go. */
export async function carrierLoss(host: Host, interfaceName?: string): Promise<Undo> {
  const { port } = host.interface(interfaceName);
  await ipBatch([`link set ${port} down`], host.wire);
  return () => ipBatch([`link set ${port} up`], host.wire);
}

/** Nothing passes in either direction, and nobody is told: the carrier stays. */
export async function partition(host: Host, interfaceName?: string): Promise<Undo> {
  const { port } = host.interface(interfaceName);
  await setPortState(host, port, "disabled");
  return () => setPortState(host, port, "forwarding");
}

/** Only what the host sends (`out`) or what is sent to it (`in`) is lost. Needs nftables. */
export function oneWayPartition(
  host: Host,
  direction: Direction,
  interfaceName?: string,
): Promise<Undo> {
  return lose(host, { directions: [direction], match: "" }, interfaceName);
}

/** Each packet is lost with this probability, in each direction. Needs nftables. */
export function packetLoss(host: Host, percent: number, interfaceName?: string): Promise<Undo> {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`${percent} % is not 0 to 100`);
  const perTenThousand = Math.round(percent * 100);
  // nftables refuses a comparison that always holds.
  const match = percent === 100 ? "" : `numgen random mod 10000 < ${perTenThousand}`;
  return lose(host, { directions: ["in", "out"], match }, interfaceName);
}

/** ARP is lost in both directions; what is already in a neighbour cache works on. Needs nftables. */
export function arpDrop(host: Host, interfaceName?: string): Promise<Undo> {
  return lose(host, { directions: ["in", "out"], match: "ether type arp" }, interfaceName);
}

/** The switch delivers no multicast to this host any more; broadcast (ARP) passes. */
export async function multicastBlocked(host: Host, interfaceName?: string): Promise<Undo> {
  const { port } = host.interface(interfaceName);
  await bridge(host.wire, "link", "set", "dev", port, "mcast_flood", "off");
  return () => bridge(host.wire, "link", "set", "dev", port, "mcast_flood", "on");
}

/** Like `multicastBlocked` for every host of the world: a cloud's network. */
export async function noMulticast(world: World): Promise<Undo> {
  const living = world.hosts.filter(({ isOn }) => isOn);
  const ends = living.flatMap((host) => host.state.interfaces.map((i) => [host, i] as const));
  return together(await Promise.all(ends.map(([host, i]) => multicastBlocked(host, i.name))));
}

/** Somebody else's program removes an address. `address` as `ip addr` lists it. */
export async function addressRemoved(
  host: Host,
  address: string,
  interfaceName?: string,
): Promise<Undo> {
  const { name } = host.interface(interfaceName);
  await host.ip(`addr del ${address} dev ${name}`);
  return () => host.ip(`addr replace ${address} dev ${name}`);
}

/** What a CPU hog runs; recognised by `healEverything`. */
export const HOG: readonly string[] = ["sh", "-c", "while :; do :; done"];

/** So many endless loops at normal priority. */
export async function cpuHog(host: Host, loops: number): Promise<Undo> {
  if (!Number.isInteger(loops) || loops < 1) throw new RangeError("say how many loops: 1 or more");
  const hogs = await Promise.all(
    Array.from({ length: loops }, (_, i) => host.start(HOG, { name: `hog${i}` })),
  );
  return async () => {
    for (const hog of hogs) hog.kill();
    await Promise.all(hogs.map((hog) => hog.ended));
  };
}

function together(undos: readonly Undo[]): Undo {
  return async () => {
    await Promise.all(undos.map((undo) => undo()));
  };
}

const nothing: Undo = async () => {};

// linux/if_bridge.h BR_STATE_*. With STP off the kernel leaves this to us.
const PORT_STATES = { disabled: "0", forwarding: "3" };

function setPortState(host: Host, port: string, state: keyof typeof PORT_STATES): Promise<void> {
  return bridge(host.wire, "link", "set", "dev", port, "state", PORT_STATES[state]);
}

function lose(
  host: Host,
  what: { directions: readonly Direction[]; match: string },
  interfaceName?: string,
): Promise<Undo> {
  const { port } = host.interface(interfaceName);
  return dropPackets({ wire: host.wire, port, ...what });
}
