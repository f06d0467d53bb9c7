/**
 * The request as it goes to a server, byte by byte. It is kept whole as long as it may have to be
 * sent again, and only what is not out yet after that.
 */

import { writeAscii } from "../../lib/text-bytes.ts";
import { type ByteBuffers, ByteQueue } from "./byte-buffers.ts";
import type { ServerConnection } from "./server-connection.ts";

/** `ffffffff` and two line ends around a chunk. */
const CHUNK_FRAME = 12;

export class OutboundRequest {
  readonly #kept: ByteQueue;
  /** Of the kept bytes, by the attempt that runs. */
  #sent = 0;
  #whole = true;
  #headLength = 0;
  #bodyLimit = 0;

  constructor(buffers: ByteBuffers) {
    this.#kept = new ByteQueue(buffers);
  }

  /** The head is written to `bytes` from the position given; then `headWritten`. */
  begin(headBytes: number, bodyLimit: number): number {
    this.clear();
    this.#bodyLimit = bodyLimit;
    return this.#kept.reserve(headBytes);
  }

  get bytes(): Uint8Array {
    return this.#kept.bytes;
  }

  headWritten(to: number): void {
    this.#kept.written(to);
    this.#headLength = this.#kept.length;
  }

  /** From its first byte, so that it can be sent again. */
  get whole(): boolean {
    return this.#whole;
  }

  get sentAnything(): boolean {
    return !this.#whole || this.#sent > 0;
  }

  /** Payload bytes that may be added without giving up the beginning. */
  get room(): number {
    if (!this.#whole) return 0;
    return Math.max(0, this.#headLength + this.#bodyLimit - this.#kept.length - CHUNK_FRAME);
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    this.#kept.append(bytes, from, to);
  }

  /** Payload as one chunk of the chunked coding (RFC 9112 7.1). */
  addChunk(bytes: Uint8Array, from: number, to: number): void {
    const at = this.#kept.reserve(CHUNK_FRAME + to - from);
    const end = writeChunkHead(this.#kept.bytes, at, to - from);
    this.#kept.written(end);
    this.#kept.append(bytes, from, to);
    this.addText("\r\n");
  }

  addText(text: string): void {
    const at = this.#kept.reserve(text.length);
    this.#kept.written(writeAscii(this.#kept.bytes, at, text));
  }

  /** Sends what is not out yet. False: the wire is full. */
  flush(server: Pick<ServerConnection, "send">): boolean {
    const { bytes, from, to } = this.#kept;
    const unsent = from + this.#sent;
    if (unsent === to) return true;
    const more = server.send(bytes, unsent, to);
    if (this.#whole) this.#sent = to - from;
    else this.#kept.clear();
    return more;
  }

  /** Another attempt: everything is to be sent anew. */
  rewind(): void {
    this.#sent = 0;
  }

  /** It will not be sent again: what is out is forgotten. */
  release(): void {
    if (!this.#whole) return;
    this.#whole = false;
    this.#kept.drop(this.#sent);
    this.#sent = 0;
  }

  clear(): void {
    this.#kept.clear();
    this.#sent = 0;
    this.#whole = true;
    this.#headLength = 0;
  }
}

/** Hexadecimal size and line end; gives the position after them. */
export function writeChunkHead(out: Uint8Array, at: number, size: number): number {
  let shift = 28;
  while (shift > 0 && size >>> shift === 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const digit = (size >>> shift) & 15;
    out[at++] = digit < 10 ? 48 + digit : 87 + digit;
  }
  out[at] = 13;
  out[at + 1] = 10;
  return at + 2;
}
