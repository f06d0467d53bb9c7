/** What rules and templates may ask of a request. Texts are made when asked for, once. */

import { canonicalIp } from "../../lib/ip-address.ts";
import type { RequestHead } from "../http/request-head.ts";
import { normalPath } from "./normal-path.ts";

export class RequestFacts {
  head: RequestHead;
  /** Canonical address of the client; "" unknown. */
  source: string;
  /** Of whoever sent it here: the client, or the proxy in front of us. */
  sender: string;
  scheme: "http" | "https";
  localPort: number;
  #path: string | undefined;
  #host: string | undefined;
  #query: ReadonlyMap<string, string> | undefined;
  #cookies: ReadonlyMap<string, string> | undefined;

  constructor(head: RequestHead) {
    this.head = head;
    this.source = this.sender = "";
    this.scheme = "http";
    this.localPort = 0;
  }

  /** For the next request of the same connection. */
  clear(): void {
    this.#path = this.#host = this.#query = this.#cookies = undefined;
  }

  /** Normalised: what is matched. What is forwarded stays as the client wrote it. */
  get path(): string {
    this.#path ??= normalPath(this.head.pathText());
    return this.#path;
  }

  /** Lower case, without port and without the dot that ends an absolute name; IPv6 in brackets. */
  get host(): string {
    this.#host ??= plainHost(this.head.hostText().toLowerCase());
    return this.#host;
  }

  get query(): ReadonlyMap<string, string> {
    this.#query ??= pairsOf(this.head.queryText(), "&", decoded);
    return this.#query;
  }

  get cookies(): ReadonlyMap<string, string> {
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

/** The first of equal names counts. */
function pairsOf(
  text: string,
  separator: string,
  decode: (text: string) => string,
): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (text === "") return pairs;
  for (const part of text.split(separator, MAX_PAIRS)) {
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    if (!pairs.has(name)) pairs.set(name, equals < 0 ? "" : decode(part.slice(equals + 1)));
  }
  return pairs;
}

/** Octets of one letter, by RFC 3629 4. */
const LETTER = new RegExp(
  [
    "%[0-7][0-9a-f]",
    "%(?:c[2-9a-f]|d[0-9a-f])%[89ab][0-9a-f]",
    "%(?:e0%[ab]|e[1-9a-cef]%[89ab]|ed%[89])[0-9a-f]%[89ab][0-9a-f]",
    "%(?:f0%[9ab]|f[1-3]%[89ab]|f4%8)[0-9a-f](?:%[89ab][0-9a-f]){2}",
  ].join("|"),
  "gi",
);

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  // Not UTF-8: compared as it stands. Asked first, as a head has room for thousands of exceptions.
  if (text.replace(LETTER, "").includes("%")) return text;
  return decodeURIComponent(text.replaceAll("+", " "));
}
