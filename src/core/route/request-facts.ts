/** What rules and templates may ask of a request. Texts are made when asked for, once. */

import { canonicalIp } from "../../lib/ip-address.ts";
import type { RequestHead } from "../http/request-head.ts";
import { isUtf8 } from "./letters.ts";
import { normalPath, rulePath } from "./normal-path.ts";

export class RequestFacts {
  head: RequestHead;
  /** Canonical address of the client; "" unknown. */
  source: string;
  /** Of whoever sent it here: the client, or the proxy in front of us. */
  sender: string;
  scheme: "http" | "https";
  localPort: number;
  /** Of the client's verified certificate; undefined without one. */
  clientSubject: string | undefined;
  /** Its own, or the drawn one; "" where there are none. */
  requestId: () => string;
  #path: string | undefined;
  #rulePath: string | undefined;
  #host: string | undefined;
  #query: Pairs | undefined;
  #cookies: Pairs | undefined;

  constructor(head: RequestHead) {
    this.head = head;
    this.source = this.sender = "";
    this.scheme = "http";
    this.localPort = 0;
    this.clientSubject = undefined;
    this.requestId = () => "";
  }

  /** For the next request of the same connection. */
  clear(): void {
    this.#path = this.#rulePath = this.#host = this.#query = this.#cookies = undefined;
  }

  /** Normalised: what is rewritten. What is forwarded otherwise stays as the client wrote it. */
  get path(): string {
    this.#path ??= normalPath(this.head.pathText());
    return this.#path;
  }

  /** What is matched. */
  get rulePath(): string {
    this.#rulePath ??= rulePath(this.path);
    return this.#rulePath;
  }

  /** Lower case, without port and without the dot that ends an absolute name; IPv6 in brackets. */
  get host(): string {
    this.#host ??= plainHost(this.head.hostText().toLowerCase());
    return this.#host;
  }

  get query(): Pairs {
    this.#query ??= pairsOf(this.head.queryText(), "&", decoded);
    return this.#query;
  }

  get cookies(): Pairs {
    this.#cookies ??= pairsOf(this.head.joined("cookie", ";") ?? "", ";", (text) => text.trim());
    return this.#cookies;
  }

  /** Path and query as the client sent them. */
  get uri(): string {
    const query = this.head.queryText();
    return query === "" ? this.head.pathText() : `${this.head.pathText()}?${query}`;
  }
}

function plainHost(text: string): string {
  const host = text.replace(/\.?(?::\d*)?$/, "");
  if (!host.startsWith("[")) return host;
  const address = canonicalIp(host.slice(1, -1));
  return address === undefined ? host : `[${address}]`;
}

/** More pairs than that, which is what a head of the usual limit may hold, are not looked at. */
const MAX_PAIRS = 8192;

/** Values by their name, in the order in which they came. */
export type Pairs = ReadonlyMap<string, readonly [string, ...string[]]>;

function pairsOf(text: string, separator: string, decode: (text: string) => string): Pairs {
  const pairs = new Map<string, [string, ...string[]]>();
  if (text === "") return pairs;
  for (const part of text.split(separator, MAX_PAIRS)) {
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decode(part.slice(equals + 1));
    const known = pairs.get(name);
    if (known === undefined) pairs.set(name, [value]);
    else known.push(value);
  }
  return pairs;
}

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  // Otherwise it is compared as it stands.
  if (!isUtf8(text)) return text;
  return decodeURIComponent(text.replaceAll("+", " "));
}
