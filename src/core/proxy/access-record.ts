/**
 * What is told of one finished exchange. The object is reused: a sink formats or copies what it
 * wants before it returns.
 */

import type { ClientOrigin } from "./wire.ts";

/** Texts of a request that the log shows, as they were sent. Positions of `AccessRecord.spans`. */
export const ACCESS_TEXTS = {
  method: 0,
  target: 1,
  host: 2,
  referer: 3,
  userAgent: 4,
  requestId: 5,
} as const;

export type AccessText = (typeof ACCESS_TEXTS)[keyof typeof ACCESS_TEXTS];

/**
 * Why an exchange ended; HAProxy's letters, so that its users need not learn others. `-` normal, `C`
 * the client left, `c` the client was silent too long, `S` the server broke it, `s` the server was
 * silent too long, `P` refused by a rule, `R` a resource ran out, `D` the server went down, `K` cut by
 * the operator, `L` answered by the balancer itself. For users: docs/access-log.md.
 */
export type EndCause = "-" | "C" | "c" | "S" | "s" | "P" | "R" | "D" | "K" | "L";

/**
 * How far it had come: `R` request, `Q` queue, `C` connecting, `H` waiting for the answer's head,
 * `D` data, `T` an injected delay, `-` complete.
 */
export type EndPhase = "-" | "R" | "Q" | "C" | "H" | "D" | "T";

/** A text longer than this is cut in the log. */
const MAX_TEXT = 1024;

const ODD = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c),
);

export class AccessRecord {
  frontend = "";
  source = "";
  sourcePort = 0;
  tlsVersion = "";
  http2 = false;
  /** A connection that was carried as bytes: no request, no status. */
  isTcp = false;
  /** "" when no route was asked or none matched. */
  route = "";
  pool = "";
  server = "";
  /** 0: the client left before an answer began. */
  status = 0;
  /** 10 or 11; 0 when no head was understood. */
  version = 0;
  /** On the client's connection, heads and framing included. */
  bytesIn = 0;
  bytesOut = 0;
  retries = 0;
  /** The client sent no id of its own. */
  drewId = false;
  /** The request went over a kept connection. */
  isReused = false;
  cause: EndCause = "-";
  phase: EndPhase = "-";
  /** A sentence; "" when nothing went wrong. */
  reason = "";
  /**
   * Milliseconds, -1 = not reached (HAProxy's TR, Tw, Tc, Tr, Ta): head received, waited for a
   * place, connected, first byte of the answer, everything.
   */
  requestMs = -1;
  queueMs = -1;
  connectMs = -1;
  answerMs = -1;
  totalMs = 0;

  readonly spans: Int32Array = new Int32Array(2 * Object.keys(ACCESS_TEXTS).length);
  /** Bit by text: it has something else than printable ASCII, or a quote or backslash. */
  odd = 0;
  /** Grows with what is kept. */
  bytes: Uint8Array = new Uint8Array(256);
  #used = 0;

  clear(): void {
    this.route = this.pool = this.server = this.reason = "";
    this.status = this.version = this.bytesIn = this.bytesOut = this.retries = 0;
    this.isReused = this.http2 = this.isTcp = this.drewId = false;
    this.requestMs = this.queueMs = this.connectMs = this.answerMs = -1;
    this.totalMs = 0;
    this.cause = this.phase = "-";
    const { spans } = this;
    for (let i = 0; i < spans.length; i++) spans[i] = 0;
    this.#used = this.odd = 0;
  }

  cameFrom(frontend: string, origin: ClientOrigin): void {
    this.frontend = frontend;
    this.source = origin.source;
    this.sourcePort = origin.sourcePort;
    this.tlsVersion = origin.tls?.version ?? "";
    this.http2 = origin.http2;
  }

  /** Keeps a copy of at most 1024 bytes. Each text once per request. */
  keep(text: AccessText, bytes: Uint8Array, from: number, to: number): void {
    const end = Math.min(to, from + MAX_TEXT);
    let at = this.#used;
    if (at + end - from > this.bytes.length) {
      const larger = new Uint8Array(2 * (at + MAX_TEXT));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    const kept = this.bytes;
    this.spans[2 * text] = at;
    let odd = 0;
    for (let i = from; i < end; i++) {
      const byte = bytes[i] as number;
      kept[at++] = byte;
      odd |= ODD[byte] as number;
    }
    this.odd |= odd << text;
    this.spans[2 * text + 1] = at;
    this.#used = at;
  }
}
