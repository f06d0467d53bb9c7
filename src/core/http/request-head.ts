/**
 * A request head (RFC 9112 3), refused unless it can be read in one way only. One object per
 * connection, used for request after request.
 */

import { FieldBlock, type HeadLimits, MORE } from "./field-block.ts";
import { fieldNumber } from "./field-names.ts";
import { codingRefusal, contentLength, type Framing, hasDisguisedFraming } from "./framing.ts";
import type { RefusalReason } from "./refusals.ts";
import { HEX, HOST, isText, sameText, TARGET, textOf, TOKEN } from "./octets.ts";

export type MethodKind =
  | "GET"
  | "HEAD"
  | "POST"
  | "PUT"
  | "DELETE"
  | "OPTIONS"
  | "PATCH"
  | "TRACE"
  | "other";
/** origin `/path`, absolute `http://host/path`, asterisk `*` (RFC 9112 3.2). */
export type TargetForm = "origin" | "absolute" | "asterisk";

const METHODS: readonly MethodKind[] = [
  "GET",
  "POST",
  "HEAD",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
];
const CONNECTION_SCHEMES = ["ntlm", "negotiate"];
const MAX_METHOD = 24;
const HASH = 35;
const SLASH = 47;
/** A dot segment that begins or ends at `%2F`. */
const HIDDEN_DOTS = /%2f(?:\.|%2e){1,2}(?:\/|%2f|$)|(?:\/|^)(?:\.|%2e){1,2}%2f/i;
const HOST_FIELD = fieldNumber("host");
const LENGTH = fieldNumber("content-length");
const CODING = fieldNumber("transfer-encoding");
const EXPECT = fieldNumber("expect");
const AUTHORIZATION = fieldNumber("authorization");
const UPGRADE = fieldNumber("upgrade");

export class RequestHead extends FieldBlock {
  method: MethodKind = "other";
  form: TargetForm = "origin";
  /** 1 = HTTP/1.1, 0 = HTTP/1.0. */
  minor = 1;
  framing: Framing = "none";
  /** Of framing `length`. */
  length = 0;
  keepAlive = true;
  expectContinue = false;
  /** An Upgrade field that Connection names; only of HTTP/1.1. */
  upgrade = false;
  /** Legal, but it leaves the connection to the server in a state that servers differ about: not used again. */
  ambiguous = false;
  #methodTo = 0;
  #targetFrom = 0;
  #targetTo = 0;
  #pathFrom = 0;
  #pathTo = 0;
  #hostFrom = 0;
  #hostTo = 0;

  /** Before each new message. */
  clear(): void {
    this.clearFields();
    this.method = "other";
    this.resumeAt = 0;
    this.#pathTo = 0;
  }

  /**
   * Reads the head that starts at `from`. Gives the position after it, MORE (0) or REFUSED (-1)
   * with `refused`. After MORE call again with the same octets and more of them; what was read is
   * not read again.
   */
  parse(bytes: Uint8Array, from: number, to: number, limits: HeadLimits): number {
    this.moveTo(bytes, from);
    const end = to - from;
    if (this.resumeAt === 0) {
      const line = this.#readRequestLine(Math.min(end, limits.bytes));
      if (line <= 0) return this.#short(line, end, limits);
      this.resumeAt = line;
    }
    const after = this.readFields(this.resumeAt, Math.min(end, limits.bytes), limits);
    if (after <= 0) return this.#short(after, end, limits);
    const problem = this.#judge();
    return problem < 0 ? problem : from + after;
  }

