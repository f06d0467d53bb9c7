/**
 * keepalived's `auth_type AH`: the advert inside an IP authentication header (RFC 2402) with
 * HMAC-MD5-96. Broken by design as a protection against replay after a restart - keepalived's
 * sequence numbers start again - but in the field, so it is spoken. Ours follow the clock, so that
 * they also grow over a restart.
 *
 * Payload: AH header of 24 bytes, then the VRRP message.
 *   0      1        2         4      8         12
 *   next   length   zero      SPI    sequence  digest (12 bytes)
 */

import { hmac } from "@noble/hashes/hmac.js";
import { md5 } from "@noble/hashes/legacy.js";
import { VRRP_PROTOCOL, type RejectReason } from "./packet.ts";

export const AH_LENGTH = 24;
export const IPV4_HEADER_LENGTH = 20;
const DIGEST_OFFSET = 12;
const DIGEST_LENGTH = 12;
const KEY_LENGTH = 8;
/** Start of 2020; with the tick below 32 bits last until 2054. */
const SEQUENCE_EPOCH_MS = 1_577_836_800_000;
/** Adverts with AH are a second apart; answers to other masters make it a few more. */
const SEQUENCE_TICK_MS = 250;
/** Senders whose sequence is remembered. */
const MAX_SENDERS = 8;

export interface AhScope {
  readonly password: Uint8Array;
  readonly unicast: boolean;
  readonly forgetAfterMs: number;
}

export class AhAuthenticator {
  readonly #key = new Uint8Array(KEY_LENGTH);
  readonly #scope: AhScope;
  #sent = 0;
  readonly #heard = new Map<string, { sequence: number; wallMs: number }>();

  /**
   * `password`: its first 8 bytes, zero padded, are the key. A sender that was silent for
   * `forgetAfterMs` may start again at a lower number. `before`: whose numbers go on.
   */
  constructor(scope: AhScope, before?: AhAuthenticator) {
    this.#key.set(scope.password.subarray(0, KEY_LENGTH));
    this.#scope = scope;
    if (before === undefined) return;
    this.#sent = before.#sent;
    for (const [address, last] of before.#heard) this.#heard.set(address, last);
  }

  /** A sender that resigned may start again within the same tick of its clock. */
  forget(address: string): void {
    this.#heard.delete(address);
  }

  /** The last number sent, or higher. */
  get sequence(): number {
    return this.#sent;
  }

  /** Goes on above a number that an earlier process sent. */
  continueFrom(sequence: number): void {
    this.#sent = Math.max(this.#sent, sequence) >>> 0;
  }

  /** One logical advert = one sequence number, whatever the number of unicast copies. */
  nextSequence(wallMs: number): void {
    const clock = Math.floor((wallMs - SEQUENCE_EPOCH_MS) / SEQUENCE_TICK_MS);
    this.#sent = Math.max(this.#sent + 1, clock) >>> 0;
  }

  /** Completes a packet of IPv4 header, AH header and message: everything but the kernel's part. */
  sign(packet: Uint8Array, length: number): void {
    const at = IPV4_HEADER_LENGTH;
    packet.fill(0, at, at + AH_LENGTH);
    packet[at] = VRRP_PROTOCOL;
    packet[at + 1] = AH_LENGTH / 4 - 2;
    packet.copyWithin(at + 4, 12, 16); // the SPI is the source address
    packet[at + 8] = this.#sent >>> 24;
    packet[at + 9] = (this.#sent >>> 16) & 0xff;
    packet[at + 10] = (this.#sent >>> 8) & 0xff;
    packet[at + 11] = this.#sent & 0xff;
    const header = this.#immutableHeader(packet);
    const digest = this.#digest(header, packet.subarray(at, length));
    packet.set(digest.subarray(0, DIGEST_LENGTH), at + DIGEST_OFFSET);
  }

  /** `header`: the IPv4 header as received; `payload`: AH header and message. */
  verify(
    header: Uint8Array,
    payload: Uint8Array,
    from: { readonly address: string; readonly wallMs: number },
  ): RejectReason | undefined {
    if (payload.length < AH_LENGTH) return "ah-malformed";
    if (payload[0] !== VRRP_PROTOCOL || payload[1] !== AH_LENGTH / 4 - 2) return "ah-malformed";
    const blank = payload.slice();
    blank.fill(0, DIGEST_OFFSET, DIGEST_OFFSET + DIGEST_LENGTH);
    const digest = this.#digest(this.#immutableHeader(header), blank);
    let difference = 0;
    for (let i = 0; i < DIGEST_LENGTH; i++) difference |= digest[i]! ^ payload[DIGEST_OFFSET + i]!;
    if (difference !== 0) return "ah-digest";
    for (let i = 0; i < 4; i++) if (payload[4 + i] !== header[12 + i]) return "ah-malformed";
    const sequence =
      ((payload[8]! << 24) | (payload[9]! << 16) | (payload[10]! << 8) | payload[11]!) >>> 0;
    if (this.#isReplay(sequence, from)) return "ah-replay";
    if (!this.#heard.has(from.address) && this.#heard.size >= MAX_SENDERS) this.#heard.clear();
    this.#heard.set(from.address, { sequence, wallMs: from.wallMs });
    // keepalived counts what it sends and what it hears as one, and drops what is below: a new
    // master goes on from the number of the old one.
    this.#sent = Math.max(this.#sent, sequence);
    return undefined;
  }

  /** keepalived starts again at 1: that number, or any after a silence, is a restarted sender. */
  #isReplay(
    sequence: number,
    from: { readonly address: string; readonly wallMs: number },
  ): boolean {
    const last = this.#heard.get(from.address);
    if (last === undefined || sequence > last.sequence || sequence <= 1) return false;
    return Math.abs(from.wallMs - last.wallMs) < this.#scope.forgetAfterMs;
  }

  /** The header with what routers may change read as zero (RFC 2402 section 3.3.3.1.1.1). */
  #immutableHeader(packet: Uint8Array): Uint8Array {
    const headerLength = (packet[0]! & 0x0f) * 4;
    const header = packet.slice(0, headerLength);
    header[1] = 0; // type of service
    header[6] = 0; // flags and fragment offset
    header[7] = 0;
    if (this.#scope.unicast) header[8] = 0; // TTL; 255 by rule for multicast, so it is signed there
    header[10] = 0; // header checksum
    header[11] = 0;
    return header;
  }

  #digest(header: Uint8Array, rest: Uint8Array): Uint8Array {
    return hmac.create(md5, this.#key).update(header).update(rest).digest();
  }
}
