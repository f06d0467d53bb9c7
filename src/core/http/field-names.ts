/**
 * Header fields that a proxy must find without comparing text. Each has a small number; 0 is any
 * other. A field's number is found from the length and a hash that the parser makes on its way.
 */

import { latin1Bytes } from "../../lib/text-bytes.ts";

export const FIELDS = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "host",
  "expect",
  "cookie",
  "set-cookie",
  "authorization",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "forwarded",
  "traceparent",
  "x-request-id",
  "idempotency-key",
  "content-type",
  "location",
  "date",
  "server",
  "retry-after",
  "proxy-authenticate",
  "proxy-authorization",
  "user-agent",
  "referer",
  "http2-settings",
  "via",
] as const;

export type FieldName = (typeof FIELDS)[number];

/** The octets of the names, by number. */
export const FIELD_OCTETS: readonly Uint8Array[] = ["", ...FIELDS].map(latin1Bytes);

const NUMBERS: ReadonlyMap<string, number> = new Map(FIELDS.map((name, i) => [name, i + 1]));

export function fieldNumber(name: FieldName): number {
  return NUMBERS.get(name)!;
}

/** Of this connection only, always (RFC 9110 7.6.1; Proxy-* of RFC 9110 11.7 are for us). */
export const HOP_BY_HOP: Uint8Array = flagsOf([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "proxy-authenticate",
  "proxy-authorization",
  "http2-settings",
]);

/** A Connection field cannot make these hop-by-hop: dropping them would change the request. */
export const END_TO_END: Uint8Array = flagsOf([
  "content-length",
  "host",
  "cookie",
  "set-cookie",
  "authorization",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "forwarded",
  "content-type",
  "expect",
  "idempotency-key",
]);

function flagsOf(names: readonly FieldName[]): Uint8Array {
  const flags = new Uint8Array(FIELDS.length + 1);
  for (const name of names) flags[fieldNumber(name)] = 1;
  return flags;
}

/** One step of the hash over a lower-case octet. Start with 0. */
export function hashStep(hash: number, octet: number): number {
  return (Math.imul(hash, 31) + octet) | 0;
}

/** Of a whole name in lower case. */
export function nameHash(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = hashStep(hash, name.charCodeAt(i));
  return hash;
}

/**
 * Open addressing; a slot holds the hash and the number. Collisions are settled by the text. A
 * power of two, and `&` instead of `%`: that is a division of doubles where code is not yet hot.
 */
const SLOTS = 256;
const slotHash = new Int32Array(SLOTS);
const slotNumber = new Uint8Array(SLOTS);
for (const [index, name] of FIELDS.entries()) {
  const hash = nameHash(name);
  let slot = hash & (SLOTS - 1);
  while (slotNumber[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  slotHash[slot] = hash;
  slotNumber[slot] = index + 1;
}

/** The candidate of a hash, whose text is still to be compared; 0 = none. */
export function candidateOf(hash: number): number {
  let slot = hash & (SLOTS - 1);
  while (slotNumber[slot] !== 0) {
    if (slotHash[slot] === hash) return slotNumber[slot]!;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return 0;
}
