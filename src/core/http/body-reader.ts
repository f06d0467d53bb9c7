/**
 * Finds the payload of a body in octets as they come (RFC 9112 6, 7). Chunk extensions are
 * dropped, trailers kept; both bounded.
 */

import { FieldBlock, type HeadLimits } from "./field-block.ts";
import { fieldNumber } from "./field-names.ts";
import type { Framing } from "./framing.ts";
import { FIELD_VALUE, HEX } from "./octets.ts";
import type { RefusalReason } from "./refusals.ts";

const MAX_SIZE_DIGITS = 13;
/** Octets of all chunk extensions of one body. */
const MAX_EXTENSIONS = 4096;
const TRAILER_LIMITS: HeadLimits = { bytes: 8192, fields: 32 };

const CHUNK = {
  size: 0,
  extension: 1,
  sizeLf: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  trailer: 6,
} as const;
type ChunkState = (typeof CHUNK)[keyof typeof CHUNK];

/** A trailer section; fields that would change the framing or the routing are refused. */
export class Trailers extends FieldBlock {
  #buffer = new Uint8Array(TRAILER_LIMITS.bytes);
  #filled = 0;

  clear(): void {
    this.clearFields();
    this.#filled = 0;
    this.resumeAt = 0;
  }

  /** Octets taken of what is given; the section is complete when `done`. -1 = refused. */
  take(bytes: Uint8Array, from: number, to: number): number {
    const before = this.#filled;
    const room = Math.min(to - from, this.#buffer.length - before);
    this.#buffer.set(bytes.subarray(from, from + room), before);
    this.#filled += room;
    this.moveTo(this.#buffer, 0);
    const after = this.readFields(this.resumeAt, this.#filled, TRAILER_LIMITS);
    if (after > 0) {
      this.done = true;
      return this.#hasForbidden() ? this.refuse("bad-trailer") : after - before;
    }
    if (after < 0 || this.#filled === this.#buffer.length) return this.refuse("bad-trailer");
    return room;
  }

  done = false;

  #hasForbidden(): boolean {
    return FORBIDDEN.some((number) => this.has(number));
  }
}

const FORBIDDEN: readonly number[] = (
  [
    "content-length",
    "transfer-encoding",
    "host",
    "connection",
    "trailer",
    "set-cookie",
    "authorization",
    "content-type",
    "expect",
    "te",
    "upgrade",
    "cookie",
  ] as const
).map((name) => fieldNumber(name));

export class BodyReader {
  /** The payload that the last `consume` found; empty when equal. */
  from = 0;
  to = 0;
  done = true;
  refused: RefusalReason | undefined;
  /** Payload octets so far. */
  total = 0;
  #framing: Framing = "none";
  #left = 0;
  #state: ChunkState = CHUNK.size;
  #digits = 0;
  #extensions = 0;
  #trailers: Trailers | undefined;
  #hasTrailers = false;

  /** `length`: of framing `length`. */
  begin(framing: Framing, length: number): void {
    this.#framing = framing;
    this.#left = framing === "length" ? length : 0;
    this.#state = CHUNK.size;
    this.#digits = this.#extensions = 0;
    this.#hasTrailers = false;
    this.from = this.to = this.total = 0;
    this.refused = undefined;
    this.done = framing === "none" || (framing === "length" && length === 0);
  }

  /** Payload octets that follow for certain: of the body, or of the chunk; 0 when nobody knows. */
  get left(): number {
    return this.#left;
  }

  get framing(): Framing {
    return this.#framing;
  }

  /** Trailer fields of a finished chunked body; undefined = none. */
  get trailers(): Trailers | undefined {
    return this.#hasTrailers ? this.#trailers : undefined;
  }

  /**
   * Takes octets until a stretch of payload ends, the body ends or nothing is left; gives the
   * position of the next octet that it did not take. Call again while `!done` and octets are left.
   * After `refused` nothing is taken any more.
   */
  consume(bytes: Uint8Array, from: number, to: number): number {
    this.from = this.to = from;
    if (this.done || this.refused !== undefined) return from;
    if (this.#framing === "chunked") return this.#consumeChunked(bytes, from, to);
    this.to = this.#framing === "close" ? to : Math.min(to, from + this.#left);
    this.total += this.to - from;
    if (this.#framing === "length") {
      this.#left -= this.to - from;
      this.done = this.#left === 0;
    }
    return this.to;
  }

  /** The connection ended: only a body that lasts until then is whole. */
  end(): boolean {
    if (this.#framing === "close") this.done = true;
    return this.done;
  }

  #consumeChunked(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      if (this.#state === CHUNK.data) {
        this.from = at;
        this.to = Math.min(to, at + this.#left);
        this.#left -= this.to - at;
        this.total += this.to - at;
        if (this.#left === 0) this.#state = CHUNK.dataCr;
        return this.to;
      }
      if (this.#state === CHUNK.trailer) {
        const taken = this.#trailers!.take(bytes, at, to);
        if (taken < 0) return this.#refuse("bad-trailer", at);
        at += taken;
        this.done = this.#trailers!.done;
        this.#hasTrailers = this.done && this.#trailers!.count > 0;
        if (this.done) break;
        continue;
      }
      if (!this.#chunkOctet(bytes[at]!)) return this.#refuse("bad-chunk", at);
      at++;
    }
    this.from = this.to = at;
    return at;
  }

  #chunkOctet(octet: number): boolean {
    switch (this.#state) {
      case CHUNK.size:
        return this.#sizeOctet(octet);
      case CHUNK.extension:
        if (octet === 13) this.#state = CHUNK.sizeLf;
        else return FIELD_VALUE[octet] === 1 && ++this.#extensions <= MAX_EXTENSIONS;
        return true;
      case CHUNK.sizeLf:
        this.#state = this.#left > 0 ? CHUNK.data : CHUNK.trailer;
        if (this.#left === 0) this.#beginTrailers();
        return octet === 10;
      case CHUNK.dataCr:
        this.#state = CHUNK.dataLf;
        return octet === 13;
      default:
        this.#state = CHUNK.size;
        this.#digits = 0;
        return octet === 10;
    }
  }

  #sizeOctet(octet: number): boolean {
    const digit = HEX[octet]!;
    if (digit < 255) {
      this.#left = this.#left * 16 + digit;
      return ++this.#digits <= MAX_SIZE_DIGITS;
    }
    if (this.#digits === 0) return false;
    if (octet === 13) this.#state = CHUNK.sizeLf;
    else if (octet === 59) this.#state = CHUNK.extension;
    else return false;
    return true;
  }

  #beginTrailers(): void {
    this.#trailers ??= new Trailers();
    this.#trailers.clear();
    this.#trailers.done = false;
  }

  #refuse(reason: RefusalReason, at: number): number {
    this.refused = reason;
    this.from = this.to = at;
    return at;
  }
}
