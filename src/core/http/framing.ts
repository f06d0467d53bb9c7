/** How long a body is (RFC 9112 6.3), from fields that are looked at with mistrust. */

import { fieldNumber } from "./field-names.ts";
import type { FieldBlock } from "./field-block.ts";
import { isText, LOWER, TOKEN } from "./octets.ts";
import type { RefusalReason } from "./refusals.ts";

export type Framing = "none" | "length" | "chunked" | "close";

const LENGTH = fieldNumber("content-length");
const CODING = fieldNumber("transfer-encoding");
/** 10^15 - 1 octets are enough, and exact as a number. */
const MAX_LENGTH_DIGITS = 15;

/** Length that the one Content-Length field gives, or why it cannot be believed. */
export function contentLength(head: FieldBlock): number | RefusalReason {
  if (head.repeats[LENGTH] !== 1) return "bad-content-length";
  const index = head.indexOf(LENGTH);
  const from = head.valueFrom(index);
  const to = head.valueTo(index);
  if (to === from || to - from > MAX_LENGTH_DIGITS) return "bad-content-length";
  let length = 0;
  for (let i = from; i < to; i++) {
    const digit = head.bytes[i]! - 48;
    if (digit < 0 || digit > 9) return "bad-content-length";
    length = length * 10 + digit;
  }
  return length;
}

/** Undefined: exactly `chunked`. A well-formed list of codings that we do not speak is a 501. */
export function codingRefusal(head: FieldBlock): RefusalReason | undefined {
  const first = head.indexOf(CODING);
  if (head.repeats[CODING] === 1) {
    if (isText(head.bytes, head.valueFrom(first), head.valueTo(first), "chunked")) return undefined;
  }
  const said: Codings = { chunked: 0, afterChunked: false };
  for (let i = first; i < head.count; i++) {
    if (head.numbers[i] !== CODING) continue;
    if (!readCodings(head.bytes, [head.valueFrom(i), head.valueTo(i)], said)) {
      return "bad-transfer-encoding";
    }
  }
  return said.chunked > 1 || said.afterChunked
    ? "bad-transfer-encoding"
    : "transfer-coding-not-implemented";
}

const OTHER_CODINGS = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity", "br"];

interface Codings {
  chunked: number;
  /** Another coding came after `chunked`, which has to be the last. */
  afterChunked: boolean;
}

/** A list of registered codings with parameters (RFC 9112 7); false = something else. */
function readCodings(
  bytes: Uint8Array,
  [from, to]: readonly [number, number],
  said: Codings,
): boolean {
  let at = from;
  for (;;) {
    while (at < to && isBlank(bytes[at]!)) at++;
    const start = at;
    while (at < to && TOKEN[bytes[at]!] === 1) at++;
    if (said.chunked > 0) said.afterChunked = true;
    if (isText(bytes, start, at, "chunked")) said.chunked++;
    else if (!OTHER_CODINGS.some((coding) => isText(bytes, start, at, coding))) return false;
    while (at < to && isBlank(bytes[at]!)) at++;
    if (bytes[at] === SEMICOLON) while (at < to && bytes[at] !== COMMA) at++;
    if (at >= to) return true;
    if (bytes[at] !== COMMA) return false;
    at++;
  }
}

const SEMICOLON = 59;
const COMMA = 44;

function isBlank(octet: number): boolean {
  return octet === 32 || octet === 9;
}

/**
 * Whether a field that is neither Content-Length nor Transfer-Encoding reads like one when
 * everything but letters is left out: `Transfer_Encoding`, `Content-Length-`. Some servers take it
 * for the real one.
 */
export function hasDisguisedFraming(head: FieldBlock): boolean {
  for (let i = 0; i < head.count; i++) {
    if (head.numbers[i] !== 0) continue;
    const from = head.nameFrom(i);
    const length = head.nameTo(i) - from;
    if (length < 12 || length > 24) continue;
    if (spells(head.bytes, from, length, "contentlength")) return true;
    if (spells(head.bytes, from, length, "transferencoding")) return true;
  }
  return false;
}

function spells(bytes: Uint8Array, from: number, length: number, word: string): boolean {
  let matched = 0;
  for (let i = from; i < from + length; i++) {
    const octet = LOWER[bytes[i]!]!;
    if (octet < 97 || octet > 122) continue;
    if (octet !== word.charCodeAt(matched++)) return false;
  }
  return matched === word.length;
}
