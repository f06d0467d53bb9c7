/**
 * Whether an instance believes a decoded advert: RFC 9568 section 7.1, RFC 3768 section 7.1, and
 * keepalived's options. Nothing of the instance changes here but the memory of sequence numbers,
 * and that only for authentic packets.
 */

import { compareBytes, parseIp } from "../../lib/ip-address.ts";
import { AH_LENGTH } from "./auth-ah.ts";
import { type AdvertSender, ascii } from "./advert-sender.ts";
import {
  AUTH_AH,
  AUTH_NONE,
  AUTH_PASS,
  VRRP_TTL,
  addressLength,
  checksumHolds,
  type Advert,
  type RejectReason,
} from "./packet.ts";
import type { ReceivedDatagram } from "./router-ports.ts";
import type { InstanceSettings, UnicastPeer } from "./settings.ts";

const OWNER_PRIORITY = 255;
/** Addresses whose bytes are kept; more sources than this on one segment are an attack. */
const MAX_CACHED_ADDRESSES = 64;

export class AdvertCheck {
  readonly #settings: InstanceSettings;
  readonly #sender: AdvertSender;
  readonly #addresses: readonly Uint8Array[];
  readonly #peers: ReadonlyMap<string, UnicastPeer>;
  readonly #group: Uint8Array;
  readonly #bytes = new Map<string, Uint8Array>();
  /** When version 3 was heard last from whom, where both are spoken. */
  readonly #version3 = new Map<string, number>();

