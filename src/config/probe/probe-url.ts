/** What `nines probe` is told to ask, as an address of the kind that everybody writes. */

import type {
  CheckProtocol,
  CheckSettings,
  CheckTls,
  StatusRange,
} from "../../core/check/check-settings.ts";
import { canonicalIp } from "../../lib/ip-address.ts";
import { closest } from "../../lib/spelling.ts";

export interface ProbeOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good answers that took longer are slow. */
  readonly slowMs: number;
  readonly method: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly status: readonly StatusRange[];
  readonly bodyRegex?: string;
  /** Header of the answer that says who answered; default `x-served-by`. */
  readonly byHeader: string;
  /** PEM file of the authorities; default: the system's. */
  readonly ca?: string;
  /** False: any certificate will do. */
  readonly verify: boolean;
}

export interface ProbedTarget {
  /** As it was written, without a password: what reports and tables show. */
  readonly name: string;
  /** A name is looked up anew for each probe, as a fresh user would. */
  readonly host: string;
  readonly port: number;
  readonly check: CheckSettings;
  readonly slowMs: number;
  /** Absent: `host` and `port`. */
  readonly unixPath?: string;
}

const PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  tls: 443,
  grpc: 50051,
  grpcs: 443,
  dns: 53,
  smtp: 25,
  redis: 6379,
  memcached: 11211,
  mysql: 3306,
  postgresql: 5432,
  postgres: 5432,
  ping: 0,
};
/** These have no usual port. */
const NEED_PORT = ["tcp", "udp", "agent"];
const SCHEMES = [...Object.keys(PORTS), ...NEED_PORT, "unix", "script"];

/** A sentence when it cannot be asked. */
export function parseProbeUrl(text: string, options: ProbeOptions): ProbedTarget | string {
  const scheme = /^([a-z]+):/u.exec(text)?.[1];
  if (scheme === undefined || !SCHEMES.includes(scheme)) {
    const near = scheme === undefined ? undefined : closest(scheme, SCHEMES);
    const next =
      near === undefined ? `it begins with ${SCHEMES.join(":, ")}:` : `did you mean '${near}:'?`;
    return `'${text}' cannot be asked - ${next}`;
  }
  if (scheme === "script") return scriptTarget(text, options);
  if (scheme === "unix") return unixTarget(text, options);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[(.*)\]$/u, "$1") ?? "";
  if (url === undefined || host === "") return `'${text}' names no host - write ${scheme}://HOST`;
  const port = url.port === "" ? (PORTS[scheme] ?? 0) : Number(url.port);
  if (port === 0 && NEED_PORT.includes(scheme))
    return `'${text}' names no port - write ${scheme}://HOST:PORT`;
  const protocol = protocolOf(scheme, url, options);
  if (typeof protocol === "string") return `'${text}': ${protocol}`;
  const name = text.replace(/\/\/([^/@]*):[^/@]*@/u, "//$1@");
  return {
    name,
    host: canonicalIp(host) ?? host,
    port,
    check: checkOf(name, protocol, options),
    slowMs: options.slowMs,
  };
}

function checkOf(name: string, protocol: CheckProtocol, options: ProbeOptions): CheckSettings {
  const { intervalMs, timeoutMs } = options;
  const timing = {
    intervalMs,
    fastIntervalMs: intervalMs,
    downIntervalMs: intervalMs,
    timeoutMs,
    rise: 1,
    fall: 1,
    retry: 0,
    delayBeforeRetryMs: 0,
    warmupMs: 0,
    startDown: false,
  };
  return { name, protocol, timing };
}

function scriptTarget(text: string, options: ProbeOptions): ProbedTarget | string {
  const argv = text.slice("script:".length).trim().split(/\s+/u);
  if (!argv[0]?.startsWith("/")) return `'${text}' names no command - write script:/PATH ARGUMENTS`;
  const check = checkOf(text, { kind: "script", argv, dynamic: false }, options);
  return { name: text, host: "127.0.0.1", port: 0, check, slowMs: options.slowMs };
}

/** `unix:/run/x.sock` is connected to; `unix:/run/x.sock:/path` is asked by HTTP. */
function unixTarget(text: string, options: ProbeOptions): ProbedTarget | string {
  const [, path, asked] = /^unix:(\/[^:]+)(?::(\/.*))?$/u.exec(text) ?? [];
  if (path === undefined) return `'${text}' names no socket - write unix:/PATH or unix:/PATH:/URL`;
  const protocol: CheckProtocol =
    asked === undefined ? { kind: "tcp" } : httpOf({ path: asked, host: "localhost" }, options);
  const check = checkOf(text, protocol, options);
  return { name: text, host: "", port: 0, unixPath: path, check, slowMs: options.slowMs };
}

function protocolOf(scheme: string, url: URL, options: ProbeOptions): CheckProtocol | string {
  const tls = tlsOf(url, options);
  const [user, password] = [unescaped(url.username), unescaped(url.password)];
  if (user === undefined || password === undefined) return "user or password has a wrong escape";
  const login = { ...(user === "" ? {} : { user }), ...(password === "" ? {} : { password }) };
  const role = url.searchParams.get("role") ?? "any";
  if (role !== "any" && role !== "primary" && role !== "replica") {
    return "role is any, primary or replica";
  }
  switch (scheme) {
    case "http":
    case "https": {
      const http = httpOf({ path: `${url.pathname}${url.search}`, host: url.host }, options);
      return scheme === "http" ? http : { ...http, tls };
    }
    case "tcp":
      return { kind: "tcp" };
    case "tls":
      return { kind: "tcp", tls };
    case "ping":
    case "memcached":
      return { kind: scheme };
    case "udp":
      return { kind: "udp", payload: new Uint8Array(0), requireReply: false };
    case "dns": {
      const name = url.pathname.slice(1);
      const queryType = url.searchParams.get("type") ?? "A";
      return name === ""
        ? "name what is asked for: dns://SERVER/NAME"
        : { kind: "dns", name, queryType };
    }
    case "smtp":
      return { kind: "smtp", helloName: "nines-probe" };
    case "redis":
      return { kind: "redis", ...login, role, maxLagMs: 0 };
    case "mysql":
    case "postgresql":
    case "postgres": {
      const database = url.pathname.slice(1);
      const kind = scheme === "mysql" ? "mysql" : "postgresql";
      return { kind, ...login, ...(database === "" ? {} : { database }), role, maxLagMs: 0 };
    }
    case "grpc":
    case "grpcs": {
      const service = url.pathname.slice(1);
      return { kind: "grpc", service, ...(scheme === "grpcs" ? { tls } : {}) };
    }
    default:
      return { kind: "agent", send: "" };
  }
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function tlsOf(url: URL, { verify, ca }: ProbeOptions): CheckTls {
  const { hostname } = url;
  const isName = canonicalIp(hostname.replace(/^\[(.*)\]$/u, "$1")) === undefined;
  return {
    verify,
    ...(isName ? { serverName: hostname } : {}),
    ...(ca === undefined ? {} : { ca }),
    expiryWarningMs: 14 * 86_400_000,
  };
}

function httpOf(
  { path, host }: { readonly path: string; readonly host: string },
  { method, headers, status, bodyRegex, byHeader }: ProbeOptions,
): Extract<CheckProtocol, { kind: "http" }> {
  return {
    kind: "http",
    method,
    path: path === "" ? "/" : path,
    host,
    headers,
    status,
    ...(bodyRegex === undefined
      ? {}
      : { body: { kind: "regex" as const, pattern: bodyRegex, inverted: false } }),
    maxBodyBytes: 64 * 1024,
    byHeader: byHeader.toLowerCase(),
  };
}
