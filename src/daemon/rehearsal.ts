/**
 * Plays takeovers before one is needed. Code that runs for the first time is several times slower
 * than it is later, and a takeover runs once in months: with adverts of 10 ms that would be a tenth
 * of the whole outage.
 */

import { AdvertSender } from "../core/vrrp/advert-sender.ts";
import { Router } from "../core/vrrp/router.ts";
import type { ReceivedDatagram, RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { KernelAddresses } from "../drivers/kernel-addresses.ts";
import type { ReignRecord } from "../drivers/reign-record.ts";
import type { AddressAnnouncer } from "./address-announcer.ts";
import type { AdvertSockets } from "./advert-sockets.ts";

/** Elections in memory, and what they order from the kernel: enough for V8 to compile the way. */
const ELECTIONS = 40;
const STEPS_PER_ELECTION = 8;
const ACQUISITIONS = 24;
/** With more, a play takes longer than the time there is right before a takeover. */
const BRIEFLY_AT_MOST = 4;
/** Takeovers that come together need one play, ms. */
const TOGETHER_MS = 20;
/** Shorter than any that an instance has: no address of anybody's answers for it. */
const REHEARSED_LEASE_MS = 1;
/** All of 127/8 is this host's anyway: to add and remove it changes nothing for anybody. */
const NOBODYS_ADDRESS = "127.255.255.254";
const NAME = "(rehearsal)";
/** A reign of no duration is none, to whoever reads it. */
const NO_REIGN = {
  type: "renew-lease",
  instance: NAME,
  durationMs: 0,
  identity: NAME,
  sequence: 0,
  alone: true,
} as const;
/** Who is master in the play: above all but the owner of the addresses. */
const MASTER = { ipv4: "192.0.2.254", ipv6: "fe80::ffff", priority: 254 } as const;

export interface RehearsalStage {
  readonly kernel: KernelAddresses;
  readonly reigns: ReignRecord;
  readonly sockets: AdvertSockets;
  readonly announcer: AddressAnnouncer;
}

export class Rehearsal {
  readonly #stage: RehearsalStage;
  #settings: VrrpSettings;
  /** A router of its own, whose orders nobody carries out. */
  readonly #router: Router;
  #masters: readonly ((now: number) => ReceivedDatagram | undefined)[];
  #now = 0;
  #playedMs = -Infinity;

  /** `facts`: what the router was told before it started. */
  constructor(settings: VrrpSettings, facts: readonly RouterInput[], stage: RehearsalStage) {
    this.#settings = settings;
    this.#stage = stage;
    this.#router = new Router(settings);
    this.#masters = settings.instances.map(masterOf);
    for (const fact of facts) this.#play(fact);
    this.#play({ type: "started", wallMs: 0 });
    // Nobody has been asked yet; a play in which all is ill has no takeover.
    for (const verdict of allWell(settings)) this.#play(verdict);
  }

  /** What follows is played with these. */
  reconfigure(settings: VrrpSettings): void {
    this.#settings = settings;
    this.#masters = settings.instances.map(masterOf);
    this.#router.reconfigure(this.#now, settings);
    for (const verdict of allWell(settings)) this.#play(verdict);
  }

  /** Before the start. */
  thoroughly(): void {
    for (let i = 0; i < ELECTIONS; i++) this.#elect();
    const [instance] = this.#settings.instances;
    if (instance === undefined) return;
    // The lease's class stays, and lapses unless somebody becomes master: making it takes time too.
    const leaseMs = instance.advertIntervalMs * instance.downTimerAdverts;
    for (let i = 0; i < ACQUISITIONS; i++) {
      this.#acquire(instance, i % 2 === 0 ? leaseMs : REHEARSED_LEASE_MS);
    }
  }

  /** Right before a takeover: what has not run for months is not in the processor's caches. */
  briefly(): void {
    const [instance, ...others] = this.#settings.instances;
    if (instance === undefined || others.length >= BRIEFLY_AT_MOST) return;
    if (monotonicMs() - this.#playedMs < TOGETHER_MS) return;
    this.#playedMs = monotonicMs();
    this.#elect();
    this.#acquire(instance, REHEARSED_LEASE_MS);
  }

  /** A master falls silent, and comes back. */
  #elect(): void {
    for (const advert of this.#masters) {
      const datagram = advert(this.#now);
      if (datagram === undefined) continue;
      this.#play({ type: "datagram-received", datagram, wallMs: this.#now });
    }
    for (let step = 0; step < STEPS_PER_ELECTION && this.#router.deadline < Infinity; step++) {
      this.#now = Math.max(this.#now, this.#router.deadline);
      this.#play({ type: "woken", wallMs: this.#now });
    }
  }

  #play(input: RouterInput): void {
    for (const action of this.#router.step(this.#now, input)) {
      if (action.type === "send-datagram") this.#stage.sockets.rehearse(action);
    }
  }

  #acquire(instance: InstanceSettings, leaseMs: number): void {
    const { kernel, reigns, announcer } = this.#stage;
    const [model] = instance.addresses;
    if (model === undefined) return;
    const { vmac: _vmac, ...rest } = instance;
    const { vmac: _own, ...plain } = model;
    const address = { ...plain, address: NOBODYS_ADDRESS, prefixLength: 32, interface: "lo" };
    const nobody: InstanceSettings = {
      ...rest,
      name: NAME,
      addresses: [address],
      excludedAddresses: [],
      routes: [],
      rules: [],
    };
    // There are takeovers without it.
    if (leaseMs === REHEARSED_LEASE_MS) kernel.prepareAddresses(nobody);
    kernel.renewLease(NAME, leaseMs);
    reigns.note(NO_REIGN);
    kernel.acquire(nobody);
    announcer.rehearse({ ...instance, name: NAME });
    kernel.release(NAME);
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

/** Everything that is tracked answers. */
export function allWell(settings: VrrpSettings): readonly RouterInput[] {
  const reason = "rehearsal";
  const tracks = [...settings.instances, ...settings.groups].flatMap((one) => one.tracks);
  const witnesses = settings.instances.flatMap((instance) => instance.witnesses);
  return [
    ...tracks.flatMap(({ kind, name, weight, reverse }): readonly RouterInput[] => {
      if (kind !== "script" && kind !== "process" && kind !== "file" && kind !== "bfd") return [];
      const value = weight === 0 && reverse ? 1 : 0;
      return [{ type: "track-changed", kind, name, ok: !reverse, value, reason }];
    }),
    ...witnesses.map((address): RouterInput => {
      return { type: "witness-changed", address, reachable: true };
    }),
  ];
}