  constructor(settings: InstanceSettings, sender: AdvertSender) {
    this.#settings = settings;
    this.#sender = sender;
    this.#addresses = settings.addresses.map((a) => parseIp(a.address)!);
    const { transport } = settings;
    this.#peers = new Map(
      transport.kind === "unicast" ? transport.peers.map((p) => [p.address, p]) : [],
    );
    const group =
      transport.kind === "multicast"
        ? transport.group
        : settings.family === "ipv4"
          ? "224.0.0.18"
          : "ff02::12";
    this.#group = parseIp(group)!;
  }

  /** Why the advert is not believed, or undefined. `message` starts at the VRRP header. */
  reject(
    datagram: ReceivedDatagram,
    message: Uint8Array,
    advert: Advert,
    wallMs: number,
  ): RejectReason | undefined {
    const settings = this.#settings;
    const isSpoken = advert.version === settings.version || settings.alsoVersion2 === true;
    if (!isSpoken) return "wrong-version";
    return (
      this.#rejectRoute(datagram) ??
      this.#rejectLength(message, advert) ??
      this.#rejectChecksum(datagram, message, advert) ??
      this.#rejectAuthentication(datagram, message, advert, wallMs) ??
      this.#rejectContent(message, advert)
    );
  }

  /**
   * True for a believed advert of version 2 from a router that sends version 3 too: the same was
   * said already. RFC 9568 section 8.4.1.
   */
  isTwin(now: number, source: string, advert: Advert): boolean {
    if (this.#settings.alsoVersion2 !== true) return false;
    if (advert.version === 3) {
      if (this.#version3.size >= MAX_CACHED_ADDRESSES) this.#version3.clear();
      this.#version3.set(source, now);
      return false;
    }
    const heard = this.#version3.get(source) ?? -Infinity;
    return now - heard < this.#settings.downTimerAdverts * advert.intervalMs;
  }

  /** True when the advert names exactly our addresses, in any order. */
  namesOurAddresses(message: Uint8Array, advert: Advert): boolean {
    if (advert.addressCount !== this.#addresses.length) return false;
    const width = addressLength(this.#settings.family);
    let at = advert.addressOffset;
    for (const ours of this.#addresses) {
      if (!sameAt(message, at, ours) && !this.#contains(message, advert, ours)) return false;
      at += width;
    }
    return true;
  }

  /** Bytes of a source address, remembered. */
  bytesOf(address: string): Uint8Array {
    let bytes = this.#bytes.get(address);
    if (bytes === undefined) {
      bytes = parseIp(address) ?? new Uint8Array(addressLength(this.#settings.family));
      if (this.#bytes.size >= MAX_CACHED_ADDRESSES) this.#bytes.clear();
      this.#bytes.set(address, bytes);
    }
    return bytes;
  }

  #rejectRoute(datagram: ReceivedDatagram): RejectReason | undefined {
    const { transport } = this.#settings;
    if (transport.kind === "multicast") {
      if (datagram.ttl !== VRRP_TTL) return "wrong-ttl";
      return datagram.destination === transport.group ? undefined : "wrong-destination";
    }
    if (isMulticast(this.bytesOf(datagram.destination))) return "wrong-destination";
    const peer = this.#peers.get(datagram.source);
    if (peer === undefined) return transport.checkSource ? "unknown-source" : undefined;
    return datagram.ttl < peer.minTtl || datagram.ttl > peer.maxTtl ? "wrong-ttl" : undefined;
  }

  /** Longer than the message is right only where a trailer may follow. Ethernet's padding is not
   *  seen here: a raw socket ends where the IP header says. */
  #rejectLength(message: Uint8Array, advert: Advert): RejectReason | undefined {
    if (message.length === advert.messageLength) return undefined;
    if (this.#settings.authentication.kind === "hmac") return undefined;
    return "wrong-length";
  }

  #rejectChecksum(
    datagram: ReceivedDatagram,
    message: Uint8Array,
    advert: Advert,
  ): RejectReason | undefined {
    const scope = {
      family: this.#settings.family,
      source: this.bytesOf(datagram.source),
      destination: this.bytesOf(datagram.destination),
      group: this.#group,
    };
    return checksumHolds(message, advert, scope) ? undefined : "wrong-checksum";
  }

  #rejectAuthentication(
    datagram: ReceivedDatagram,
    message: Uint8Array,
    advert: Advert,
    wallMs: number,
  ): RejectReason | undefined {
    const { authentication } = this.#settings;
    const { ah, hmac } = this.#sender;
    const carriesAh = datagram.ipHeader !== undefined;
    if (ah !== undefined && !carriesAh) return "ah-missing";
    if (ah === undefined && carriesAh) return "ah-unexpected";
    if (ah !== undefined) {
      if (advert.authType !== AUTH_AH) return "auth-type-mismatch";
      const from = { address: datagram.source, wallMs };
      return ah.verify(datagram.ipHeader!, datagram.payload, from);
    }
    if (hmac !== undefined) {
      const bytes = this.bytesOf(datagram.source);
      return hmac.verify(message, advert.messageLength, {
        address: datagram.source,
        bytes,
        wallMs,
      });
    }
    if (advert.version === 3) return undefined;
    const wanted = authentication.kind === "pass" ? AUTH_PASS : AUTH_NONE;
    if (advert.authType !== wanted) return "auth-type-mismatch";
    if (authentication.kind !== "pass") return undefined;
    const password = ascii(authentication.password);
    return passwordAt(message, advert, password) ? undefined : "auth-password-mismatch";
  }

  #rejectContent(message: Uint8Array, advert: Advert): RejectReason | undefined {
    const settings = this.#settings;
    // Only `--permissive` starts an instance without addresses; two of them elect one as well.
    if (advert.addressCount === 0 && this.#addresses.length > 0) return "no-addresses";
    if (settings.strict && settings.family === "ipv6" && !startsLinkLocal(message, advert)) {
      return "not-link-local";
    }
    const isChecked = !settings.skipCheckAdvertAddresses && advert.priority !== OWNER_PRIORITY;
    if (advert.version === 3) {
      return isChecked && this.#isOfOthers(message, advert) ? "address-list-mismatch" : undefined;
    }
    // Where both versions are spoken the interval of either is learned.
    const isFixed = settings.version === 2;
    if (isFixed && advert.intervalMs !== settings.advertIntervalMs) return "interval-mismatch";
    return isChecked && !this.namesOurAddresses(message, advert)
      ? "address-list-mismatch"
      : undefined;
  }

  /** With no address in common they are other routers, whose VRID is ours by mistake. */
  #isOfOthers(message: Uint8Array, advert: Advert): boolean {
    for (const ours of this.#addresses) if (this.#contains(message, advert, ours)) return false;
    return this.#addresses.length > 0;
  }

  #contains(message: Uint8Array, advert: Advert, address: Uint8Array): boolean {
    const width = address.length;
    for (let i = 0; i < advert.addressCount; i++) {
      if (sameAt(message, advert.addressOffset + i * width, address)) return true;
    }
    return false;
  }
}

function isMulticast(address: Uint8Array): boolean {
  return address.length === 4 ? address[0]! >> 4 === 0xe : address[0] === 0xff;
}

function sameAt(message: Uint8Array, at: number, address: Uint8Array): boolean {
  for (let i = 0; i < address.length; i++) if (message[at + i] !== address[i]) return false;
  return true;
}

function startsLinkLocal(message: Uint8Array, advert: Advert): boolean {
  const at = advert.addressOffset;
  return message[at] === 0xfe && (message[at + 1]! & 0xc0) === 0x80;
}

function passwordAt(message: Uint8Array, advert: Advert, password: Uint8Array): boolean {
  const sent = message.subarray(advert.messageLength - 8, advert.messageLength);
  const wanted = new Uint8Array(8);
  wanted.set(password.subarray(0, 8));
  return compareBytes(sent, wanted) === 0;
}

/** The VRRP message inside a datagram: behind the AH header where there is one. */
export function messageOf(datagram: ReceivedDatagram): Uint8Array {
  return datagram.ipHeader === undefined
    ? datagram.payload
    : datagram.payload.subarray(Math.min(AH_LENGTH, datagram.payload.length));
}
