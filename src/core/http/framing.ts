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
  if (head.repeats[CODING] !== 1) return "bad-transfer-encoding";
  const index = head.indexOf(CODING);
  const from = head.valueFrom(index);
  const to = head.valueTo(index);
  if (isText(head.bytes, from, to, "chunked")) return undefined;
  return isCodingList(head.bytes, from, to)
    ? "transfer-coding-not-implemented"
    : "bad-transfer-encoding";
}

const OTHER_CODINGS = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity", "br"];

/** A list of registered codings, `chunked` at most once and last. */
function isCodingList(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  for (;;) {
    while (at < to && bytes[at] === 32) at++;
    const start = at;
    while (at < to && TOKEN[bytes[at]!] === 1) at++;
    const isLast = at === to;
    if (isText(bytes, start, at, "chunked")) return isLast;
    if (!OTHER_CODINGS.some((coding) => isText(bytes, start, at, coding))) return false;
    if (isLast) return true;
    while (at < to && bytes[at] === 32) at++;
    if (bytes[at] !== 44) return false;
    at++;
  }
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
