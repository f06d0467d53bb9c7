/**
 * Writes heads anew from what was understood: octets that were not parsed never go further.
 * The caller provides the room; `overflow` tells that it was too little and nothing may be sent.
 */

import { writeDecimal } from "../../lib/text-bytes.ts";
import type { FieldBlock } from "./field-block.ts";
import { fieldNumber } from "./field-names.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

const HOST = fieldNumber("host");
const LENGTH = fieldNumber("content-length");
const EXPECT = fieldNumber("expect");
const CRLF = 2;
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
    this.text(" ");
    if (target !== undefined) this.text(target);
    else {
      if (head.pathFrom === head.pathTo) this.text("/");
      this.span(head.bytes, head.pathFrom, head.targetTo);
    }
    this.text(" HTTP/1.1\r\n");
  }

  /** The status line of a server's answer, always HTTP/1.1. */
  statusLine(head: ResponseHead): void {
    this.text("HTTP/1.1 ");
    this.number(head.status);
    this.text(" ");
    this.span(head.bytes, head.reasonFrom, head.reasonTo);
    this.text("\r\n");
  }

  /**
   * All fields that may go further, except hop-by-hop ones, Host, Content-Length and Expect, which
   * are written by their own calls, and those of the numbers in `without` (flags by number).
   */
  fields(head: FieldBlock, without?: Uint8Array): void {
    for (let i = 0; i < head.count; i++) {
      const number = head.numbers[i]!;
      if (head.hop[i] === 1 || number === HOST || number === LENGTH || number === EXPECT) continue;
      if (without !== undefined && without[number] === 1 && number > 0) continue;
      this.fieldAt(head, i);
    }
  }

  fieldAt(head: FieldBlock, index: number): void {
    this.span(head.bytes, head.nameFrom(index), head.nameTo(index));
    this.text(": ");
    this.span(head.bytes, head.valueFrom(index), head.valueTo(index));
    this.text("\r\n");
  }

  /** `name` and `value` hold no line end; whoever makes them has seen to that. */
  field(name: string, value: string): void {
    this.text(name);
    this.text(": ");
    this.text(value);
    this.text("\r\n");
  }

  /** A field whose value stands in `bytes`. */
  fieldOf(name: string, bytes: Uint8Array, from: number, to: number): void {
    this.text(name);
    this.text(": ");
    this.span(bytes, from, to);
    this.text("\r\n");
  }

  contentLength(length: number): void {
    this.text("content-length: ");
    this.number(length);
    this.text("\r\n");
  }

  end(): void {
    this.text("\r\n");
  }

  span(bytes: Uint8Array, from: number, to: number): void {
    if (this.#lacks(to - from)) return;
    const out = this.bytes;
    let at = this.at;
    // Shorter than what a call of `set` and `subarray` costs.
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
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15;
      out[at++] = digit < 10 ? 48 + digit : 87 + digit;
    }
    this.at = at;
  }

  #lacks(length: number): boolean {
    if (this.at + length + CRLF > this.bytes.length) this.overflow = true;
    return this.overflow;
  }
}