  #short(result: number, end: number, limits: HeadLimits): number {
    return result === MORE && end >= limits.bytes ? this.refuse("head-too-large") : result;
  }

  #readRequestLine(end: number): number {
    const { bytes, base } = this;
    let at = 0;
    // One empty line before a request is forgiven (RFC 9112 2.2).
    if (end > 0 && bytes[base] === 13) {
      if (end < 2) return MORE;
      if (bytes[base + 1] !== 10) return this.refuse("bad-line-end");
      this.base += 2;
      const after = this.#readLineAt(0, end - 2);
      this.base -= 2;
      if (after <= 0) return after;
      this.#shift(2);
      return after + 2;
    }
    return this.#readLineAt(at, end);
  }

  #shift(by: number): void {
    this.#methodFrom += by;
    this.#methodTo += by;
    this.#targetFrom += by;
    this.#targetTo += by;
    this.#pathFrom += by;
    this.#pathTo += by;
    this.#hostFrom += by;
    this.#hostTo += by;
  }

  #methodFrom = 0;

  #readLineAt(at: number, end: number): number {
    const { bytes, base } = this;
    this.#methodFrom = at;
    while (at < end && TOKEN[bytes[base + at]!] === 1 && at <= MAX_METHOD) at++;
    if (at === end) return MORE;
    if (bytes[base + at] !== 32 || at === this.#methodFrom) return this.refuse("bad-method");
    this.#methodTo = at;
    this.method = methodOf(bytes, base, base + at);
    if (this.method === "other" && isText(bytes, base, base + at, "connect")) {
      return this.refuse("method-not-implemented");
    }
    this.#targetFrom = ++at;
    while (at < end && TARGET[bytes[base + at]!] === 1) at++;
    if (at === end) return MORE;
    this.#targetTo = at;
    if (bytes[base + at] !== 32 || at === this.#targetFrom) return this.refuse("bad-target");
    const target = this.#readTarget();
    if (target < 0) return target;
    at++;
    const version = "HTTP/1.";
    for (let i = 0; i < version.length; i++) {
      if (at + i >= end) return MORE;
      if (bytes[base + at + i] !== version.charCodeAt(i)) return this.refuse("bad-version");
    }
    at += version.length;
    if (at + 2 >= end) return this.#lineEndSoFar(at, end);
    this.minor = bytes[base + at]! - 48;
    if (this.minor !== 0 && this.minor !== 1) return this.refuse("bad-version");
    if (bytes[base + at + 1] !== 13) {
      return this.refuse(bytes[base + at + 1] === 10 ? "bad-line-end" : "bad-version");
    }
    return bytes[base + at + 2] === 10 ? at + 3 : this.refuse("bad-line-end");
  }

  /** What is there of `1 CR LF` may already be wrong. */
  #lineEndSoFar(at: number, end: number): number {
    const { bytes, base } = this;
    if (at < end && bytes[base + at] !== 48 && bytes[base + at] !== 49) {
      return this.refuse("bad-version");
    }
    if (at + 1 < end && bytes[base + at + 1] !== 13) {
      return this.refuse(bytes[base + at + 1] === 10 ? "bad-line-end" : "bad-version");
    }
    return MORE;
  }

  /** 0 = good. Sets the form, the path without query, and the host of the absolute form. */
  #readTarget(): number {
    const { bytes, base } = this;
    const from = this.#targetFrom;
    // A fragment is for the client alone: it goes no further (RFC 9110 7.1).
    let to = from;
    while (to < this.#targetTo && bytes[base + to] !== HASH) to++;
    this.#targetTo = to;
    this.#hostFrom = this.#hostTo = 0;
    let path = from;
    if (bytes[base + from] === 47) this.form = "origin";
    else if (to - from === 1 && bytes[base + from] === 42 && this.method === "OPTIONS") {
      this.form = "asterisk";
    } else {
      const scheme = schemeLength(bytes, base + from, base + to);
      if (scheme === 0) return this.refuse("bad-target");
      this.form = "absolute";
      this.#hostFrom = path = from + scheme;
      while (path < to && HOST[bytes[base + path]!] === 1) path++;
      this.#hostTo = path;
      const next = path < to ? bytes[base + path]! : 47;
      if (path === this.#hostFrom || (next !== 47 && next !== 63)) return this.refuse("bad-target");
    }
    this.#pathFrom = path;
    while (path < to && bytes[base + path] !== 63) path++;
    this.#pathTo = path;
    const problem = pathProblem(bytes, base + this.#pathFrom, base + path);
    return problem === undefined ? 0 : this.refuse(problem);
  }

  #judge(): number {
    const said = this.readConnection();
    this.keepAlive = this.minor === 1 ? (said & 1) === 0 : (said & 3) === 2;
    this.upgrade = this.minor === 1 && (said & 4) !== 0 && this.has(UPGRADE);
    const host = this.#judgeHost();
    return host < 0 ? host : this.#judgeBody();
  }

  #judgeHost(): number {
    const { bytes, base } = this;
    const hosts = this.repeats[HOST_FIELD]!;
    if (hosts > 1 || (hosts === 0 && this.minor === 1)) return this.refuse("bad-host");
    if (hosts === 0) return 0;
    const index = this.indexOf(HOST_FIELD);
    const from = this.valueFrom(index);
    const to = this.valueTo(index);
    if (!isHost(bytes, from, to)) return this.refuse("bad-host");
    if (this.form === "absolute") {
      if (!isHost(bytes, base + this.#hostFrom, base + this.#hostTo))
        return this.refuse("bad-host");
      const length = this.#hostTo - this.#hostFrom;
      if (length !== to - from || !sameText(bytes, from, base + this.#hostFrom, length)) {
        return this.refuse("host-mismatch");
      }
    }
    this.#hostFrom = from - base;
    this.#hostTo = to - base;
    return 0;
  }

  #judgeBody(): number {
    const hasLength = this.has(LENGTH);
    const hasCoding = this.has(CODING);
    this.framing = "none";
    this.length = 0;
    this.ambiguous = false;
    if (hasDisguisedFraming(this)) return this.refuse("disguised-framing");
    if (hasLength && hasCoding) return this.refuse("both-lengths");
    if (hasLength) {
      const length = contentLength(this);
      if (typeof length === "string") return this.refuse(length);
      this.length = length;
      if (length > 0) this.framing = "length";
    } else if (hasCoding) {
      const problem = this.minor === 1 ? codingRefusal(this) : "bad-transfer-encoding";
      if (problem !== undefined) return this.refuse(problem);
      this.framing = "chunked";
    }
    if (this.framing !== "none") {
      if (this.method === "TRACE") return this.refuse("both-lengths");
      // RFC 9110 9.3.1: a body has no meaning there, so servers may not read it.
      this.ambiguous = this.method === "GET" || this.method === "HEAD" || this.method === "DELETE";
    }
    // Servers read octets that should have been encoded in more than one way.
    if (this.#hasOpaqueTarget()) this.ambiguous = true;
    return this.#judgeExpect();
  }

  #hasOpaqueTarget(): boolean {
    for (let i = this.pathFrom; i < this.targetTo; i++) if (this.bytes[i]! > 126) return true;
    return false;
  }

  /** NTLM and Negotiate tell servers who speaks on that connection from now on (RFC 4559 6). */
  get signsConnectionIn(): boolean {
    const index = this.indexOf(AUTHORIZATION);
    if (index < 0) return false;
    const from = this.valueFrom(index);
    const to = this.valueTo(index);
    return CONNECTION_SCHEMES.some((scheme) => {
      return isText(this.bytes, from, Math.min(to, from + scheme.length), scheme);
    });
  }

  #judgeExpect(): number {
    this.expectContinue = false;
    const index = this.indexOf(EXPECT);
    if (index < 0) return 0;
    if (!isText(this.bytes, this.valueFrom(index), this.valueTo(index), "100-continue")) {
      return this.refuse("bad-expectation");
    }
    // Without a body there is nothing to wait for; HTTP/1.0 cannot take an interim answer.
    this.expectContinue = this.minor === 1 && this.framing !== "none";
    return 0;
  }

  /** What came of it, if not all: method, target and version. */
  get hasLine(): boolean {
    return this.resumeAt > 0;
  }

  /** Absolute positions in `bytes`. The path is without query; of the asterisk form it is `*`. */
  get methodFrom(): number {
    return this.base + this.#methodFrom;
  }

  get methodTo(): number {
    return this.base + this.#methodTo;
  }

  get pathFrom(): number {
    return this.base + this.#pathFrom;
  }

  get pathTo(): number {
    return this.base + this.#pathTo;
  }

  /** The end of path and query; the query starts with `?` at `pathTo` when they differ. */
  get targetTo(): number {
    return this.base + this.#targetTo;
  }

  /** Host with port, of the Host field or the absolute form; empty: none (HTTP/1.0). */
  get hostFrom(): number {
    return this.base + this.#hostFrom;
  }

  get hostTo(): number {
    return this.base + this.#hostTo;
  }

  methodText(): string {
    return this.method === "other"
      ? textOf(this.bytes, this.methodFrom, this.methodTo)
      : this.method;
  }

  /** `/path`; an absolute target without one gives `/`. */
  pathText(): string {
    return textOf(this.bytes, this.pathFrom, this.pathTo) || "/";
  }

  /** Without `?`; "" = none. */
  queryText(): string {
    return textOf(this.bytes, this.pathTo + 1, this.targetTo);
  }

  hostText(): string {
    return textOf(this.bytes, this.hostFrom, this.hostTo);
  }
}

