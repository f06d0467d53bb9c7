/**
 * One instance's adverts, ready to go: a buffer and a `send-datagram` action for each
 * destination, made once. Sending sets the priority and the checksum and allocates nothing,
 * except where an authentication method must sign.
 *
 * There are two sets: a router may advertise and take its leave in the same step, and the first
 * advert must not change under the driver's hands.
 */

import { parseIp } from "../../lib/ip-address.ts";
import { assert } from "../../lib/assert.ts";
import { AH_LENGTH, AhAuthenticator, IPV4_HEADER_LENGTH } from "./auth-ah.ts";
import { HmacAuthenticator } from "./auth-hmac.ts";
import { sumPseudoHeader } from "./checksum.ts";
import {
  AH_PROTOCOL,
  AUTH_AH,
  AUTH_NONE,
  AUTH_PASS,
  HMAC_TRAILER_LENGTH,
  VRRP_PROTOCOL,
  VRRP_TTL,
  addressLength,
  encodeAdvert,
  setChecksum,
  setInterval3,
  setPriority,
} from "./packet.ts";
import type { RouterAction } from "./router-ports.ts";
import type { InstanceSettings } from "./settings.ts";

type SendAction = Extract<RouterAction, { type: "send-datagram" }>;

interface Copy {
  readonly action: SendAction;
  readonly destination: Uint8Array;
  readonly version: 2 | 3;
  readonly messageLength: number;
  pseudoSum: number;
}

/** RFC 1349 internetwork control, as keepalived marks its adverts. */
const TYPE_OF_SERVICE = 0xc0;
const MAX_IP_ID = 0xffff;

export class AdvertSender {
  readonly hmac: HmacAuthenticator | undefined;
  readonly ah: AhAuthenticator | undefined;
  readonly #settings: InstanceSettings;
  readonly #adverts: readonly Copy[];
  readonly #farewells: readonly Copy[];
  /** Where the message starts in a buffer: behind IPv4 and AH headers of ours, or at once. */
  readonly #offset: number;
  #source: Uint8Array | undefined;
  #ipId = 1;

