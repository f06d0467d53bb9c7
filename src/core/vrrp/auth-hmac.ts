/**
 * keepalived 2.4's `auth_hmac`: a 28-byte trailer behind the advert that proves who sent it and
 * that it is new. Layout and arithmetic follow keepalived's wire format, whose published vectors
 * are in the tests.
 *
 *   0      1      2          4                        12           28
 *   type   key    reserved   sequence                 digest
 *          id     (zero)     32 s | 16 fraction | 16  HMAC-SHA256, first 128 bits
 *
 * The digest covers a pseudo header (family, version, VRID, source address), the message with its
 * checksum read as zero, the trailer up to the digest, and a digest of zeros.
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { HMAC_TRAILER_LENGTH, type RejectReason } from "./packet.ts";
import type { Authentication, Family } from "./settings.ts";

const TYPE_SHA256 = 1;
const DIGEST_OFFSET = 12;
const DIGEST_LENGTH = 16;
const CHECKSUM_OFFSET = 6;
const FRACTION_OF_MS = 2 ** 32 / 1000;
/** Senders whose last sequence is remembered, as keepalived does for multicast. */
const MAX_SENDERS = 8;

export type HmacSettings = Extract<Authentication, { kind: "hmac" }>;

export interface HmacScope {
  readonly family: Family;
  readonly version: number;
  readonly vrid: number;
}

/** Signs our adverts with a sequence that only grows, and checks those of others. */
export class HmacAuthenticator {
  readonly #settings: HmacSettings;
  readonly #scope: HmacScope;
  /** Last sequence sent: whole seconds and the 32 bits below them. */
  #sentSeconds = -1;
  #sentFraction = 0;
  /** By source address, oldest first (a Map keeps the order of insertion). */
  readonly #heard = new Map<string, { seconds: number; fraction: number }>();

