/**
 * The hash that spreads keys over servers (MurmurHash3, 32 bits, public domain algorithm of Austin
 * Appleby). The same on every director, so that all of them send one key to one server. It keeps no
 * secret: who can choose keys can choose servers; the load bound is the answer to that.
 */

import { utf8Bytes } from "../../lib/text-bytes.ts";

/** Of `bytes[from]` to `bytes[to - 1]`: 0 to 2^32-1. No allocation. */
export function hashBytes(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  let hash = seed;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const block =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash ^= scramble(block);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = to - 1; i >= at; i--) rest = (rest << 8) | bytes[i]!;
  hash ^= scramble(rest) ^ (to - from);
  return mixed(hash);
}

/** Of the UTF-8 bytes of a text. */
export function hashText(text: string, seed = 0): number {
  const bytes = utf8Bytes(text);
  return hashBytes(bytes, 0, bytes.length, seed);
}

/** Another hash from a hash: every bit of the input moves half of the output's. */
export function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}
