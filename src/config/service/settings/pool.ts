/** `pools` become the settings of the balancer's pools. */

import type {
  Algorithm,
  PoolSettings,
  ServerEndpoint,
  ServerSettings,
  Stickiness,
} from "../../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../../core/check/check-settings.ts";
import { formatDuration } from "../../../lib/duration.ts";
import type { Place } from "../../diagnostic.ts";
import type { CheckOrName } from "../schema/check-schema.ts";
import { endpointText } from "../schema/kinds.ts";
import type { PoolDocument, ServerDocument, StickyDocument } from "../schema/pool-schema.ts";
import { buildCheck } from "./check.ts";
import { type BuildContext, given, optional, remember, requireName } from "./context.ts";

export interface PoolSources {
  readonly context: BuildContext;
  /** Of `checks`; checks written inside pools are added to `ownChecks`. */
  readonly checkNames: readonly string[];
  readonly ownChecks: CheckSettings[];
  /** Whether every frontend that leads to the pool has TLS. */
  readonly behindTls: (pool: string) => boolean;
  /** Whether a frontend with `mode: tcp` leads to the pool. */
  readonly carriesTcp: (pool: string) => boolean;
}

export function buildPool(
  name: string,
  document: PoolDocument,
  sources: PoolSources,
): PoolSettings {
  const { context } = sources;
  const { findings, places } = context;
  remember(context, `pool ${name}`, places.of(document));
  const at = places.key(document, "check");
  const checks = checksOf(name, { checks: document.check, at }, sources);
  const servers = document.servers.map((server) =>
    buildServer(server, { pool: name, document, checks, sources }),
  );
  if (servers.length === 0) {
    const next = "add: servers: [10.0.0.1:80, 10.0.0.2:80]";
    findings.warn(places.of(document), `pool ${name} has no servers: it answers 503`, next);
  }
  refuseTwins(name, document, servers, context);
  if (sources.carriesTcp(name)) refuseRequestKeys(name, document, context);
  const { timeouts, drain_deadline: drainDeadlineMs } = document;
  warnAboutKeepAlive(name, document, context);
  return {
    name,
    servers,
    algorithm: algorithmOf(document, context),
    stickiness: stickinessOf(name, document.sticky, sources),
    ...resilienceOf(document),
    timeouts: {
      connectMs: timeouts.connect,
      responseMs: timeouts.response,
      idleMs: timeouts.idle,
      tunnelMs: timeouts.tunnel,
      keepAliveMs: timeouts.keep_alive,
    },
    panicPercent: document.panic,
    ...optional("quorum", quorumOf(document)),
    drainDeadlineMs,
    killOnDown: document.kill_on_down,
    maxIdlePerServer: document.max_idle_per_server,
    sendProxy: document.send_proxy,
    ...optional("tls", tlsOf(document)),
    ...optional("sorry", sorryOf(document)),
  };
}

function quorumOf({ quorum }: PoolDocument): PoolSettings["quorum"] {
  if (quorum === undefined) return undefined;
  const { weight, hysteresis } = quorum;
  return { weight, hysteresis };
}

/** A pool of TCP connections knows nothing of its clients but their addresses. */
function refuseRequestKeys(
  name: string,
  document: PoolDocument,
  { findings, places }: BuildContext,
): void {
  const refuse = (at: Place, what: string, next: string): void => {
    const reason = `${what} is about requests, and pool ${name} carries TCP connections`;
    findings.error(at, reason, next);
  };
  const { balance, sticky } = document;
  if (sticky?.cookie !== undefined) {
    refuse(places.key(document, "sticky"), "sticky.cookie", "write sticky: source");
  } else if (sticky?.table !== undefined && sticky.table.key.of !== "source") {
    refuse(places.key(document, "sticky"), "this key", "write sticky: source");
  }
  const isHash = balance.algorithm === "hash" || balance.algorithm === "maglev";
  if (isHash && balance.key.of !== "source") {
    refuse(places.key(document, "balance"), "this key", "write hash source");
  }
  if (document.sorry !== undefined) {
    refuse(places.key(document, "sorry"), "sorry", "write a server with backup instead");
  }
  for (const server of document.servers) {
    const { address } = server;
    if (address.kind === "unix" || address.port > 0) continue;
    const reason = `${endpointText(address)} has no port`;
    findings.error(places.at(server, "address"), reason, "write ADDRESS:PORT");
  }
}

