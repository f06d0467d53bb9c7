/**
 * Whether a request may come in at all, before anybody asks who sends it: the name it asks for (a
 * page of a stranger whose name suddenly leads to us), and for changes where it comes from (a
 * page of a stranger that sends the visitor's cookie along). Pure: headers in, an answer out.
 */

import type { IncomingHttpHeaders } from "node:http";

export interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly isTls: boolean;
  /** Of a unix socket: no browser comes that way by itself, but a forwarder may. */
  readonly isLocal: boolean;
  /** Where the visitor arrived: a URL with that very address cannot have been led here by a name. */
  readonly arrivedAt?: string | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** Names that always lead to this machine. */
const OWN_NAMES = ["localhost", "127.0.0.1", "[::1]"];

export class HostList {
  readonly #names: ReadonlySet<string>;

  /** Names and addresses as in URLs or bare, without port. */
  constructor(names: readonly string[]) {
    this.#names = new Set([...OWN_NAMES, ...names.map(hostName)]);
  }

  /** `host`: the header, with or without port. */
  has(host: string): boolean {
    const name = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/iu.exec(host)?.[1];
    return name !== undefined && this.#names.has(name.toLowerCase());
  }
}

export function refusalOf(asked: Asked, hosts: HostList): Refusal | undefined {
  const { host } = asked.headers;
  if (host === undefined || !(hosts.has(host) || isAddress(host, asked.arrivedAt))) {
    const detail = `this is not the page of '${host ?? ""}': add the name to console.allowed_hosts`;
    return { status: 421, code: "unknown-host", detail };
  }
  if (asked.method === "GET" || asked.method === "HEAD") return undefined;
  return refusalOfChange(asked, host);
}

function refusalOfChange(
  { method, headers, isTls, isLocal }: Asked,
  host: string,
): Refusal | undefined {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") {
    return { status: 403, code: "other-site", detail: "changes are taken from our own page only" };
  }
  const { origin } = headers;
  const own = `${isTls ? "https" : "http"}://${host}`;
  // A forwarder in front of the unix socket may speak TLS.
  const isOwn = origin === own || (isLocal && origin === `https://${host}`);
  if (origin !== undefined && !isOwn) {
    const detail = `changes are taken from ${own} only, not from ${origin}`;
    return { status: 403, code: "other-origin", detail };
  }
  // No page may send this elsewhere without asking first (CORS); it has no body that needs a type.
  if (method === "DELETE" && headers["content-type"] === undefined) return undefined;
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return { status: 415, code: "not-json", detail: "send it as application/json" };
  }
  return undefined;
}

function isAddress(host: string, arrivedAt: string | undefined): boolean {
  if (arrivedAt === undefined) return false;
  return new HostList([arrivedAt.replace(/^::ffff:(?=[\d.]+$)/u, "")]).has(host);
}

/** As it stands in URLs. */
function hostName(text: string): string {
  const name = text.toLowerCase();
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}

/**
 * No inline script or style, nothing from elsewhere, in nobody's frame; a page that was replaced under
 * us can send data nowhere.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};
