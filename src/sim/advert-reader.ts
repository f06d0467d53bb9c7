/**
 * A second, independent reading of the advert, straight from RFC 9568 section 5.1 and RFC 3768
 * section 5: the oracles must not learn from the code they judge what a good packet is.
 */

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

export function readAdvert(frame: DatagramFrame): ReadAdvert | undefined {
  const bytes = frame.payload;
  if (frame.protocol !== 112 || bytes.length < 8) return undefined;
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
    bytes.length === length &&
    addressCount > 0 &&
    intervalMs > 0 &&
    sumHolds(frame, version);
  return { version, vrid: bytes[1]!, priority: bytes[2]!, intervalMs, addressCount, sound };
}

/** Writes the sum that makes `frame.payload` valid; for planted bugs and forged packets. */
export function fixChecksum(frame: DatagramFrame): void {
  const bytes = frame.payload;
  bytes[6] = 0;
  bytes[7] = 0;
  const sum = ~addWords(bytes, needsPseudoHeader(frame) ? pseudoHeader(frame) : 0) & 0xffff;
  bytes[6] = sum >> 8;
  bytes[7] = sum & 0xff;
}

/** Version 3 over IPv4: readers disagreed for years whether the pseudo header counts. */
function sumHolds(frame: DatagramFrame, version: number): boolean {
  const plain = addWords(frame.payload, 0) === 0xffff;
  if (version === 2) return plain;
  const full = addWords(frame.payload, pseudoHeader(frame)) === 0xffff;
  return full || (frame.family === "ipv4" && plain);
}

function needsPseudoHeader(frame: DatagramFrame): boolean {
  return frame.payload[0]! >> 4 === 3;
}

function pseudoHeader(frame: DatagramFrame): number {
  const source = addWords(parseIp(frame.source)!, frame.payload.length + 112);
  return addWords(parseIp(frame.destination)!, source);
}

/** One's complement sum of 16-bit words on top of `start`. */
function addWords(bytes: Uint8Array, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
