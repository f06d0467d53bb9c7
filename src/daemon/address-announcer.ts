/**
 * Announces the addresses that are held, with the configured pause between two frames, and
 * listens on the same interfaces for others who claim them.
 */

import { readFileSync } from "node:fs";
import { arpProbe, gratuitousArp } from "../core/vrrp/arp-frame.ts";
import { roundsToAdd } from "../core/vrrp/announce-plan.ts";
import { neighbourQuestion, unsolicitedNa } from "../core/vrrp/na-frame.ts";
import type { ReceivedDatagram } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VirtualAddress } from "../core/vrrp/settings.ts";
import { Announcer } from "../drivers/announcer.ts";
import { ClaimWatch } from "../drivers/claim-watch.ts";
import { interfaceIndex, isOsFailure, osFailure } from "../drivers/ffi.ts";
import type { LinkWatch } from "../drivers/link-watch.ts";
import { formatMac } from "../drivers/netlink/links.ts";
import { macvlanOf } from "../drivers/wanted-objects.ts";
import { parseIp } from "../lib/ip-address.ts";

const WATCH_AFTER_MS = 10;
const NO_INTERFACE = 0;

interface Claim {
  readonly instance: string;
  readonly address: string;
  readonly mac: string;
}

export interface AnnouncerListener {
  /** Another MAC says that it has an address which the instance holds. */
  readonly claimed: (claim: Claim) => void;
  /** An advert that comes from an address which we hold: of its owner, who is back. */
  readonly heard: (advert: ReceivedDatagram) => void;
  readonly trouble: (reason: string) => void;
}

interface Frame {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Pause after it, ms. */
  readonly pauseMs: number;
  readonly isQuestion: boolean;
}

interface Holding {
  readonly settings: InstanceSettings;
  readonly frames: readonly Frame[];
  /** Interface index of each address. */
  readonly addresses: ReadonlyMap<string, number>;
  readonly ownMacs: ReadonlySet<string>;
  /** Frames of bursts still to be sent, when there are pauses. */
  queue: Frame[];
  timer: NodeJS.Timeout | undefined;
}

export class AddressAnnouncer {
  readonly #links: LinkWatch;
  readonly #listener: AnnouncerListener;
  readonly #announcer: Announcer | undefined;
  readonly #holdings = new Map<string, Holding>();
  readonly #watches = new Map<number, ClaimWatch>();
  #watching: NodeJS.Timeout | undefined;

  constructor(links: LinkWatch, listener: AnnouncerListener) {
    this.#links = links;
    this.#listener = listener;
    const announcer = Announcer.open();
    if (isOsFailure(announcer)) listener.trouble(announcer.message);
    else this.#announcer = announcer;
  }

  /** The instance has its addresses now. */
  hold(settings: InstanceSettings): void {
    const before = this.#holdings.get(settings.name);
    if (before?.settings !== settings) {
      this.prepare(settings);
      // A burst that was under way when the settings changed: nobody is left out.
      if ((before?.queue.length ?? 0) > 0) this.announce(settings.name, 1);
    }
    // Once for all instances that take over in the same moment, when clients have their answers.
    this.#watching ??= setTimeout(() => this.#watchClaims(), WATCH_AFTER_MS);
  }

