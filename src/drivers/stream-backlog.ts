/** What a connection has to send and the kernel did not take yet. */

import { EAGAIN, type NativeMemory } from "./ffi.ts";
import { sendStream } from "./stream-calls.ts";
import type { StreamLoop } from "./stream-loop.ts";

/** In pieces lent by the loop. */
export class Backlog {
  readonly #loop: StreamLoop;
  readonly #chunks: NativeMemory[] = [];
  /** Where the first chunk starts and the last one ends. */
  #from = 0;
  #to = 0;
  length = 0;

  constructor(loop: StreamLoop) {
    this.#loop = loop;
  }

  append(bytes: Uint8Array, from: number, to: number): void {
    while (from < to) {
      let last = this.#chunks.at(-1);
      if (last === undefined || this.#to === last.bytes.length) {
        last = this.#loop.takeChunk();
        this.#chunks.push(last);
        this.#to = 0;
      }
      const count = Math.min(to - from, last.bytes.length - this.#to);
      last.bytes.set(bytes.subarray(from, from + count), this.#to);
      this.#to += count;
      this.length += count;
      from += count;
    }
  }

  /** As much as the kernel takes; `-errno` when the connection is broken. */
  send(fd: number): number {
    while (this.length > 0) {
      const chunk = this.#chunks[0]!;
      const end = this.#chunks.length === 1 ? this.#to : chunk.bytes.length;
      const result = sendStream(fd, chunk.address + this.#from, end - this.#from);
      if (result < 0) return result === -EAGAIN ? 0 : result;
      this.#from += result;
      this.length -= result;
      if (this.#from < end) return 0;
      this.#from = 0;
      this.#loop.giveChunk(chunk);
      this.#chunks.shift();
    }
    return 0;
  }

  clear(): void {
    for (const chunk of this.#chunks.splice(0)) this.#loop.giveChunk(chunk);
    this.#from = 0;
    this.#to = 0;
    this.length = 0;
  }
}
