/**
 * Plays takeovers before one is needed. Code that runs for the first time is several times slower
 * than it is later, and a takeover runs once in months: with adverts of 10 ms that would be a tenth
 * of the whole outage.
 */

import { AdvertSender } from "../core/vrrp/advert-sender.ts";
import { Router } from "../core/vrrp/router.ts";
import type { ReceivedDatagram, RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import type { KernelAddresses } from "../drivers/kernel-addresses.ts";
import type { AddressAnnouncer } from "./address-announcer.ts";
import type { AdvertSockets } from "./advert-sockets.ts";

/** Elections in memory, and what they order from the kernel: enough for V8 to compile the way. */
const ELECTIONS = 40;
const STEPS_PER_ELECTION = 8;
const ACQUISITIONS = 12;
/** All of 127/8 is this host's anyway: to add and remove it changes nothing for anybody. */
const NOBODYS_ADDRESS = "127.255.255.254";
const NAME = "(rehearsal)";
/** Who is master in the play: above all but the owner of the addresses. */
const MASTER = { ipv4: "192.0.2.254", ipv6: "fe80::ffff", priority: 254 } as const;

export interface RehearsalStage {
  readonly kernel: KernelAddresses;
  readonly sockets: AdvertSockets;
  readonly announcer: AddressAnnouncer;
}

/** `facts`: what the router was told before it started. */
export function rehearse(
  settings: VrrpSettings,
  facts: readonly RouterInput[],
  stage: RehearsalStage,
): void {
  rehearseElections(settings, facts, stage.sockets);
  const [instance] = settings.instances;
  if (instance !== undefined) rehearseAcquisition(instance, stage);
}

/** A router of its own, whose orders nobody carries out: a master falls silent, and comes back. */
function rehearseElections(
  settings: VrrpSettings,
  facts: readonly RouterInput[],
  sockets: AdvertSockets,
): void {
  const router = new Router(settings);
  let now = 0;
  const play = (input: RouterInput): void => {
    for (const action of router.step(now, input)) {
      if (action.type === "send-datagram") sockets.rehearse(action);
    }
  };
  for (const fact of facts) play(fact);
  play({ type: "started", wallMs: 0 });
  // Nobody has been asked yet; a play in which all is ill has no takeover.
  for (const verdict of allWell(settings)) play(verdict);
  const masters = settings.instances.map(masterOf);
  for (let i = 0; i < ELECTIONS; i++) {
    for (const advert of masters) {
      const datagram = advert(now);
      if (datagram !== undefined) play({ type: "datagram-received", datagram, wallMs: now });
    }
    for (let step = 0; step < STEPS_PER_ELECTION && router.deadline < Infinity; step++) {
      now = Math.max(now, router.deadline);
      play({ type: "woken", wallMs: now });
    }
  }
}

/** Adverts of the one that will fall silent, as they come from the network. */
function masterOf(settings: InstanceSettings): (now: number) => ReceivedDatagram | undefined {
  const { family, transport } = settings;
  const peer = transport.kind === "unicast" ? transport.peers[0]?.address : undefined;
  const sender = new AdvertSender(settings);
  sender.setSource(peer ?? MASTER[family]);
  return (now) => {
    const out: RouterAction[] = [];
    sender.send(MASTER.priority, now, out);
    const [advert] = out;
    if (advert?.type !== "send-datagram") return undefined;
    const { interface: name, protocol, source, destination, ttl, headerIncluded } = advert;
    const bytes = advert.payload.subarray(0, advert.length);
    const datagram = { interface: name, family, protocol, source, destination, ttl };
    if (!headerIncluded) return { ...datagram, payload: bytes };
    const [ipHeader, payload] = [bytes.subarray(0, 20), bytes.subarray(20)];
    return { ...datagram, ipHeader, payload };
  };
}

function allWell(settings: VrrpSettings): readonly RouterInput[] {
  const reason = "rehearsal";
  const tracks = [...settings.instances, ...settings.groups].flatMap((one) => one.tracks);
  const witnesses = settings.instances.flatMap((instance) => instance.witnesses);
  return [
    ...tracks.flatMap(({ kind, name, reverse }): readonly RouterInput[] =>
      kind === "script" || kind === "process" || kind === "file"
        ? [{ type: "track-changed", kind, name, ok: !reverse, value: 0, reason }]
        : [],
    ),
    ...witnesses.map((address): RouterInput => {
      return { type: "witness-changed", address, reachable: true };
    }),
  ];
}

/** The lease's class stays, and lapses unless somebody becomes master: making it takes time too. */
function rehearseAcquisition(
  instance: InstanceSettings,
  { kernel, announcer }: RehearsalStage,
): void {
  const leaseMs = instance.advertIntervalMs * instance.downTimerAdverts;
  const [model] = instance.addresses;
  if (model === undefined) return;
  const { vmac: _vmac, ...rest } = instance;
  const address = { ...model, address: NOBODYS_ADDRESS, prefixLength: 32, interface: "lo" };
  const nobody: InstanceSettings = {
    ...rest,
    name: NAME,
    addresses: [address],
    excludedAddresses: [],
    routes: [],
    rules: [],
  };
  for (let i = 0; i < ACQUISITIONS; i++) {
    // There are takeovers without it.
    if (i % 2 === 0) kernel.prepareAddresses(nobody);
    kernel.renewLease(NAME, leaseMs);
    kernel.acquire(nobody);
    announcer.rehearse({ ...instance, name: NAME });
    kernel.release(NAME);
  }
}
