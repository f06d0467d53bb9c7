/**
 * Reads what the proxy sent, as strictly as RFC 9112 allows: this is the simulator's own reader and
 * shares nothing with the one under test. Whatever is not canonical is a violation.
 */

import { latin1Text } from "../../lib/text-bytes.ts";
import { ProxyViolation } from "./violation.ts";

export interface MessageHead {
  readonly startLine: string;
  /** Names in lower case; values in the order in which they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export type BodyKind =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" }
  /** An upgrade: everything that follows belongs to another protocol. */
  | { readonly kind: "tunnel" };

export interface MessageSink {
  /** Says which body follows; "next" = none, and another head belongs to the same exchange (1xx). */
  head(head: MessageHead): BodyKind;
  body(bytes: Uint8Array, from: number, to: number): void;
  end(trailers: readonly string[]): void;
}

type State =
  | "head"
  | "length"
  | "chunk-head"
  | "chunk"
  | "chunk-end"
  | "trailers"
  | "close"
  | "tunnel";

const MAX_LINE = 64 * 1024;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export class MessageReader {
  readonly #sink: MessageSink;
  #state: State = "head";
  #line = "";
  #lines: string[] = [];
  #left = 0;
  #isStopped = false;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** Between two messages, with nothing read of the next. */
  get idle(): boolean {
    return this.#state === "head" && this.#line === "" && this.#lines.length === 0;
  }

  get tunnel(): boolean {
    return this.#state === "tunnel";
  }

  /** Reads no further, not even what it was given. */
  stop(): void {
    this.#isStopped = true;
  }

  feed(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to && !this.#isStopped) at = this.#step(bytes, at, to);
  }

  /** The stream is over. True: at a place where a message may end. */
  finish(): boolean {
    if (this.#state === "close") {
      this.#state = "head";
      this.#sink.end([]);
      return true;
    }
    return this.idle || this.tunnel;
  }

  #step(bytes: Uint8Array, at: number, to: number): number {
    switch (this.#state) {
      case "length":
      case "chunk": {
        const end = Math.min(to, at + this.#left);
        this.#sink.body(bytes, at, end);
        this.#left -= end - at;
        if (this.#left === 0) {
          if (this.#state === "chunk") this.#state = "chunk-end";
          else this.#ended([]);
        }
        return end;
      }
      case "close":
      case "tunnel":
        this.#sink.body(bytes, at, to);
        return to;
      default:
        return this.#readLine(bytes, at, to);
    }
  }

  #readLine(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && bytes[at] !== 10) at++;
    this.#line += latin1Text(bytes, from, Math.min(at + 1, to));
    if (this.#line.length > MAX_LINE) throw malformed("an endless line", this.#line.slice(0, 80));
    if (at === to) return to;
    if (!this.#line.endsWith("\r\n")) throw malformed("a line without CR LF", this.#line);
    const line = this.#line.slice(0, -2);
    this.#line = "";
    // oxlint-disable-next-line no-control-regex -- exactly these must not be there
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) throw malformed("control bytes", line);
    this.#takeLine(line);
    return at + 1;
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case "chunk-head":
        if (!/^[0-9a-fA-F]{1,12}$/.test(line)) throw malformed("a chunk head", line);
        this.#left = Number.parseInt(line, 16);
        this.#state = this.#left === 0 ? "trailers" : "chunk";
        return;
      case "chunk-end":
        if (line !== "") throw malformed("bytes behind a chunk", line);
        this.#state = "chunk-head";
        return;
      case "trailers":
        if (line !== "") this.#lines.push(line);
        else this.#ended(this.#lines);
        return;
      default:
        if (line !== "") this.#lines.push(line);
        else this.#takeHead();
    }
  }

  #takeHead(): void {
    const [startLine, ...fields] = this.#lines;
    if (startLine === undefined) throw malformed("an empty line before a head", "");
    this.#lines = [];
    const headers = new Map<string, string[]>();
    for (const field of fields) {
      const colon = field.indexOf(":");
      const name = field.slice(0, colon);
      if (colon < 1 || !TOKEN.test(name)) throw malformed("a field line", field);
      const values = headers.get(name.toLowerCase()) ?? [];
      values.push(field.slice(colon + 1).trim());
      headers.set(name.toLowerCase(), values);
    }
    this.#state = "length";
    const body = this.#sink.head({ startLine, headers });
    this.#begin(body);
  }

  #begin(body: BodyKind): void {
    switch (body.kind) {
      case "none":
        return this.#ended([]);
      case "length":
        this.#left = body.length;
        if (body.length === 0) this.#ended([]);
        return;
      case "chunked":
        this.#state = "chunk-head";
        return;
      default:
        this.#state = body.kind;
    }
  }

  #ended(trailers: readonly string[]): void {
    this.#state = "head";
    this.#lines = [];
    this.#sink.end(trailers);
  }
}

/** Framing by the headers alone; undefined when they say nothing. */
export function framingOf(head: MessageHead): BodyKind | undefined {
  const codings = head.headers.get("transfer-encoding");
  const lengths = head.headers.get("content-length");
  if (codings !== undefined && lengths !== undefined)
    throw malformed("both lengths", head.startLine);
  if (codings !== undefined) {
    if (codings.length !== 1 || codings[0] !== "chunked") {
      throw malformed("a transfer coding", codings.join());
    }
    return { kind: "chunked" };
  }
  if (lengths === undefined) return undefined;
  if (lengths.length !== 1 || !/^\d{1,15}$/.test(lengths[0] as string)) {
    throw malformed("a length", lengths.join());
  }
  return { kind: "length", length: Number(lengths[0]) };
}

function malformed(what: string, text: string): ProxyViolation {
  return new ProxyViolation("malformed", `${what}: ${JSON.stringify(text)}`);
}
