/**
 * The VRRP advertisement on the wire: RFC 9568 section 5 (version 3), RFC 3768 section 5
 * (version 2, with RFC 2338's authentication types 1 and 2).
 *
 * Decoding fills one reused `Advert`, so that hearing a million adverts allocates nothing.
 */

import { foldChecksum, sumPseudoHeader, sumWords } from "./checksum.ts";
import type { Family } from "./settings.ts";

export const VRRP_PROTOCOL = 112;
export const AH_PROTOCOL = 51;
export const VRRP_TTL = 255;
/** Type 1 is the only packet type that exists. */
const ADVERTISEMENT = 1;
const HEADER_LENGTH = 8;
/** Version 2 always carries 8 bytes of authentication data (RFC 3768 section 5.3.10). */
const V2_AUTH_LENGTH = 8;
/** keepalived's HMAC trailer: type, key id, 2 reserved, 8 sequence, 16 digest. */
export const HMAC_TRAILER_LENGTH = 28;

export const AUTH_NONE = 0;
export const AUTH_PASS = 1;
export const AUTH_AH = 2;

/** Why a datagram was not believed. Each has a counter; see RFC 9568 section 7.1. */
export const rejectReasons = [
  "too-short",
  "wrong-length",
  "wrong-type",
  "wrong-version",
  "wrong-ttl",
  "wrong-destination",
  "wrong-checksum",
  "no-addresses",
  "zero-interval",
  "interval-mismatch",
  "address-list-mismatch",
  "not-link-local",
  "unknown-vrid",
  "unknown-source",
  "own-advert",
  "auth-type-mismatch",
  "auth-password-mismatch",
  "ah-missing",
  "ah-unexpected",
  "ah-malformed",
  "ah-digest",
  "ah-replay",
  "hmac-missing",
  "hmac-malformed",
  "hmac-stale",
  "hmac-unknown-key",
  "hmac-digest",
  "hmac-replay",
  "owner-ignores",
  "not-running",
] as const;
export type RejectReason = (typeof rejectReasons)[number];

export interface Advert {
  version: number;
  vrid: number;
  priority: number;
  addressCount: number;
  intervalMs: number;
  /** Version 2 only. */
  authType: number;
  /** Where the addresses start in the payload. */
  addressOffset: number;
  /** Length of the message proper: header, addresses, version 2 authentication data. */
  messageLength: number;
}

export function emptyAdvert(): Advert {
  return {
    version: 0,
    vrid: 0,
    priority: 0,
    addressCount: 0,
    intervalMs: 0,
    authType: 0,
    addressOffset: HEADER_LENGTH,
    messageLength: 0,
  };
}

export function addressLength(family: Family): number {
  return family === "ipv4" ? 4 : 16;
}

/**
 * Reads the fields that do not depend on any instance. Returns why the bytes are no VRRP
 * advertisement, or undefined when `advert` holds one. Reserved bits are ignored.
 */
export function decodeAdvert(
  payload: Uint8Array,
  family: Family,
  advert: Advert,
): RejectReason | undefined {
  if (payload.length < HEADER_LENGTH) return "too-short";
  const version = payload[0]! >> 4;
  if ((payload[0]! & 0x0f) !== ADVERTISEMENT) return "wrong-type";
  if (version !== 2 && version !== 3) return "wrong-version";
  if (version === 2 && family === "ipv6") return "wrong-version";
  advert.version = version;
  advert.vrid = payload[1]!;
  advert.priority = payload[2]!;
  advert.addressCount = payload[3]!;
  if (version === 3) {
    advert.authType = AUTH_NONE;
    advert.intervalMs = (((payload[4]! & 0x0f) << 8) | payload[5]!) * 10;
  } else {
    advert.authType = payload[4]!;
    advert.intervalMs = payload[5]! * 1000;
  }
  advert.messageLength =
    HEADER_LENGTH +
    advert.addressCount * addressLength(family) +
    (version === 2 ? V2_AUTH_LENGTH : 0);
  if (payload.length < advert.messageLength) return "too-short";
  if (advert.intervalMs === 0) return "zero-interval";
  return undefined;
}

