/** Reads numbers and texts of binary answers; past the end everything is 0 and empty. */

import { latin1Text } from "../../lib/text-bytes.ts";

const NOTHING = new Uint8Array(0);

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return Math.max(0, this.bytes.length - this.at);
  }

  u8(): number {
    return this.bytes[this.at++] ?? 0;
  }

  u16be(): number {
    return (this.u8() << 8) | this.u8();
  }

  u32be(): number {
    return this.u16be() * 0x10000 + this.u16be();
  }

  u16le(): number {
    return this.u8() | (this.u8() << 8);
  }

  u24le(): number {
    return this.u16le() | (this.u8() << 16);
  }

  take(count: number): Uint8Array {
    if (count > this.left) {
      this.at = this.bytes.length;
      return NOTHING;
    }
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Up to the next zero, which is passed. */
  zeroEnded(): Uint8Array {
    const end = this.bytes.indexOf(0, this.at);
    const bytes = this.take((end < 0 ? this.bytes.length : end) - this.at);
    this.at++;
    return bytes;
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }
}

export function textOf(bytes: Uint8Array): string {
  return latin1Text(bytes, 0, bytes.length);
}