  /** `before`: whose work this one goes on with, so that sequence numbers only grow. */
  constructor(settings: InstanceSettings, before?: AdvertSender) {
    this.#settings = settings;
    const { authentication, transport, version, vrid, family } = settings;
    if (authentication.kind === "hmac") {
      this.hmac = new HmacAuthenticator(authentication, { family, version, vrid }, before?.hmac);
    }
    if (authentication.kind === "ah") {
      const scope = {
        password: ascii(authentication.password),
        unicast: transport.kind === "unicast",
        // Long before anybody gives the sender up.
        forgetAfterMs: 1.5 * settings.advertIntervalMs,
      };
      this.ah = new AhAuthenticator(scope, before?.ah);
    }
    this.#offset = this.ah === undefined ? 0 : IPV4_HEADER_LENGTH + AH_LENGTH;
    const destinations =
      transport.kind === "multicast" ? [transport.group] : transport.peers.map((p) => p.address);
    // Version 3 first: who hears it ignores the other one.
    const versions: readonly (2 | 3)[] = settings.alsoVersion2 === true ? [3, 2] : [version];
    const make = (): Copy[] =>
      versions.flatMap((each) => destinations.map((to) => this.#makeCopy(to, each)));
    this.#adverts = make();
    this.#farewells = make();
  }

  /**
   * How far the numbered packets of an authentication method have come; 0 without one. Whoever
   * goes on from there is believed by peers that remember our last packet.
   */
  get sequence(): number {
    return this.ah?.sequence ?? this.hmac?.sequence ?? 0;
  }

  continueFrom(sequence: number): void {
    this.ah?.continueFrom(sequence);
    this.hmac?.continueFrom(sequence);
  }

  /** The interface got its address, or another one. `source` is canonical text. */
  setSource(source: string): void {
    const bytes = parseIp(source);
    assert(bytes !== undefined, `source address ${source} was checked before`);
    this.#source = bytes;
    for (const copy of [...this.#adverts, ...this.#farewells]) {
      copy.action.source = source;
      copy.pseudoSum = this.#pseudoSum(bytes, copy);
      if (this.ah !== undefined) writeIpv4Header(copy, bytes);
    }
  }

  /** A master's advert to every destination. False: there is no source address to send from. */
  send(priority: number, wallMs: number, out: RouterAction[]): boolean {
    return this.#order(this.#adverts, priority, wallMs, out);
  }

  /**
   * The last advert of a master that goes: priority 0, or its own when it lost to a better one.
   * `intervalMs` is the interval of who stays: backups that learned ours from this advert would
   * wait too short a time for the winner's.
   */
  sendFarewell(priority: number, intervalMs: number, wallMs: number, out: RouterAction[]): boolean {
    for (const { action, version } of this.#farewells) {
      if (version === 3) setInterval3(action.payload, this.#offset, intervalMs);
    }
    return this.#order(this.#farewells, priority, wallMs, out);
  }

  #order(copies: readonly Copy[], priority: number, wallMs: number, out: RouterAction[]): boolean {
    const source = this.#source;
    if (source === undefined) return false;
    this.ah?.nextSequence(wallMs);
    const first = copies[0]?.action.payload;
    for (const copy of copies) {
      const { payload } = copy.action;
      setPriority(payload, this.#offset, priority);
      if (this.hmac !== undefined) {
        // The digest leaves the destination out, so every peer gets the same trailer.
        const message = { offset: this.#offset, length: copy.messageLength };
        if (payload === first) this.hmac.sign(payload, message, source, wallMs);
        else payload.set(first!.subarray(message.length, copy.action.length), message.length);
      }
      // IPv6 sums the trailer too: that is what kernels check.
      const summed = this.#settings.family === "ipv6" ? copy.action.length : copy.messageLength;
      setChecksum(payload, this.#offset, summed, copy.pseudoSum);
      if (this.ah !== undefined) {
        this.#stampIpId(payload);
        this.ah.sign(payload, copy.action.length);
      }
      out.push(copy.action);
    }
    return true;
  }

  #makeCopy(destination: string, version: 2 | 3): Copy {
    const settings = this.#settings;
    const bytes = parseIp(destination);
    assert(bytes !== undefined, `destination ${destination} was checked before`);
    const { authentication, vrid, family, advertIntervalMs: intervalMs } = settings;
    const addresses = settings.addresses.map((a) => parseIp(a.address)!);
    const payload = new Uint8Array(
      this.#offset + 16 + addresses.length * addressLength(settings.family) + HMAC_TRAILER_LENGTH,
    );
    const password = ascii(authentication.kind === "pass" ? authentication.password : "");
    const messageLength = encodeAdvert(
      { version, vrid, family, intervalMs, addresses, authType: authType(settings), password },
      payload,
      this.#offset,
    );
    const length = this.#offset + messageLength + (this.hmac?.trailerLength ?? 0);
    const action: SendAction = {
      type: "send-datagram",
      instance: settings.name,
      interface: settings.interface,
      family: settings.family,
      protocol: this.ah === undefined ? VRRP_PROTOCOL : AH_PROTOCOL,
      source: "",
      destination,
      ttl: settings.transport.kind === "unicast" ? settings.transport.ttl : VRRP_TTL,
      payload,
      length,
      headerIncluded: this.ah !== undefined,
    };
    return { action, destination: bytes, version, messageLength, pseudoSum: 0 };
  }

  #pseudoSum(source: Uint8Array, { destination, version, messageLength }: Copy): number {
    const { family, checksumWithPseudoHeader } = this.#settings;
    if (version === 2) return 0;
    if (family === "ipv4") {
      if (!checksumWithPseudoHeader) return 0;
      return sumPseudoHeader(source, destination, messageLength);
    }
    const trailer = this.hmac?.trailerLength ?? 0;
    return sumPseudoHeader(source, destination, messageLength + trailer);
  }

  /** A header of ours needs an id of ours: the kernel would otherwise choose one after signing. */
  #stampIpId(packet: Uint8Array): void {
    packet[4] = this.#ipId >> 8;
    packet[5] = this.#ipId & 0xff;
    this.#ipId = this.#ipId === MAX_IP_ID ? 1 : this.#ipId + 1;
  }
}

function writeIpv4Header(copy: Copy, source: Uint8Array): void {
  const { payload, length, ttl } = copy.action;
  payload[0] = 0x45;
  payload[1] = TYPE_OF_SERVICE;
  payload[2] = length >> 8;
  payload[3] = length & 0xff;
  payload[8] = ttl;
  payload[9] = AH_PROTOCOL;
  payload.set(source, 12);
  payload.set(copy.destination, 16);
}

function authType(settings: InstanceSettings): number {
  if (settings.authentication.kind === "pass") return AUTH_PASS;
  return settings.authentication.kind === "ah" ? AUTH_AH : AUTH_NONE;
}

/** Passwords are single bytes on the wire; others were refused by the reader. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0) & 0xff);
}
