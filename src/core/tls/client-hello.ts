/**
 * What a TLS client says before anything is decided: the name it wants and what it would speak
 * (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Read only to choose who does the handshake
 * and with which certificate; whether the message is sound is judged by the TLS library, which
 * gets the same bytes.
 */

/** `more`: not all of it is there. `broken`: no ClientHello; the library says why. */
export type HelloProgress = "more" | "complete" | "broken";

/** Longest message that is looked into; a longer one counts as broken here. */
export const MAX_HELLO_BYTES: number = 16 * 1024;

const RECORD_HEAD = 5;
const HANDSHAKE_RECORD = 22;
const VERSION_MAJOR = 3;
const MAX_RECORD = 16 * 1024;
const MESSAGE_HEAD = 4;
const CLIENT_HELLO = 1;
const VERSION_AND_RANDOM = 34;
const EXT_SERVER_NAME = 0;
const EXT_ALPN = 16;
const EXT_TICKET = 35;
const EXT_PRE_SHARED_KEY = 41;
const HOST_NAME = 0;
const MAX_NAME = 255;
/** The name of the key that a ticket was sealed with comes first (RFC 5077 section 4). */
export const TICKET_NAME_BYTES = 16;

/** The message without the heads of records, which may cut it anywhere; of one call. */
const message = new Uint8Array(MAX_HELLO_BYTES);

export class ClientHello {
  /** As sent; "" when absent or no name of a host. */
  serverName = "";
  /** ALPN was sent at all (RFC 7301). */
  offersProtocols = false;
  offersHttp2 = false;
  offersHttp1 = false;
  /** Of the first ticket that the client holds; empty without one. */
  readonly ticketName: Uint8Array = new Uint8Array(TICKET_NAME_BYTES);
  hasTicket = false;

  clear(): void {
    this.serverName = "";
    this.offersProtocols = false;
    this.offersHttp2 = false;
    this.offersHttp1 = false;
    this.hasTicket = false;
  }
}

/** Looks at what has come so far, from the first byte on. */
export function parseClientHello(
  hello: ClientHello,
  bytes: Uint8Array,
  from: number,
  to: number,
): HelloProgress {
  hello.clear();
  let length = 0;
  let at = from;
  while (length < wantedOf(length)) {
    if (at < to && bytes[at] !== HANDSHAKE_RECORD) return "broken";
    if (at + 1 < to && bytes[at + 1] !== VERSION_MAJOR) return "broken";
    if (at + RECORD_HEAD > to) return "more";
    const size = read16(bytes, at + 3);
    if (size === 0 || size > MAX_RECORD) return "broken";
    at += RECORD_HEAD;
    const end = Math.min(at + size, to, at + MAX_HELLO_BYTES - length);
    message.set(bytes.subarray(at, end), length);
    length += end - at;
    at += size;
    if (length === 0) continue;
    if (message[0] !== CLIENT_HELLO || wantedOf(length) > MAX_HELLO_BYTES) return "broken";
  }
  return parseMessage(hello, wantedOf(length));
}

/** How long the message is, as far as that can be told. */
function wantedOf(length: number): number {
  return length < MESSAGE_HEAD ? MESSAGE_HEAD : MESSAGE_HEAD + read24(message, 1);
}

function parseMessage(hello: ClientHello, end: number): HelloProgress {
  let at = MESSAGE_HEAD + VERSION_AND_RANDOM;
  // The session's id, the cipher suites and the compressions, each with its length in front.
  if (at + 1 > end) return "broken";
  at += 1 + message[at]!;
  if (at + 2 > end) return "broken";
  at += 2 + read16(message, at);
  if (at + 1 > end) return "broken";
  at += 1 + message[at]!;
  // Before TLS 1.3 there may be no extensions at all.
  if (at === end) return "complete";
  if (at + 2 > end || at + 2 + read16(message, at) !== end) return "broken";
  at += 2;
  while (at < end) {
    if (at + 4 > end) return "broken";
    const type = read16(message, at);
    const from = at + 4;
    at = from + read16(message, at + 2);
    if (at > end) return "broken";
    takeExtension(hello, type, message.subarray(from, at));
  }
  return "complete";
}

function takeExtension(hello: ClientHello, type: number, body: Uint8Array): void {
  if (type === EXT_SERVER_NAME) hello.serverName = hostNameOf(body);
  else if (type === EXT_ALPN) takeProtocols(hello, body);
  else if (type === EXT_TICKET) takeTicket(hello, body);
  // Identities: the list's length, the first one's length, itself.
  else if (type === EXT_PRE_SHARED_KEY && body.length > 4) takeTicket(hello, body.subarray(4));
}

/** RFC 6066 section 3: a list that holds one name at most. */
function hostNameOf(body: Uint8Array): string {
  if (body.length < 5 || body[2] !== HOST_NAME) return "";
  const length = read16(body, 3);
  if (length === 0 || length > MAX_NAME || 5 + length > body.length) return "";
  let name = "";
  for (let i = 5; i < 5 + length; i++) {
    if (!isNameOctet(body[i]!)) return "";
    name += String.fromCharCode(body[i]!);
  }
  return name;
}

/** Letters, digits, `-`, `.`, `_`. */
function isNameOctet(octet: number): boolean {
  const isDigit = octet >= 0x30 && octet <= 0x39;
  const isLetter = (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a;
  return isDigit || isLetter || octet === 0x2d || octet === 0x2e || octet === 0x5f;
}

function takeProtocols(hello: ClientHello, body: Uint8Array): void {
  hello.offersProtocols = true;
  for (let at = 2; at < body.length;) {
    const length = body[at]!;
    const end = at + 1 + length;
    if (end > body.length) return;
    if (spells(body, at + 1, end, "h2")) hello.offersHttp2 = true;
    if (spells(body, at + 1, end, "http/1.1")) hello.offersHttp1 = true;
    at = end;
  }
}

function spells(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

function takeTicket(hello: ClientHello, ticket: Uint8Array): void {
  if (hello.hasTicket || ticket.length < TICKET_NAME_BYTES) return;
  hello.hasTicket = true;
  hello.ticketName.set(ticket.subarray(0, TICKET_NAME_BYTES));
}

function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function read24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}
