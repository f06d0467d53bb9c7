/** The text of addresses in packets, made once: the same few senders come again and again. */

import { formatIp } from "../lib/ip-address.ts";

/** A sender that makes up sources costs a new text each time, but no memory. */
const MAX_KNOWN = 1024;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export class AddressTexts {
  readonly #known = new Map<number, Known>();

  /** Canonical text of the 4 or 16 bytes at `offset`. Allocates nothing for a known address. */
  text(bytes: Uint8Array, offset: number, length: 4 | 16): string {
    let hash: number = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[offset + i]!) | 0;
    const known = this.#known.get(hash);
    if (known !== undefined && isSame(known.bytes, bytes, offset, length)) return known.text;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const text = formatIp(bytes, offset, length);
    this.#known.set(hash, { bytes: bytes.slice(offset, offset + length), text });
    return text;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[offset + i]) return false;
  return true;
}
