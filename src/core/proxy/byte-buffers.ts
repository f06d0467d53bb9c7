/**
 * Buffers lent to connections for as long as they have something to keep: an incomplete head, a
 * request that may have to be sent again, pipelined bytes. An idle connection holds none.
 */

import { assert } from "../../lib/assert.ts";

const SMALLEST = 4096;
/** Powers of two from 4 KiB to 32 MiB. */
const CLASSES = 14;
/** Free bytes kept per class for the next borrower; the rest is left to the garbage collector. */
const KEPT_BYTES_PER_CLASS = 8 * 1024 * 1024;

export class ByteBuffers {
  readonly #free: Uint8Array[][] = Array.from({ length: CLASSES }, () => []);
  #lentBytes = 0;

  /** Bytes out at the moment: zero when no connection keeps anything. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** At least `size` bytes; the content is whatever the last borrower left. */
  take(size: number): Uint8Array {
    const index = classOf(size);
    assert(index < CLASSES, "a connection asks for more bytes than any limit allows");
    const buffer = this.#free[index]!.pop() ?? new Uint8Array(SMALLEST << index);
    this.#lentBytes += buffer.length;
    return buffer;
  }

  give(buffer: Uint8Array): void {
    this.#lentBytes -= buffer.length;
    const free = this.#free[classOf(buffer.length)]!;
    if (free.length * buffer.length < KEPT_BYTES_PER_CLASS) free.push(buffer);
  }
}

function classOf(size: number): number {
  return size <= SMALLEST ? 0 : 20 - Math.clz32(size - 1);
}

/** Bytes in order, in one piece; borrows its buffer with the first byte and returns it when empty. */
export class ByteQueue {
  readonly #buffers: ByteBuffers;
  #bytes: Uint8Array = EMPTY;
  #from = 0;
  #to = 0;

  constructor(buffers: ByteBuffers) {
    this.#buffers = buffers;
  }

  get length(): number {
    return this.#to - this.#from;
  }

  /** The bytes are `bytes[from]` to `bytes[to - 1]`, until the next call that changes the queue. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get from(): number {
    return this.#from;
  }

  get to(): number {
    return this.#to;
  }

  append(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    const at = this.reserve(to - from);
    this.#to = at + to - from;
    const target = this.#bytes;
    // Up to here a loop is faster than the view that `set` needs.
    if (to - from > 96) target.set(bytes.subarray(from, to), at);
    else for (let i = from, j = at; i < to; i++, j++) target[j] = bytes[i] as number;
  }

  /** Makes room for `size` more bytes; gives the position where they go (in `bytes`). */
  reserve(size: number): number {
    if (this.#to + size > this.#bytes.length) this.#move(this.length + size);
    return this.#to;
  }

  /** Bytes up to `to` were written in place after `reserve`. */
  written(to: number): void {
    this.#to = to;
  }

  /** The first `count` bytes are done with. */
  drop(count: number): void {
    this.#from += count;
    if (this.#from === this.#to) this.clear();
  }

  clear(): void {
    if (this.#bytes !== EMPTY) this.#buffers.give(this.#bytes);
    this.#bytes = EMPTY;
    this.#from = 0;
    this.#to = 0;
  }

  /** To the front of the same buffer if that is enough, else into a larger one. */
  #move(size: number): void {
    const old = this.#bytes;
    if (size <= old.length) {
      old.copyWithin(0, this.#from, this.#to);
    } else {
      const larger = this.#buffers.take(Math.max(size, old.length * 2));
      if (old !== EMPTY) {
        larger.set(old.subarray(this.#from, this.#to));
        this.#buffers.give(old);
      }
      this.#bytes = larger;
    }
    this.#to -= this.#from;
    this.#from = 0;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
