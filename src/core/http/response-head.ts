/** A response head (RFC 9112 4) as a server sent it; the request decides about its body. */

import { FieldBlock, type HeadLimits, MORE } from "./field-block.ts";
import { fieldNumber } from "./field-names.ts";
import { codingRefusal, contentLength, type Framing } from "./framing.ts";
import { FIELD_VALUE, textOf } from "./octets.ts";

const LENGTH = fieldNumber("content-length");
const CODING = fieldNumber("transfer-encoding");
const KEEP_ALIVE = fieldNumber("keep-alive");

export class ResponseHead extends FieldBlock {
  /** 100-599. */
  status = 0;
  minor = 1;
  framing: Framing = "none";
  length = 0;
  keepAlive = true;
  /** 101 with an Upgrade that Connection names. */
  upgrade = false;
  #reasonFrom = 0;
  #reasonTo = 0;

  clear(): void {
    this.clearFields();
    this.resumeAt = 0;
  }

  /** As `RequestHead.parse`. `isHead`: it answers HEAD and has no body whatever it says. */
  parse(bytes: Uint8Array, from: number, to: number, limits: HeadLimits): number {
    this.moveTo(bytes, from);
    const end = to - from;
    const bound = Math.min(end, limits.bytes);
    if (this.resumeAt === 0) {
      const line = this.#readStatusLine(bound);
      if (line <= 0) return this.#short(line, end, limits);
      this.resumeAt = line;
    }
    const after = this.readFields(this.resumeAt, bound, limits);
    if (after <= 0) return this.#short(after, end, limits);
    const said = this.readConnection();
    this.keepAlive = this.minor === 1 ? (said & 1) === 0 : (said & 3) === 2;
    this.upgrade = this.status === 101 && (said & 4) !== 0;
    return from + after;
  }

  /**
   * The body's framing, once the method of the request is known (RFC 9112 6.3). Undefined = good;
   * otherwise the answer cannot be trusted and is not passed on.
   */
  frame(isHead: boolean): boolean {
    this.framing = "none";
    this.length = 0;
    const hasLength = this.has(LENGTH);
    const hasCoding = this.has(CODING);
    if (this.status < 200 || this.status === 204 || (this.status === 304 && !hasCoding)) {
      if (this.status === 304 && hasLength) return this.#learnLength();
      return true;
    }
    if (hasLength && hasCoding) return this.#bad("both-lengths");
    if (hasCoding) {
      const problem = this.minor === 1 ? codingRefusal(this) : "bad-transfer-encoding";
      if (problem !== undefined) return this.#bad(problem);
      if (!isHead && this.status !== 304) this.framing = "chunked";
      return true;
    }
    if (hasLength) {
      if (!this.#learnLength()) return false;
      if (!isHead && this.length > 0) this.framing = "length";
      return true;
    }
    if (!isHead) {
      this.framing = "close";
      this.keepAlive = false;
    }
    return true;
  }

  #learnLength(): boolean {
    const length = contentLength(this);
    if (typeof length === "string") return this.#bad(length);
    this.length = length;
    return true;
  }

  #bad(reason: Parameters<FieldBlock["refuse"]>[0]): boolean {
    this.refuse(reason);
    return false;
  }

  /** `Keep-Alive: timeout=5`: how long the server keeps an idle connection, ms; undefined: unsaid. */
  keepAliveMs(): number | undefined {
    const index = this.indexOf(KEEP_ALIVE);
    if (index < 0) return undefined;
    const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(this.valueText(index))?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  }

  get reasonFrom(): number {
    return this.base + this.#reasonFrom;
  }

  get reasonTo(): number {
    return this.base + this.#reasonTo;
  }

  reasonText(): string {
    return textOf(this.bytes, this.reasonFrom, this.reasonTo);
  }

  #short(result: number, end: number, limits: HeadLimits): number {
    return result === MORE && end >= limits.bytes ? this.refuse("head-too-large") : result;
  }

  #readStatusLine(end: number): number {
    const { bytes, base } = this;
    const start = "HTTP/1.";
    for (let i = 0; i < start.length; i++) {
      if (i >= end) return MORE;
      if (bytes[base + i] !== start.charCodeAt(i)) return this.refuse("bad-status");
    }
    let at = start.length;
    if (end < at + 5) return MORE;
    this.minor = bytes[base + at]! - 48;
    if (this.minor !== 0 && this.minor !== 1) return this.refuse("bad-version");
    if (bytes[base + at + 1] !== 32) return this.refuse("bad-status");
    this.status = 0;
    for (at += 2; at < start.length + 5; at++) {
      const digit = bytes[base + at]! - 48;
      if (digit < 0 || digit > 9) return this.refuse("bad-status");
      this.status = this.status * 10 + digit;
    }
    if (this.status < 100 || this.status > 599) return this.refuse("bad-status");
    if (at >= end) return MORE;
    // The space before an absent reason phrase is often left out.
    if (bytes[base + at] === 32) at++;
    else if (bytes[base + at] !== 13) return this.refuse("bad-status");
    this.#reasonFrom = at;
    while (at < end && FIELD_VALUE[bytes[base + at]!] === 1) at++;
    this.#reasonTo = at;
    if (at >= end) return MORE;
    if (bytes[base + at] !== 13) return this.refuse("bad-line-end");
    if (at + 1 >= end) return MORE;
    return bytes[base + at + 1] === 10 ? at + 2 : this.refuse("bad-line-end");
  }
}
