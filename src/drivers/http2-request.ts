/**
 * A request of HTTP/2 as the HTTP/1.1 octets that say the same (RFC 9113 section 8.3.1), so that
 * the engine judges both alike. Whatever could mean more than one thing there is refused here.
 */

import type { IncomingHttpHeaders } from "node:http2";

/** Of a connection, which HTTP/2 does not have (RFC 9113 section 8.2.2), or written by us. */
const DROPPED = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "te",
  "host",
  "cookie",
  "expect",
]);

const VISIBLE = /^[\x21-\x7e]+$/;
// eslint-disable-next-line no-control-regex -- those are what is looked for
const BROKEN_VALUE = /[\0\r\n]/;

export interface TranslatedRequest {
  readonly head: Buffer;
  readonly method: string;
  /** No length was given: the body goes in chunks. */
  readonly isChunked: boolean;
}

/** `isBodyless`: END_STREAM came with the headers. The status to refuse with when it is a number. */
export function translateRequest(
  headers: IncomingHttpHeaders,
  isBodyless: boolean,
): TranslatedRequest | number {
  const { ":method": method, ":path": path, ":authority": authority = headers.host } = headers;
  if (method === undefined || !VISIBLE.test(method)) return 400;
  // A tunnel through the stream (RFC 9113 section 8.5) is nothing that a pool could serve.
  if (method === "CONNECT") return 501;
  if (path === undefined || !VISIBLE.test(path)) return 400;
  if (authority === undefined || !VISIBLE.test(authority)) return 400;
  if (headers.host !== undefined && headers.host !== authority) return 400;
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${authority}`];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || DROPPED.has(name) || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (!VISIBLE.test(name) || BROKEN_VALUE.test(one)) return 400;
      lines.push(`${name}: ${one}`);
    }
  }
  const { cookie, expect } = headers;
  // Several are one in HTTP/1.1 (RFC 9113 section 8.2.3).
  if (cookie !== undefined)
    lines.push(`cookie: ${Array.isArray(cookie) ? cookie.join("; ") : cookie}`);
  if (expect !== undefined && !isBodyless) lines.push(`expect: ${expect}`);
  const isChunked = !isBodyless && headers["content-length"] === undefined;
  if (isChunked) lines.push("transfer-encoding: chunked");
  lines.push("connection: close", "", "");
  if (lines.some((line) => BROKEN_VALUE.test(line))) return 400;
  return { head: Buffer.from(lines.join("\r\n"), "latin1"), method, isChunked };
}

/** One piece of a body of unknown length. RFC 9112 section 7.1. */
export function chunkOf(bytes: Uint8Array): Buffer {
  const head = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return Buffer.concat([head, bytes, Buffer.from("\r\n")]);
}

/** The end of a body in chunks, with its trailer fields. */
export function lastChunk(trailers: IncomingHttpHeaders): Buffer {
  const lines = Object.entries(trailers).flatMap(([name, value]) => {
    if (value === undefined || name.startsWith(":")) return [];
    return [`${name}: ${Array.isArray(value) ? value.join(", ") : value}`];
  });
  const sound = lines.filter((line) => !BROKEN_VALUE.test(line));
  return Buffer.from(["0", ...sound, "", ""].join("\r\n"), "latin1");
}