function resilienceOf(
  document: PoolDocument,
): Pick<PoolSettings, "outlier" | "retry" | "queue" | "slowStart"> {
  const { outlier, retry, queue, slow_start: slow } = document;
  return {
    outlier: {
      enabled: outlier.enabled,
      consecutiveErrors: outlier.consecutive_errors,
      intervalMs: outlier.interval,
      baseEjectionMs: outlier.base_ejection,
      maxEjectionMs: outlier.max_ejection,
      maxEjectedPercent: outlier.max_ejected,
      successRateFactor: outlier.success_rate_factor,
      successRateMinimumHosts: outlier.success_rate_minimum_hosts,
      successRateMinimumRequests: outlier.success_rate_minimum_requests,
    },
    retry: {
      attempts: retry.attempts,
      budgetPercent: retry.budget,
      budgetMinimumPerSecond: retry.budget_minimum,
      onStatus: retry.on_status,
      bufferBytes: retry.buffer,
    },
    queue: { limit: queue.limit, timeoutMs: queue.timeout },
    slowStart: {
      windowMs: slow.window,
      aggression: slow.aggression,
      minimumPercent: slow.minimum,
    },
  };
}

interface ServerSources {
  readonly pool: string;
  readonly document: PoolDocument;
  readonly checks: readonly string[];
  readonly sources: PoolSources;
}

function buildServer(
  server: ServerDocument,
  { pool, document, checks, sources }: ServerSources,
): ServerSettings {
  const { context } = sources;
  const { places } = context;
  const name = server.name ?? endpointText(server.address);
  const at = places.key(server, "check");
  const own = checksOf(`${pool}/${name}`, { checks: server.check, at }, sources);
  const [check, ...alsoChecks] = server.check === undefined ? checks : own;
  remember(context, `server ${pool}/${name}`, places.of(server));
  return {
    name,
    endpoint: withPort(server.address, document.tls === undefined ? 80 : 443),
    weight: server.weight,
    tier: server.tier ?? (server.backup ? 1 : 0),
    maxConnections: server.max_connections,
    ...optional("check", check),
    ...optional("alsoChecks", alsoChecks.length === 0 ? undefined : alsoChecks),
    admin: server.admin,
  };
}

function withPort(endpoint: ServerEndpoint, port: number): ServerEndpoint {
  return endpoint.kind === "unix" || endpoint.port > 0 ? endpoint : { ...endpoint, port };
}

interface GivenChecks {
  readonly checks: readonly CheckOrName[] | undefined;
  readonly at: Place;
}

/** Names of the checks that are used. Those written here are called `name`, `name#2` … */
function checksOf(
  name: string,
  { checks = [], at }: GivenChecks,
  sources: PoolSources,
): readonly string[] {
  const names = checks.flatMap((check, i) => {
    const own = i === 0 ? name : `${name}#${i + 1}`;
    return checkOf(own, check, at, sources) ?? [];
  });
  return [...new Set(names)];
}

/** The name of the check that is used; undefined: none. A check written here is called `name`. */
function checkOf(
  name: string,
  check: CheckOrName | undefined,
  at: ReturnType<BuildContext["places"]["of"]>,
  sources: PoolSources,
): string | undefined {
  const { context } = sources;
  if (check === undefined || check.use === "off") return undefined;
  if (check.use !== undefined) {
    const word = context.places.at(check, "use");
    return requireName(word, "check", sources.checkNames, { wanted: check.use, context })
      ? check.use
      : undefined;
  }
  if (sources.checkNames.includes(name)) {
    const reason = `this check would be called ${name}, as one in checks is`;
    context.findings.error(at, reason, `write check: ${name}, or rename one of them`);
  }
  const settings = buildCheck(name, check, context);
  if (settings !== undefined) sources.ownChecks.push(settings);
  return settings?.name;
}

