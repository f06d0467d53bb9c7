/** Why bytes are not taken as HTTP/1.1. The set is closed: each reason has a counter. */

export type RefusalReason =
  | "bad-method"
  | "method-not-implemented"
  | "bad-target"
  | "hidden-dots"
  | "bad-version"
  | "bad-line-end"
  | "bad-header-name"
  | "bad-header-value"
  | "folded-header"
  | "head-too-large"
  | "too-many-headers"
  | "bad-host"
  | "host-mismatch"
  | "bad-content-length"
  | "bad-transfer-encoding"
  | "transfer-coding-not-implemented"
  | "both-lengths"
  | "disguised-framing"
  | "bad-expectation"
  | "bad-status"
  | "bad-chunk"
  | "bad-trailer"
  | "body-too-large";

export interface Refusal {
  readonly reason: RefusalReason;
  /** The answer to a client; of a server's fault the client sees 502. */
  readonly status: number;
  /** A sentence for the log, with the clause of RFC 9112 or 9110 that it is about. */
  readonly text: string;
}

const make = (
  reason: RefusalReason,
  status: number,
  text: string,
): readonly [RefusalReason, Refusal] => [reason, { reason, status, text }];

const TABLE: ReadonlyMap<RefusalReason, Refusal> = new Map([
  make("bad-method", 400, "the method is not a token (RFC 9110 9.1)"),
  make("method-not-implemented", 501, "CONNECT is for forward proxies (RFC 9110 9.3.6)"),
  make("bad-target", 400, "the request target is malformed (RFC 9112 3.2)"),
  make(
    "hidden-dots",
    400,
    "a dot segment beside an encoded slash leads servers apart (RFC 3986 3.3)",
  ),
  make("bad-version", 505, "neither HTTP/1.1 nor HTTP/1.0 (RFC 9112 2.3)"),
  make("bad-line-end", 400, "a line does not end with CR LF (RFC 9112 2.2)"),
  make("bad-header-name", 400, "a field name is not a token, or a space precedes the colon (5.1)"),
  make("bad-header-value", 400, "a field value holds a control character (RFC 9110 5.5)"),
  make("folded-header", 400, "a field is continued on the next line (RFC 9112 5.2)"),
  make("head-too-large", 431, "the head is larger than the limit"),
  make("too-many-headers", 431, "there are more header fields than the limit"),
  make("bad-host", 400, "Host is missing, doubled or malformed (RFC 9112 3.2)"),
  make("host-mismatch", 400, "Host and the request target name different servers (3.2.2)"),
  make("bad-content-length", 400, "Content-Length is not one decimal number (RFC 9112 6.3)"),
  make("bad-transfer-encoding", 400, "Transfer-Encoding is malformed (RFC 9112 6.1)"),
  make("transfer-coding-not-implemented", 501, "only the chunked coding is understood (6.1)"),
  make("both-lengths", 400, "Content-Length and Transfer-Encoding together (RFC 9112 6.3)"),
  make("disguised-framing", 400, "a field looks like a framing field to some parsers"),
  make("bad-expectation", 417, "only 100-continue can be expected (RFC 9110 10.1.1)"),
  make("bad-status", 502, "the status line is malformed (RFC 9112 4)"),
  make("bad-chunk", 400, "the chunked coding is malformed (RFC 9112 7.1)"),
  make("bad-trailer", 400, "the trailer section is malformed (RFC 9112 7.1.2)"),
  make("body-too-large", 413, "the body is larger than the limit"),
]);

export function refusal(reason: RefusalReason): Refusal {
  return TABLE.get(reason)!;
}
