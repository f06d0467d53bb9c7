/**
 * Reads the header that a proxy in front puts before everything else to tell who its client is:
 * HAProxy's PROXY protocol, version 1 (a line of text) and 2 (binary). Source: HAProxy's
 * proxy-protocol.txt, sections 2.1 and 2.2.
 */

import { formatIp, parseIp } from "../../lib/ip-address.ts";
import { latin1Text } from "../../lib/text-bytes.ts";

/** Longest header that is taken: room for the certificate of a client in a TLV. */
export const MAX_PROXY_HEADER: number = 16 * 1024;
/** With its CRLF; section 2.1. */
const MAX_LINE = 107;

export type ProxyRefusal =
  /** Neither `PROXY ` nor the twelve bytes of version 2. */
  | "not-a-proxy-header"
  | "line-too-long"
  | "malformed-line"
  | "bad-address"
  | "bad-port"
  | "unknown-version"
  | "unknown-command"
  /** Or one of datagrams, which no stream can be. */
  | "unknown-family"
  | "header-too-long"
  | "addresses-cut-short"
  | "malformed-tlv";

export const PROXY_REFUSALS: Readonly<Record<ProxyRefusal, string>> = {
  "not-a-proxy-header": "a PROXY header is expected from here, and this is none",
  "line-too-long": `the line of the PROXY header is longer than ${MAX_LINE} bytes`,
  "malformed-line": "the line of the PROXY header is malformed",
  "bad-address": "an address of the PROXY header is none",
  "bad-port": "a port of the PROXY header is none",
  "unknown-version": "the PROXY header is of an unknown version",
  "unknown-command": "the PROXY header has an unknown command",
  "unknown-family": "the PROXY header has an unknown address family",
  "header-too-long": `the PROXY header is longer than ${MAX_PROXY_HEADER} bytes`,
  "addresses-cut-short": "the PROXY header is too short for its addresses",
  "malformed-tlv": "a TLV of the PROXY header is longer than the header",
};

/** Reusable: each `parseProxyHeader` fills it anew. */
export class ProxyHeader {
  /** False: LOCAL, UNKNOWN or a unix socket: the connection's own addresses count. */
  hasAddresses = false;
  /** Canonical text; IPv4 within IPv6 is shown as IPv4. */
  source = "";
  sourcePort = 0;
  destination = "";
  destinationPort = 0;
  /** Set when it was refused. */
  refused: ProxyRefusal | undefined;

  clear(): void {
    this.hasAddresses = false;
    this.source = this.destination = "";
    this.sourcePort = this.destinationPort = 0;
    this.refused = undefined;
  }
}

/** `\r\n\r\n\0\r\nQUIT\n`. */
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
/** `PROXY `. */
const WORD = Uint8Array.of(80, 82, 79, 88, 89, 32);
const FIXED_BYTES = 16;
const MORE = 0;
const REFUSED = -1;

/**
 * Bytes that the header takes from `from` on; 0: more are needed; -1: refused, `header.refused` says
 * why. Never throws.
 */
export function parseProxyHeader(
  header: ProxyHeader,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  header.clear();
  if (from === to) return MORE;
  const isText = bytes[from] === WORD[0];
  if (!startsWith(bytes, { from, to }, isText ? WORD : SIGNATURE)) {
    return refuse(header, "not-a-proxy-header");
  }
  return isText ? parseLine(header, bytes, from, to) : parseBinary(header, bytes, from, to);
}

