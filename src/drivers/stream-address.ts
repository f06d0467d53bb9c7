/** Socket addresses as the kernel wants them (`sockaddr_in`, `sockaddr_in6`, `sockaddr_un`). */

import { formatIp, parseIp } from "../lib/ip-address.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./ffi.ts";

/** `sockaddr_storage`: room for any of them. */
export const ADDRESS_ROOM = 128;
/** Longest path that fits with its terminating zero. unix(7). */
export const MAX_UNIX_PATH = 107;

export interface InternetAddress {
  /** Canonical text; an IPv4 client of an IPv6 socket is shown as IPv4. "" = a unix socket. */
  readonly address: string;
  readonly port: number;
}

/** Undefined when `address` is no IP address. The kernel's byte order: port and address are big endian. */
export function internetSockaddr(address: string, port: number): Uint8Array | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const isV4 = ip.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port, false);
  bytes.set(ip, isV4 ? 4 : 8);
  return bytes;
}

/** Undefined when the path is too long. */
export function unixSockaddr(path: string): Uint8Array | undefined {
  const name = new TextEncoder().encode(path);
  if (name.length > MAX_UNIX_PATH) return undefined;
  const bytes = new Uint8Array(2 + name.length + 1);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  return bytes;
}

const V4_MAPPED = 10;
/** Clients come more than once: an address is spelled once, and is one text wherever it is kept. */
const KNOWN = 1024;
const knownBytes = new Uint8Array(16 * KNOWN);
const knownTexts: string[] = Array.from({ length: 2 * KNOWN }, () => "");

/** Of `length` bytes, 4 or 16. Each address has one place, and whoever came last is known there. */
function addressText(bytes: Uint8Array, from: number, length: number): string {
  let hash = 0;
  for (let i = from; i < from + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193);
  const place = (hash ^ (hash >>> 15)) & (KNOWN - 1);
  const textPlace = length === 4 ? place : KNOWN + place;
  const at = 16 * place;
  const known = knownTexts[textPlace]!;
  if (known !== "" && areSame(bytes, from, at, length)) return known;
  // Of the other kind at this place nothing is right any more.
  knownTexts[length === 4 ? KNOWN + place : place] = "";
  for (let i = 0; i < length; i++) knownBytes[at + i] = bytes[from + i]!;
  return (knownTexts[textPlace] = formatIp(bytes, from, length));
}

function areSame(bytes: Uint8Array, from: number, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (knownBytes[at + i] !== bytes[from + i]) return false;
  return true;
}

/** What `accept4`, `getsockname` or `getpeername` filled in. */
export function readSockaddr(bytes: Uint8Array): InternetAddress {
  const family = bytes[0]! | (bytes[1]! << 8);
  const port = (bytes[2]! << 8) | bytes[3]!;
  if (family === AF_INET) return { address: addressText(bytes, 4, 4), port };
  if (family !== AF_INET6) return { address: "", port: 0 };
  return { address: isMapped(bytes) ? addressText(bytes, 20, 4) : addressText(bytes, 8, 16), port };
}

/** `::ffff:a.b.c.d`. RFC 4291 section 2.5.5.2. */
function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < V4_MAPPED; i++) if (bytes[8 + i] !== 0) return false;
  return bytes[18] === 0xff && bytes[19] === 0xff;
}
