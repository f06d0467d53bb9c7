/** Text to bytes and back where no TextEncoder exists and a hot path must not make strings. */

import { assert } from "./assert.ts";

/** UTF-8. A lone surrogate becomes U+FFFD, as everywhere. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (const letter of text) {
    let code = letter.codePointAt(0) as number;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    bytes[at++] = ((0xff << (7 - more)) & 0xff) | (code >> (6 * more));
    for (let shift = 6 * (more - 1); shift >= 0; shift -= 6) {
      bytes[at++] = 0x80 | ((code >> shift) & 0x3f);
    }
  }
  return bytes.slice(0, at);
}

/** Writes text known to be ASCII (ours, never a client's); gives the position after it. */
export function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
  return at;
}

/** One byte per letter (ISO 8859-1), of a letter beyond that its lowest eight bits. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeAscii(bytes, 0, text);
  return bytes;
}

/** Digits of a whole number from 0 to 2^53. */
export function writeDecimal(out: Uint8Array, at: number, value: number): number {
  assert(value >= 0 && value <= Number.MAX_SAFE_INTEGER, "not a whole number to be written");
  let end = at + 1;
  for (let limit = 10; limit <= value; limit *= 10) end++;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const digit = rest % 10;
    out[i] = 48 + digit;
    rest = (rest - digit) / 10;
  }
  return end;
}

/** One letter per byte (ISO 8859-1): loses nothing, whatever a client sent. */
export function latin1Text(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(to, at + 4096)));
  }
  return text;
}

const UTF8_LETTER = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf3][\x80-\xbf]{3}/g;

/** Letters of UTF-8; bytes that are none, or were cut off, one letter each as in `latin1Text`. */
export function utf8Text(bytes: Uint8Array): string {
  return latin1Text(bytes, 0, bytes.length).replace(UTF8_LETTER, (octets) => {
    let code = octets.charCodeAt(0) & (0x7f >> octets.length);
    for (let i = 1; i < octets.length; i++) code = (code << 6) | (octets.charCodeAt(i) & 0x3f);
    return String.fromCodePoint(code);
  });
}

/**
 * Octets of the letter beyond ASCII that begins here; 0: it is none, is cut off, or controls a terminal
 * (U+0080 to U+009F). RFC 3629 4.
 */
export function utf8Length(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let i = at + 1; i < at + length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] as number;
  // Longer than it had to be, half of a pair, or beyond the last letter.
  const [least, most] = SECOND_OCTETS.get(first) ?? [0x80, 0xbf];
  return second >= least && second <= most ? length : 0;
}

/** Where not every second octet will do. */
const SECOND_OCTETS: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0xc2, [0xa0, 0xbf]],
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);