/** Also true when `bytes` end before `text` does. */
function startsWith(
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  text: Uint8Array,
): boolean {
  const count = Math.min(to - from, text.length);
  for (let i = 0; i < count; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

function refuse(header: ProxyHeader, why: ProxyRefusal): number {
  header.clear();
  header.refused = why;
  return REFUSED;
}

// ---- version 1 ----

function parseLine(header: ProxyHeader, bytes: Uint8Array, from: number, to: number): number {
  const end = Math.min(to, from + MAX_LINE);
  let at = from;
  while (at < end && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at++;
  if (at >= from + MAX_LINE - 1) return refuse(header, "line-too-long");
  if (at === end) return MORE;
  if (bytes[at] !== 0x0d) return refuse(header, "malformed-line");
  if (at + 1 === to) return MORE;
  if (bytes[at + 1] !== 0x0a) return refuse(header, "malformed-line");
  const length = at + 2 - from;
  const words = latin1Text(bytes, from, at).split(" ");
  const [, family] = words;
  // Whatever follows is to be ignored.
  if (family === "UNKNOWN") return length;
  if ((family !== "TCP4" && family !== "TCP6") || words.length !== 6) {
    return refuse(header, "malformed-line");
  }
  const [, , source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  const width = family === "TCP4" ? 4 : 16;
  const fromIp = parseIp(source);
  const toIp = parseIp(destination);
  if (fromIp?.length !== width || toIp?.length !== width) return refuse(header, "bad-address");
  if (!isPort(sourcePort) || !isPort(destinationPort)) return refuse(header, "bad-port");
  header.source = plainText(fromIp, 0, width);
  header.destination = plainText(toIp, 0, width);
  header.sourcePort = Number(sourcePort);
  header.destinationPort = Number(destinationPort);
  header.hasAddresses = true;
  return length;
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

// ---- version 2 ----

const LOCAL = 0;
const PROXY = 1;
/** Address family and protocol in one byte: what of it is a stream. Width of one address. */
const STREAMS: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 4],
  [0x21, 16],
  [0x31, 108],
]);

function parseBinary(header: ProxyHeader, bytes: Uint8Array, from: number, to: number): number {
  const has = to - from;
  if (has > 12 && bytes[from + 12]! >> 4 !== 2) return refuse(header, "unknown-version");
  const command = has > 12 ? bytes[from + 12]! & 15 : LOCAL;
  if (command !== LOCAL && command !== PROXY) return refuse(header, "unknown-command");
  if (has < FIXED_BYTES) return MORE;
  const rest = (bytes[from + 14]! << 8) | bytes[from + 15]!;
  const length = FIXED_BYTES + rest;
  if (length > MAX_PROXY_HEADER) return refuse(header, "header-too-long");
  const width = STREAMS.get(bytes[from + 13]!);
  if (command === PROXY && width === undefined) return refuse(header, "unknown-family");
  if (has < length) return MORE;
  // The proxy asks for itself, for instance whether we live; what follows is to be ignored.
  if (command === LOCAL || width === undefined || width === 0) return length;
  const isUnix = width > 16;
  const addresses = from + FIXED_BYTES;
  const tlvs = addresses + 2 * width + (isUnix ? 0 : 4);
  if (tlvs > from + length) return refuse(header, "addresses-cut-short");
  if (!areTlvs(bytes, tlvs, from + length)) return refuse(header, "malformed-tlv");
  if (isUnix) return length;
  const ports = addresses + 2 * width;
  header.source = plainText(bytes, addresses, width);
  header.destination = plainText(bytes, addresses + width, width);
  header.sourcePort = (bytes[ports]! << 8) | bytes[ports + 1]!;
  header.destinationPort = (bytes[ports + 2]! << 8) | bytes[ports + 3]!;
  header.hasAddresses = true;
  return length;
}

/** Type, two bytes of length, value: to the end and no further. Nothing in them is used. */
function areTlvs(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    if (at + 3 > to) return false;
    at += 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
  }
  return at === to;
}

/** ::ffff:0:0/96 (RFC 4291 section 2.5.5.2) is the same client as without it. */
function plainText(bytes: Uint8Array, at: number, width: number): string {
  if (width === 4) return formatIp(bytes, at, 4);
  let isMapped = bytes[at + 10] === 255 && bytes[at + 11] === 255;
  for (let i = 0; i < 10; i++) isMapped &&= bytes[at + i] === 0;
  return isMapped ? formatIp(bytes, at + 12, 4) : formatIp(bytes, at, 16);
}
