/**
 * A second, independent reading of the advert, straight from RFC 9568 section 5.1 and RFC 3768
 * section 5: the oracles must not learn from the code they judge what a good packet is.
 */

import type { RouterAction } from "../core/vrrp/router-ports.ts";
import { parseIp } from "../lib/ip-address.ts";
import type { DatagramFrame } from "./network.ts";

export interface ReadAdvert {
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
  readonly intervalMs: number;
  readonly addressCount: number;
  /** TTL 255, known version and type, whole, sum right, at least one address, interval > 0. */
  readonly sound: boolean;
}

/** The IP authentication header in front, the HMAC trailer behind an advert. */
const AH_BYTES = 24;
export const TRAILER_BYTES = 28;
const IPV4_HEADER_BYTES = 20;

/** What an order to send puts on the wire. The bytes are copied: the router reuses them. */
export function sentFrame(action: Extract<RouterAction, { type: "send-datagram" }>): DatagramFrame {
  const { family, protocol, source, destination, ttl, headerIncluded } = action;
  const bytes = action.payload.slice(0, action.length);
  const base = { kind: "datagram", family, protocol, source, destination, ttl } as const;
  if (!headerIncluded) return { ...base, payload: bytes };
  const payload = bytes.subarray(IPV4_HEADER_BYTES);
  return { ...base, ipHeader: bytes.subarray(0, IPV4_HEADER_BYTES), payload };
}

/** Priority in an order to send; cheap, for it is asked of every advert. */
export function sentPriority(action: Extract<RouterAction, { type: "send-datagram" }>): number {
  return action.payload[(action.headerIncluded ? IPV4_HEADER_BYTES + AH_BYTES : 0) + 2]!;
}

/** The message inside a payload as received: behind the authentication header, if there is one. */
export function messageOf(frame: {
  readonly protocol: number;
  readonly payload: Uint8Array;
}): Uint8Array {
  return frame.protocol === 51 ? frame.payload.subarray(AH_BYTES) : frame.payload;
}

/** `trailer`: bytes that must follow the message. Undefined: no VRRP message at all. */
export function readAdvert(frame: DatagramFrame, trailer = 0): ReadAdvert | undefined {
  const ah = frame.protocol === 51;
  const bytes = messageOf(frame);
  if ((frame.protocol !== 112 && !ah) || bytes.length < 8) return undefined;
  const version = bytes[0]! >> 4;
  const addressCount = bytes[3]!;
  const width = frame.family === "ipv4" ? 4 : 16;
  const length = 8 + addressCount * width + (version === 2 ? 8 : 0);
  const intervalMs =
    version === 2 ? bytes[5]! * 1000 : (((bytes[4]! & 0x0f) << 8) | bytes[5]!) * 10;
  const sound =
    frame.ttl === 255 &&
    (version === 2 || version === 3) &&
    (bytes[0]! & 0x0f) === 1 &&
    bytes.length === length + trailer &&
    addressCount > 0 &&
    intervalMs > 0 &&
    // IPv6 kernels sum the whole payload, trailer and all.
    sumHolds(frame, version, frame.family === "ipv6" ? bytes : bytes.subarray(0, length));
  return { version, vrid: bytes[1]!, priority: bytes[2]!, intervalMs, addressCount, sound };
}

/** Writes the sum that makes `frame.payload` valid; for planted bugs and forged packets. */
export function fixChecksum(frame: DatagramFrame): void {
  const bytes = frame.payload;
  bytes[6] = 0;
  bytes[7] = 0;
  const sum =
    ~addWords(bytes, needsPseudoHeader(frame) ? pseudoHeader(frame, bytes.length) : 0) & 0xffff;
  bytes[6] = sum >> 8;
  bytes[7] = sum & 0xff;
}

/** Version 3 over IPv4: readers disagreed for years whether the pseudo header counts. */
function sumHolds(frame: DatagramFrame, version: number, summed: Uint8Array): boolean {
  const plain = addWords(summed, 0) === 0xffff;
  if (version === 2) return plain;
  const full = addWords(summed, pseudoHeader(frame, summed.length)) === 0xffff;
  return full || (frame.family === "ipv4" && plain);
}

function needsPseudoHeader(frame: DatagramFrame): boolean {
  return frame.payload[0]! >> 4 === 3;
}

function pseudoHeader(frame: DatagramFrame, length: number): number {
  const source = addWords(parseIp(frame.source)!, length + 112);
  return addWords(parseIp(frame.destination)!, source);
}

/** One's complement sum of 16-bit words on top of `start`. */
function addWords(bytes: Uint8Array, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