  /** `before`: other keys or modes may come with a reload, but what was sent and heard stays. */
  constructor(settings: HmacSettings, scope: HmacScope, before?: HmacAuthenticator) {
    this.#settings = settings;
    this.#scope = scope;
    if (before === undefined) return;
    this.#sentSeconds = before.#sentSeconds;
    this.#sentFraction = before.#sentFraction;
    for (const [address, last] of before.#heard) this.#heard.set(address, last);
  }

  /** At or above the last sequence sent, as Unix time in whole ms; 0 = none was. */
  get sequence(): number {
    if (this.#sentSeconds < 0) return 0;
    return this.#sentSeconds * 1000 + Math.ceil(this.#sentFraction / FRACTION_OF_MS);
  }

  /** Goes on above what an earlier process sent; see `sequence`. */
  continueFrom(sequence: number): void {
    if (sequence <= this.sequence) return;
    this.#sentSeconds = Math.floor(sequence / 1000);
    this.#sentFraction = Math.floor((sequence % 1000) * FRACTION_OF_MS);
  }

  /** 0 in `receive-only` mode: nothing is appended. */
  get trailerLength(): number {
    return this.#settings.mode === "receive-only" ? 0 : HMAC_TRAILER_LENGTH;
  }

  /** Fills the trailer at `out[offset + messageLength]`. One call a logical advert. */
  sign(out: Uint8Array, message: Span, source: Uint8Array, wallMs: number): void {
    if (this.trailerLength === 0) return;
    this.#advanceSequence(wallMs);
    const at = message.offset + message.length;
    out.fill(0, at, at + HMAC_TRAILER_LENGTH);
    out[at] = TYPE_SHA256;
    out[at + 1] = this.#settings.activeKeyId;
    writeUint32(out, at + 4, this.#sentSeconds);
    writeUint32(out, at + 8, this.#sentFraction);
    const digest = this.#digest(out, message, source, this.#settings.activeKeyId);
    if (digest !== undefined) out.set(digest.subarray(0, DIGEST_LENGTH), at + DIGEST_OFFSET);
  }

  /** Undefined when the advert is authentic, or when a missing trailer is allowed. */
  verify(payload: Uint8Array, messageLength: number, from: Sender): RejectReason | undefined {
    const trailer = payload.length - messageLength;
    if (trailer === 0) {
      return this.#settings.mode === "enforce" ? "hmac-missing" : undefined;
    }
    if (trailer !== HMAC_TRAILER_LENGTH) return "hmac-malformed";
    const at = messageLength;
    if (payload[at] !== TYPE_SHA256) return "hmac-malformed";
    if (payload[at + 2] !== 0 || payload[at + 3] !== 0) return "hmac-malformed";
    const seconds = readUint32(payload, at + 4);
    const fraction = readUint32(payload, at + 8);
    // Before the digest, so that a flood of old captures costs little; this only ever rejects.
    if (this.#outsideWindow(seconds, from.wallMs)) return "hmac-stale";
    const message = { offset: 0, length: messageLength };
    const digest = this.#digest(payload, message, from.bytes, payload[at + 1]!);
    if (digest === undefined) return "hmac-unknown-key";
    if (!sameDigest(digest, payload, at + DIGEST_OFFSET)) return "hmac-digest";
    return this.#isReplay(seconds, fraction, from) ? "hmac-replay" : undefined;
  }

  #outsideWindow(seconds: number, wallMs: number): boolean {
    if (!this.#settings.antiReplay) return false;
    const off = Math.abs(Math.floor(wallMs / 1000) - seconds);
    return off > this.#settings.timeWindowMs / 1000;
  }

  /** Only reached with an authentic digest: forged packets never move what is remembered. */
  #isReplay(seconds: number, fraction: number, from: Sender): boolean {
    let last = this.#heard.get(from.address);
    // A mark outside the window orders nothing any more; it would lock out a sender whose clock
    // was set right.
    if (last !== undefined && this.#outsideWindow(last.seconds, from.wallMs)) last = undefined;
    if (last !== undefined && !isAfter(seconds, fraction, last)) return true;
    this.#heard.delete(from.address);
    if (this.#heard.size >= MAX_SENDERS) {
      for (const oldest of this.#heard.keys()) {
        this.#heard.delete(oldest);
        break;
      }
    }
    this.#heard.set(from.address, { seconds, fraction });
    return false;
  }

  /** The clock, or the last value plus one where the clock has not moved on. */
  #advanceSequence(wallMs: number): void {
    const seconds = Math.floor(wallMs / 1000);
    const fraction = (Math.floor(((wallMs - seconds * 1000) * 65536) / 1000) * 65536) >>> 0;
    const last = { seconds: this.#sentSeconds, fraction: this.#sentFraction };
    const ahead = last.seconds - seconds;
    const stranded = this.#settings.antiReplay && ahead * 1000 > this.#settings.timeWindowMs;
    if (last.seconds < 0 || stranded || isAfter(seconds, fraction, last)) {
      this.#sentSeconds = seconds;
      this.#sentFraction = fraction;
      return;
    }
    this.#sentFraction = (this.#sentFraction + 1) >>> 0;
    if (this.#sentFraction === 0) this.#sentSeconds++;
  }

  #digest(
    bytes: Uint8Array,
    message: Span,
    source: Uint8Array,
    keyId: number,
  ): Uint8Array | undefined {
    const key = this.#settings.keys.find((k) => k.id === keyId);
    if (key === undefined) return undefined;
    const pseudo = new Uint8Array(20);
    pseudo[0] = this.#scope.family === "ipv4" ? 4 : 6;
    pseudo[1] = this.#scope.version;
    pseudo[2] = this.#scope.vrid;
    pseudo.set(source, 4);
    const { offset, length } = message;
    const end = offset + length + DIGEST_OFFSET;
    return hmac
      .create(sha256, key.secret)
      .update(pseudo)
      .update(bytes.subarray(offset, offset + CHECKSUM_OFFSET))
      .update(new Uint8Array(2))
      .update(bytes.subarray(offset + CHECKSUM_OFFSET + 2, end))
      .update(new Uint8Array(DIGEST_LENGTH))
      .digest();
  }
}

export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Sender {
  readonly address: string;
  readonly bytes: Uint8Array;
  readonly wallMs: number;
}

/** RFC 1982 serial order over the 64-bit sequence. */
function isAfter(
  seconds: number,
  fraction: number,
  last: { readonly seconds: number; readonly fraction: number },
): boolean {
  const difference = (seconds - last.seconds) | 0;
  return difference > 0 || (difference === 0 && fraction > last.fraction);
}

/** Takes the same time whatever the first difference is. */
function sameDigest(digest: Uint8Array, bytes: Uint8Array, at: number): boolean {
  let difference = 0;
  for (let i = 0; i < DIGEST_LENGTH; i++) difference |= digest[i]! ^ bytes[at + i]!;
  return difference === 0;
}

function writeUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = (value >>> 16) & 0xff;
  out[at + 2] = (value >>> 8) & 0xff;
  out[at + 3] = value & 0xff;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