function methodOf(bytes: Uint8Array, from: number, to: number): MethodKind {
  for (const method of METHODS) {
    if (method.length !== to - from) continue;
    let i = 0;
    while (i < method.length && bytes[from + i] === method.charCodeAt(i)) i++;
    if (i === method.length) return method;
  }
  return "other";
}

function schemeLength(bytes: Uint8Array, from: number, to: number): number {
  if (isText(bytes, from, Math.min(to, from + 7), "http://")) return 7;
  return isText(bytes, from, Math.min(to, from + 8), "https://") ? 8 : 0;
}

/** `%` without two hexadecimal digits, an encoded NUL, or dots that only some servers walk along. */
function pathProblem(bytes: Uint8Array, from: number, to: number): RefusalReason | undefined {
  let hasSlash = false;
  for (let i = from; i < to; i++) {
    if (bytes[i] !== 37) continue;
    if (i + 2 >= to) return "bad-target";
    const value = HEX[bytes[i + 1]!]! * 16 + HEX[bytes[i + 2]!]!;
    if (value === 0 || HEX[bytes[i + 1]!] === 255 || HEX[bytes[i + 2]!] === 255) {
      return "bad-target";
    }
    if (value === SLASH) hasSlash = true;
  }
  return hasSlash && HIDDEN_DOTS.test(textOf(bytes, from, to)) ? "hidden-dots" : undefined;
}

/** `name`, `1.2.3.4` or `[::1]`, with an optional port. */
function isHost(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  if (bytes[at] === 91 && to > from) {
    while (at < to && bytes[at] !== 93) {
      const octet = bytes[at++]!;
      if (octet !== 91 && octet !== 58 && octet !== 46 && HEX[octet] === 255) return false;
    }
    if (at++ === to) return false;
  } else {
    while (at < to && bytes[at] !== 58) {
      const octet = bytes[at++]!;
      if (HOST[octet] !== 1 || octet === 91 || octet === 93) return false;
    }
    if (at === from) return false;
  }
  if (at === to) return true;
  if (bytes[at] !== 58 || to - at > 6) return false;
  for (at++; at < to; at++) if (bytes[at]! < 48 || bytes[at]! > 57) return false;
  return true;
}
