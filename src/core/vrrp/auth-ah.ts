/**
 * keepalived's `auth_type AH`: the advert inside an IP authentication header (RFC 2402) with
 * HMAC-MD5-96. Broken by design as a protection against replay after a restart - sequence numbers
 * start again - but in the field, so it is spoken.
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
/** Senders whose sequence is remembered. */
const MAX_SENDERS = 8;

export class AhAuthenticator {
  readonly #key = new Uint8Array(KEY_LENGTH);
  readonly #unicast: boolean;
  #sent = 0;
  readonly #heard = new Map<string, number>();

  /** `password`: its first 8 bytes, zero padded, are the key. */
  constructor(password: Uint8Array, unicast: boolean) {
    this.#key.set(password.subarray(0, KEY_LENGTH));
    this.#unicast = unicast;
  }

  /** One logical advert = one sequence number, whatever the number of unicast copies. */
  nextSequence(): void {
    this.#sent = (this.#sent + 1) >>> 0;
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
  verify(header: Uint8Array, payload: Uint8Array, source: string): RejectReason | undefined {
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
    const last = this.#heard.get(source);
    // A small number after a large one is a restarted sender: AH has no better sign of it.
    if (last !== undefined && sequence <= last && sequence > 1) return "ah-replay";
    if (last === undefined && this.#heard.size >= MAX_SENDERS) this.#heard.clear();
    this.#heard.set(source, sequence);
    return undefined;
  }

  /** The header with what routers may change read as zero (RFC 2402 section 3.3.3.1.1.1). */
  #immutableHeader(packet: Uint8Array): Uint8Array {
    const headerLength = (packet[0]! & 0x0f) * 4;
    const header = packet.slice(0, headerLength);
    header[1] = 0; // type of service
    header[6] = 0; // flags and fragment offset
    header[7] = 0;
    if (this.#unicast) header[8] = 0; // TTL; 255 by rule for multicast, so it is signed there
    header[10] = 0; // header checksum
    header[11] = 0;
    return header;
  }

  #digest(header: Uint8Array, rest: Uint8Array): Uint8Array {
    return hmac.create(md5, this.#key).update(header).update(rest).digest();
  }
}