  /** The frames of its addresses, as nothing of them changes until it holds them. */
  prepare(settings: InstanceSettings): void {
    this.forget(settings.name);
    const frames: Frame[] = [];
    const addresses = new Map<string, number>();
    const ownMacs = new Set<string>();
    for (const address of [...settings.addresses, ...settings.excludedAddresses]) {
      const place = this.#placeOf(settings, address);
      if (place === undefined) continue;
      ownMacs.add(formatMac(place.mac));
      addresses.set(address.address, place.index);
      const pauseMs =
        address.family === "ipv4" ? settings.announce.arpSpacingMs : settings.announce.naSpacingMs;
      frames.push({
        index: place.index,
        bytes: frameFor(address, place.mac),
        pauseMs,
        isQuestion: false,
      });
    }
    this.#holdings.set(settings.name, {
      settings,
      frames,
      addresses,
      ownMacs,
      queue: [],
      timer: undefined,
    });
  }

  /** An interface of its addresses was made anew, under the same name. */
  renew(settings: InstanceSettings): void {
    if (!this.#holdings.has(settings.name)) return;
    this.prepare(settings);
    this.hold(settings);
  }

  /** Everything but the sending: the kernel knows no such interface. */
  rehearse(settings: InstanceSettings): void {
    this.hold(settings);
    for (const { bytes } of this.#holdings.get(settings.name)?.frames ?? []) {
      this.#announcer?.send(NO_INTERFACE, bytes);
    }
    this.forget(settings.name);
  }

  forget(instance: string): void {
    clearTimeout(this.#holdings.get(instance)?.timer);
    this.#holdings.delete(instance);
  }

  /** Every address `repeat` times. */
  announce(instance: string, repeat: number): void {
    const holding = this.#holdings.get(instance);
    if (holding === undefined) return;
    const { queue, frames } = holding;
    const waiting = queue.filter(({ isQuestion }) => !isQuestion).length;
    const rounds = roundsToAdd(waiting, frames.length, repeat);
    for (let i = 0; i < rounds; i++) queue.push(...frames);
    if (holding.timer === undefined) this.#sendQueue(holding);
  }

  /** Asks all, after what is being announced, who else has the addresses. */
  ask(instance: string): void {
    const holding = this.#holdings.get(instance);
    // Those that still wait ask the same.
    if (holding === undefined || holding.queue.some(({ isQuestion }) => isQuestion)) return;
    const { addresses, excludedAddresses } = holding.settings;
    for (const address of [...addresses, ...excludedAddresses]) {
      const question = this.#questionFor(holding.settings, address);
      if (question !== undefined) holding.queue.push(question);
    }
    if (holding.timer === undefined) this.#sendQueue(holding);
  }

  close(): void {
    clearTimeout(this.#watching);
    for (const instance of this.#holdings.keys()) this.forget(instance);
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
    this.#announcer?.close();
  }

  #sendQueue(holding: Holding): void {
    holding.timer = undefined;
    const queue = holding.queue;
    holding.queue = [];
    for (const [i, frame] of queue.entries()) {
      const status = this.#announcer?.send(frame.index, frame.bytes) ?? 0;
      if (status < 0) this.#listener.trouble(osFailure("announce an address", status).message);
      if (frame.pauseMs === 0) continue;
      holding.queue = queue.slice(i + 1);
      if (holding.queue.length === 0) return;
      holding.timer = setTimeout(() => this.#sendQueue(holding), frame.pauseMs);
      return;
    }
  }

  #questionFor(settings: InstanceSettings, address: VirtualAddress): Frame | undefined {
    const place = this.#placeOf(settings, address);
    const bytes = parseIp(address.address);
    if (place === undefined || bytes === undefined) return undefined;
    const { index, mac } = place;
    const { arpSpacingMs, naSpacingMs } = settings.announce;
    const isQuestion = true;
    if (address.family === "ipv4") {
      return { index, bytes: arpProbe(mac, bytes), pauseMs: arpSpacingMs, isQuestion };
    }
    const { linkLocalIpv6 } = this.#links.fact(address.interface);
    const source = linkLocalIpv6 === undefined ? undefined : parseIp(linkLocalIpv6);
    // That address is not one of the virtual MAC's.
    if (source === undefined || macvlanOf(settings, address) !== undefined) return undefined;
    const question = neighbourQuestion(mac, source, bytes);
    return { index, bytes: question, pauseMs: naSpacingMs, isQuestion };
  }

  #placeOf(
    settings: InstanceSettings,
    address: VirtualAddress,
  ): { readonly index: number; readonly mac: Uint8Array } | undefined {
    const carrier = macvlanOf(settings, address);
    const index = interfaceIndex(carrier?.name ?? address.interface);
    const mac = carrier?.mac ?? macBytes(this.#links, address.interface);
    // Without a MAC (loopback, tunnel) there is nobody to be told.
    return index < 0 || mac === undefined ? undefined : { index, mac };
  }

  /** One watch per interface with addresses, for those. */
  #watchClaims(): void {
    this.#watching = undefined;
    const wanted = new Map<number, Set<string>>();
    for (const holding of this.#holdings.values()) {
      for (const [address, index] of holding.addresses) {
        wanted.set(index, (wanted.get(index) ?? new Set()).add(address));
      }
    }
    for (const [index, watch] of this.#watches) {
      if (wanted.has(index)) continue;
      watch.close();
      this.#watches.delete(index);
    }
    for (const [index, addresses] of wanted) {
      const status = this.#claimWatch(index)?.watch(addresses) ?? 0;
      if (status < 0) this.#listener.trouble(osFailure("watch for claims", status).message);
    }
  }

  #claimWatch(index: number): ClaimWatch | undefined {
    const known = this.#watches.get(index);
    if (known !== undefined) return known;
    const watch = ClaimWatch.open(index, {
      onClaim: (address, mac) => this.#hear(index, address, mac),
      onAdvert: (advert, mac) => this.#hearOwner(index, advert, mac),
    });
    if (isOsFailure(watch)) {
      this.#listener.trouble(watch.message);
      return undefined;
    }
    this.#watches.set(index, watch);
    return watch;
  }

  /** On a virtual MAC's interface the sockets hear it, see `macvlanSysctls`. */
  #hearOwner(index: number, advert: ReceivedDatagram, mac: string): void {
    // A bond or a switch gives some of our own back.
    if (this.#links.isOwnMac(mac)) return;
    for (const { settings, addresses } of this.#holdings.values()) {
      if (addresses.get(advert.source) !== index) continue;
      if (interfaceIndex(settings.interface) !== index) continue;
      advert.interface = settings.interface;
      this.#listener.heard(advert);
      return;
    }
  }

  #hear(index: number, address: string, mac: string): void {
    for (const [instance, holding] of this.#holdings) {
      if (holding.addresses.get(address) !== index || holding.ownMacs.has(mac)) continue;
      // Two interfaces on one segment: each answers for the other.
      if (this.#links.isOwnMac(mac)) continue;
      this.#listener.claimed({ instance, address, mac });
      return;
    }
  }
}

function frameFor(address: VirtualAddress, mac: Uint8Array): Uint8Array {
  const bytes = parseIp(address.address) ?? new Uint8Array(4);
  if (address.family === "ipv4") return gratuitousArp(mac, bytes);
  return unsolicitedNa(mac, bytes, forwardsIpv6(address.interface));
}

function forwardsIpv6(interfaceName: string): boolean {
  try {
    const path = `/proc/sys/net/ipv6/conf/${interfaceName}/forwarding`;
    return readFileSync(path, "latin1").trim() === "1";
  } catch {
    return false;
  }
}

function macBytes(links: LinkWatch, interfaceName: string): Uint8Array | undefined {
  const { mac } = links.fact(interfaceName);
  return mac === undefined
    ? undefined
    : Uint8Array.from(mac.split(":"), (part) => Number.parseInt(part, 16));
}