/** What the checksum of a received message may cover besides the message. */
export interface ChecksumScope {
  readonly family: Family;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** The multicast group: an old unicast form of keepalived sums it instead of the peer. */
  readonly group: Uint8Array;
}

/**
 * Version 2 sums the message alone. Version 3 over IPv4 comes in two forms: RFC 9568 has the
 * message alone, RFC 5798 was read by keepalived as message and pseudo header; both are right.
 * IPv6 always has its pseudo header, and sums a trailer too, since the kernel does it there.
 */
export function checksumHolds(payload: Uint8Array, advert: Advert, scope: ChecksumScope): boolean {
  const { source, destination, group, family } = scope;
  const length = advert.messageLength;
  const sum = sumWords(0, payload, 0, length);
  if (family === "ipv6") {
    const whole = length === payload.length ? sum : sumWords(0, payload, 0, payload.length);
    return (
      isRight(whole + sumPseudoHeader(source, destination, payload.length)) ||
      isRight(sum + sumPseudoHeader(source, destination, length))
    );
  }
  if (isRight(sum)) return true;
  if (advert.version === 2) return false;
  return (
    isRight(sum + sumPseudoHeader(source, destination, length)) ||
    isRight(sum + sumPseudoHeader(source, group, length))
  );
}

/** Of a sum that the checksum itself is in. */
function isRight(sum: number): boolean {
  return foldChecksum(sum) === 0;
}

/** What one instance's adverts always say; only priority and checksum change between two. */
export interface AdvertFields {
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly family: Family;
  readonly intervalMs: number;
  readonly authType: number;
  /** Version 2: up to 8 bytes. */
  readonly password: Uint8Array;
  readonly addresses: readonly Uint8Array[];
}

/** Writes everything but priority and checksum at `offset`; returns the message's length. */
export function encodeAdvert(fields: AdvertFields, out: Uint8Array, offset: number): number {
  const width = addressLength(fields.family);
  out[offset] = (fields.version << 4) | ADVERTISEMENT;
  out[offset + 1] = fields.vrid;
  out[offset + 3] = fields.addresses.length;
  if (fields.version === 3) setInterval3(out, offset, fields.intervalMs);
  else {
    out[offset + 4] = fields.authType;
    out[offset + 5] = Math.round(fields.intervalMs / 1000);
  }
  let end = offset + HEADER_LENGTH;
  for (const address of fields.addresses) {
    out.set(address, end);
    end += width;
  }
  if (fields.version === 2) {
    out.fill(0, end, end + V2_AUTH_LENGTH);
    out.set(fields.password.subarray(0, V2_AUTH_LENGTH), end);
    end += V2_AUTH_LENGTH;
  }
  return end - offset;
}

/** Where encodeAdvert's message leaves room for what changes. */
export function setPriority(out: Uint8Array, offset: number, priority: number): void {
  out[offset + 2] = priority;
}

/** Version 3: Max Advertise Interval, 12 bits of centiseconds. */
export function setInterval3(out: Uint8Array, offset: number, intervalMs: number): void {
  const centiseconds = Math.round(intervalMs / 10);
  out[offset + 4] = centiseconds >> 8;
  out[offset + 5] = centiseconds & 0xff;
}

/** Computes the checksum over `[offset, offset + length)`, with `pseudoSum` added, and sets it. */
export function setChecksum(
  out: Uint8Array,
  offset: number,
  length: number,
  pseudoSum: number,
): void {
  out[offset + 6] = 0;
  out[offset + 7] = 0;
  const checksum = foldChecksum(sumWords(pseudoSum, out, offset, offset + length));
  out[offset + 6] = checksum >> 8;
  out[offset + 7] = checksum & 0xff;
}
