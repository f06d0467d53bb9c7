/**
 * Writes heads anew from what was understood: octets that were not parsed never go further.
 * The caller provides the room; `overflow` tells that it was too little and nothing may be sent.
 */

import { latin1Bytes, writeDecimal } from "../../lib/text-bytes.ts";
import type { FieldBlock } from "./field-block.ts";
import { fieldNumber, FIELDS } from "./field-names.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

const HOST = fieldNumber("host");
const LENGTH = fieldNumber("content-length");
const EXPECT = fieldNumber("expect");
/** The empty line that ends a head always finds room. */
const END_ROOM = 2;
/** From here on `set` is cheaper than a loop, although it needs a view of what it copies. */
const SET_BYTES = 80;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const VERSION = latin1Bytes(" HTTP/1.1\r\n");
const STATUS = latin1Bytes("HTTP/1.1 ");
const HEX_DIGITS = latin1Bytes("0123456789abcdef");
const LENGTH_NAME = latin1Bytes("content-length: ");
const LINE_END = 2;
/** By field number: written by calls of their own. */
const OWN_CALLS = flags(HOST, LENGTH, EXPECT);
const NONE = flags();
/** Of a number that is written digit by digit. */
const MAX_DIGITS = 16;

export class HeadWriter {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  overflow = false;

  begin(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
    this.overflow = false;
  }

  /** Always HTTP/1.1. `target`: instead of the client's path and query. */
  requestLine(head: RequestHead, target?: string): void {
    this.span(head.bytes, head.methodFrom, head.methodTo);
    this.octet(SPACE);
    if (target !== undefined) this.text(target);
    else {
      if (head.pathFrom === head.pathTo) this.text("/");
      this.span(head.bytes, head.pathFrom, head.targetTo);
    }
    this.octets(VERSION);
  }

  /** The status line of a server's answer, always HTTP/1.1. */
  statusLine(head: ResponseHead): void {
    this.octets(STATUS);
    this.number(head.status);
    this.octet(SPACE);
    this.span(head.bytes, head.reasonFrom, head.reasonTo);
    this.lineEnd();
  }

  /**
   * All fields that may go further, except hop-by-hop ones, Host, Content-Length and Expect, which
   * are written by their own calls, and those of the numbers in `without` (flags by number).
   *
   * What stands there as it would be written, and stays, is copied in one piece.
   */
  fields(head: FieldBlock, without: Uint8Array = NONE): void {
    const { bytes, base, spans } = head;
    let from = -1;
    let to = -1;
    for (let i = 0; i < head.count; i++) {
      const number = head.numbers[i]!;
      if (head.hop[i] !== 0 || OWN_CALLS[number] === 1 || without[number] === 1) continue;
      const start = base + spans[i * 4]!;
      const nameTo = base + spans[i * 4 + 1]!;
      const valueFrom = base + spans[i * 4 + 2]!;
      const end = base + spans[i * 4 + 3]! + LINE_END;
      if (valueFrom - nameTo !== 2 || bytes[nameTo + 1] !== SPACE || bytes[end - 1] !== LF) {
        if (from >= 0) this.span(bytes, from, to);
        from = to = -1;
        this.fieldAt(head, i);
      } else if (start === to) {
        to = end;
      } else {
        if (from >= 0) this.span(bytes, from, to);
        from = start;
        to = end;
      }
    }
    if (from >= 0) this.span(bytes, from, to);
  }

  fieldAt(head: FieldBlock, index: number): void {
    this.span(head.bytes, head.nameFrom(index), head.nameTo(index));
    this.colon();
    this.span(head.bytes, head.valueFrom(index), head.valueTo(index));
    this.lineEnd();
  }

  /** `name` and `value` hold no line end; whoever makes them has seen to that. */
  field(name: string, value: string): void {
    this.text(name);
    this.colon();
    this.text(value);
    this.lineEnd();
  }

  /** A field whose value stands in `bytes`; `name` with its colon and space. */
  fieldOf(name: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
    this.octets(name);
    this.span(bytes, from, to);
    this.lineEnd();
  }

  contentLength(length: number): void {
    this.octets(LENGTH_NAME);
    this.number(length);
    this.lineEnd();
  }

  end(): void {
    this.lineEnd();
  }

  lineEnd(): void {
    this.#pair(CR, LF);
  }

  /** Between a name and its value. */
  colon(): void {
    this.#pair(COLON, SPACE);
  }

  octet(octet: number): void {
    if (!this.#lacks(1)) this.bytes[this.at++] = octet;
  }

  /** All of them: texts that are written again and again. */
  octets(bytes: Uint8Array): void {
    this.span(bytes, 0, bytes.length);
  }

  span(bytes: Uint8Array, from: number, to: number): void {
    if (this.#lacks(to - from)) return;
    const out = this.bytes;
    let at = this.at;
    if (to - from >= SET_BYTES) {
      out.set(bytes.subarray(from, to), at);
      this.at = at + to - from;
      return;
    }
    for (let i = from; i < to; i++) out[at++] = bytes[i]!;
    this.at = at;
  }

  /** ASCII (or Latin-1). */
  text(text: string): void {
    if (this.#lacks(text.length)) return;
    const out = this.bytes;
    let at = this.at;
    for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /** Of a whole number from 0 to 2^53. */
  number(value: number): void {
    if (!this.#lacks(MAX_DIGITS)) this.at = writeDecimal(this.bytes, this.at, value);
  }

  /** 32 bits as eight hexadecimal digits. */
  hex32(value: number): void {
    if (this.#lacks(8)) return;
    const out = this.bytes;
    let at = this.at;
    for (let shift = 28; shift >= 0; shift -= 4) out[at++] = HEX_DIGITS[(value >>> shift) & 15]!;
    this.at = at;
  }

  #pair(first: number, second: number): void {
    if (this.#lacks(2)) return;
    const { bytes, at } = this;
    bytes[at] = first;
    bytes[at + 1] = second;
    this.at = at + 2;
  }

  #lacks(length: number): boolean {
    if (this.at + length + END_ROOM > this.bytes.length) this.overflow = true;
    return this.overflow;
  }
}

function flags(...numbers: readonly number[]): Uint8Array {
  const all = new Uint8Array(FIELDS.length + 1);
  for (const number of numbers) all[number] = 1;
  return all;
}
