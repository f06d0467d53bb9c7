/** Answers of the proxy itself: small, without anything that tells of what is behind it. */

import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { PoolSettings } from "../balance/pool-settings.ts";
import { HeadWriter } from "../http/head-writer.ts";
import type { HeadEdits } from "../route/head-edits.ts";
import { octetText } from "../route/letters.ts";

export interface OwnAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** Further fields, whole lines with their ends; "" = none. */
  readonly fields: string;
  /** Of the route that answers: fields that it removes or sets itself are not written. */
  readonly edits?: Pick<HeadEdits, "drops">;
}

const PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  205: "Reset Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
  511: "Network Authentication Required",
};

/** For a status without a phrase of its own; the phrase means nothing (RFC 9112 4). */
function phraseOf(status: number): string {
  return PHRASES[status] ?? "Status";
}

/** `503 Service Unavailable`, and the id by which the operator finds the request in the log. */
export function errorPage(status: number, requestId: string): OwnAnswer {
  const id = requestId === "" ? "" : `request ${requestId}\n`;
  return {
    status,
    body: utf8Bytes(`${status} ${phraseOf(status)}\n${id}`),
    contentType: "text/plain; charset=utf-8",
    fields: status === 503 ? "retry-after: 1\r\n" : "",
  };
}

export function textAnswer(status: number, body: string, contentType: string): OwnAnswer {
  return { status, body: utf8Bytes(body), contentType, fields: "" };
}

/** The pool's own instead of an error page. */
export function sorryPage(sorry: NonNullable<PoolSettings["sorry"]>): OwnAnswer {
  const { status, body, contentType } = sorry;
  return textAnswer(status, body, contentType);
}

/** What Connection says; "" = nothing. */
export type ConnectionWord = "" | "close" | "keep-alive";

/** Writes the head to the beginning of `out`; gives the position after it, -1 where it finds no room. */
export function writeOwnHead(
  out: Uint8Array,
  answer: OwnAnswer,
  connection: ConnectionWord,
): number {
  const { status, body, contentType, fields, edits } = answer;
  const writer = new HeadWriter();
  writer.begin(out, 0);
  writer.text(`HTTP/1.1 ${status} ${phraseOf(status)}\r\n`);
  if (status !== 204 && status !== 304) {
    writer.contentLength(body.length);
    const hasType = body.length > 0 && edits?.drops("content-type") !== true;
    if (hasType) writer.field("content-type", octetText(contentType));
  }
  if (edits?.drops("cache-control") !== true) writer.text("cache-control: no-store\r\n");
  writer.text(fields);
  if (connection !== "") writer.field("connection", connection);
  writer.end();
  return writer.overflow ? -1 : writer.at;
}