function refuseTwins(
  pool: string,
  document: PoolDocument,
  servers: readonly ServerSettings[],
  { findings, places }: BuildContext,
): void {
  const names = new Map<string, number>();
  const addresses = new Map<string, string>();
  for (const [index, server] of servers.entries()) {
    const at = places.of(document.servers[index]!);
    const first = names.get(server.name);
    const address = endpointText(server.endpoint);
    const twin = addresses.get(address);
    if (first !== undefined) {
      const line = places.of(document.servers[first]!).line;
      const next = "give one of them a name of its own, or remove it";
      findings.error(at, `pool ${pool} has ${server.name} already in line ${line}`, next);
    } else if (twin !== undefined) {
      const reason = `${address} is ${twin} as well: it gets two shares of the work`;
      findings.warn(at, reason, "write weight=2 if this is meant");
    }
    if (first === undefined) names.set(server.name, index);
    addresses.set(address, server.name);
  }
}

/** Node closes an idle connection after 5 s, gunicorn after 2 s, Apache after 5 s, nginx after 75 s. */
const SHORT_KEEP_ALIVE_MS = 5000;

function warnAboutKeepAlive(name: string, document: PoolDocument, context: BuildContext): void {
  const { timeouts } = document;
  if (timeouts.keep_alive < SHORT_KEEP_ALIVE_MS) return;
  const reason = `pool ${name} keeps idle connections ${formatDuration(timeouts.keep_alive)}; many servers close them after 5 s`;
  const next = "make sure that its servers keep them longer: node 5 s, Apache 5 s, nginx 75 s";
  context.findings.note(context.places.at(timeouts, "keep_alive"), reason, next);
}

function algorithmOf(document: PoolDocument, context: BuildContext): Algorithm {
  const { balance } = document;
  const { algorithm: kind, key, bound, table_size: tableSize, decay } = balance;
  if (kind === "peak-ewma") return { kind, decayMs: decay };
  if (kind === "hash") return { kind, key, boundPercent: bound };
  if (kind !== "maglev") return { kind };
  if (!isPrime(tableSize)) {
    const at = context.places.at(balance, "table_size");
    context.findings.error(at, `table_size ${tableSize} is not a prime`, "write e.g. 65537");
  }
  return { kind, key, tableSize };
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) return false;
  }
  return number > 1;
}

const SECRET_BYTES = 16;

function stickinessOf(
  pool: string,
  sticky: StickyDocument | undefined,
  { context, behindTls }: PoolSources,
): Stickiness {
  const { findings, places } = context;
  if (sticky === undefined) return { kind: "none" };
  if (given(sticky, ["cookie", "table"]).length !== 1) {
    findings.error(places.of(sticky), "sticky is cookie or table", "write one of them");
  }
  if (sticky.table !== undefined) {
    const { key, size, ttl } = sticky.table;
    return { kind: "table", key, size, ttlMs: ttl };
  }
  const { cookie } = sticky;
  if (cookie === undefined) return { kind: "none" };
  const secret = secretBytes(cookie.secret);
  if (secret.length < SECRET_BYTES) {
    const at = { ...places.key(cookie, "secret") };
    const reason = `the secret has ${secret.length} bytes, less than ${SECRET_BYTES}`;
    findings.error(at, reason, "make one: echo hex:$(openssl rand -hex 32)");
  }
  const secure = cookie.secure ?? behindTls(pool);
  if (cookie.same_site === "none" && !secure) {
    const reason = "browsers refuse same_site: none without secure";
    findings.error(places.key(cookie, "same_site"), reason, "write secure: true, or lax");
  }
  return {
    kind: "cookie",
    name: cookie.name,
    mode: cookie.mode,
    secret,
    maxAgeMs: cookie.max_age,
    maxIdleMs: cookie.max_idle,
    secure,
    sameSite: cookie.same_site,
  };
}

/** `hex:…`, or the text itself. */
function secretBytes(text: string): Uint8Array {
  const digits = /^hex:((?:[\da-fA-F]{2})*)$/u.exec(text)?.[1];
  if (digits === undefined) return new TextEncoder().encode(text);
  return new Uint8Array(Buffer.from(digits, "hex"));
}

function tlsOf({ tls }: PoolDocument): PoolSettings["tls"] {
  if (tls === undefined) return undefined;
  return {
    verify: tls.verify,
    ...optional("ca", tls.ca),
    ...optional("serverName", tls.server_name),
    ...optional("certificate", tls.certificate),
    ...optional("key", tls.key),
  };
}

function sorryOf({ sorry }: PoolDocument): PoolSettings["sorry"] {
  if (sorry === undefined) return undefined;
  return { status: sorry.status, body: sorry.body, contentType: sorry.type };
}
