/** `frontends` become the settings of the balancer's frontends. */

import type { Bind, FrontendSettings, FrontendTls } from "../../../core/proxy/frontend-settings.ts";
import type { FrontendDocument } from "../schema/frontend-schema.ts";
import { endpointText } from "../schema/kinds.ts";
import { type BuildContext, optional, remember, requireName } from "./context.ts";
import { buildRoute, type RouteSources } from "./route.ts";

export function buildFrontend(
  name: string,
  document: FrontendDocument,
  sources: RouteSources,
): FrontendSettings {
  const { context, poolNames } = sources;
  const { places } = context;
  remember(context, `frontend ${name}`, places.of(document));
  const { pool, timeouts, shedding, access_log: log } = document;
  if (pool !== undefined) {
    requireName(places.at(document, "pool"), "pool", poolNames, { wanted: pool, context });
  }
  const routes = document.routes.flatMap((route, i) => buildRoute(route, i, sources) ?? []);
  checkRoutes(document, context);
  if (document.mode === "tcp") refuseRequestKeys(name, document, context);
  return {
    name,
    mode: document.mode,
    binds: document.listen.map(({ on, mode }) =>
      on.kind === "unix" ? { ...on, mode: mode ?? on.mode } : on,
    ),
    ...optional("tls", tlsOf(document, context)),
    timeouts: {
      headMs: timeouts.head,
      bodyMs: timeouts.body,
      keepAliveMs: timeouts.keep_alive,
      handshakeMs: timeouts.handshake,
    },
    limits: limitsOf(document),
    shedding: {
      enabled: shedding.enabled,
      maxInFlight: shedding.max_in_flight,
      startPercent: shedding.start,
      degradedHeader: shedding.degraded_header,
    },
    accessLog: log,
    acceptProxyFrom: document.accept_proxy,
    trustedProxies: document.trusted_proxies,
    forwarded: document.forwarded,
    requestIdHeader: document.request_id.toLowerCase(),
    traceparent: document.traceparent,
    routes,
    ...optional("defaultPool", pool),
    healthPath: document.health_path,
    readyPath: document.ready_path,
  };
}

/** What is about requests: where nobody reads them it would be believed and do nothing. */
const OF_REQUESTS = [
  "routes",
  "shedding",
  "trusted_proxies",
  "forwarded",
  "request_id",
  "traceparent",
  "health_path",
  "ready_path",
] as const;

function refuseRequestKeys(
  name: string,
  document: FrontendDocument,
  { findings, places }: BuildContext,
): void {
  for (const key of OF_REQUESTS) {
    if (!places.wrote(document, key)) continue;
    const reason = `${key} is about requests, and frontend ${name} carries bytes (mode: tcp)`;
    findings.error(places.key(document, key), reason, "remove it, or write mode: http");
  }
}

function limitsOf({ limits }: FrontendDocument): FrontendSettings["limits"] {
  return {
    headBytes: limits.head,
    headers: limits.headers,
    bodyBytes: limits.body,
    connections: limits.connections,
    connectionsPerSource: limits.connections_per_source,
    requestsPerConnection: limits.requests_per_connection,
  };
}

function tlsOf(document: FrontendDocument, context: BuildContext): FrontendTls | undefined {
  const { tls } = document;
  if (tls === undefined) return undefined;
  const { findings, places } = context;
  const clientCertificate =
    tls.client_certificate ?? (tls.client_ca === undefined ? "off" : "required");
  if (clientCertificate !== "off" && tls.client_ca === undefined) {
    const at = places.key(tls, "client_certificate");
    findings.error(at, "client certificates need a client_ca", "add: client_ca: ca.pem");
  }
  if (tls.certificates.length === 0) {
    findings.error(places.of(tls), "tls has no certificate", "add: certificates: [site.pem]");
  }
  return {
    certificates: tls.certificates.map(({ certificate, key = certificate }) => ({
      certificate,
      key,
    })),
    minimumVersion: tls.minimum_version,
    http2: tls.http2 && document.mode === "http",
    ...optional("clientCa", tls.client_ca),
    clientCertificate,
  };
}

/** Two routes of a name cannot be told apart in logs; what follows a route for all never runs. */
function checkRoutes(document: FrontendDocument, { findings, places }: BuildContext): void {
  const names = new Map<string, number>();
  let forAll: number | undefined;
  for (const [index, route] of document.routes.entries()) {
    const at = places.of(route);
    const name = route.name ?? `route ${index + 1}`;
    const before = names.get(name);
    if (before !== undefined) {
      findings.error(places.key(route, "name"), `route ${name} is there already in line ${before}`);
    }
    names.set(name, at.line);
    if (forAll !== undefined) {
      const reason = `${name} never decides: the route in line ${forAll} takes every request`;
      findings.warn(at, reason, "move it up, or give the other one a condition");
    }
    const { host, path, method, headers, cookies, query, source } = route;
    const { client_certificate: certificate } = route;
    const conditions = [host, path, method, headers, cookies, query, source, certificate];
    if (certificate !== undefined && document.tls?.client_ca === undefined) {
      const reason =
        "client_certificate asks for what nobody shows: this frontend has no client_ca";
      findings.error(places.key(route, "client_certificate"), reason, "add client_ca to its tls");
    }
    if (conditions.every((condition) => condition === undefined)) forAll ??= at.line;
  }
  if (document.pool === undefined && document.routes.length === 0) {
    const next = "add: pool: NAME";
    findings.error(places.of(document), "this frontend leads nowhere", next);
  }
}

/** A port can be listened on once. Wildcards take the port on every address of their family. */
export function refuseSharedPorts(
  frontends: readonly FrontendSettings[],
  documents: Readonly<Record<string, FrontendDocument>>,
  { findings, places }: BuildContext,
): void {
  const taken: { readonly bind: Bind; readonly by: string; readonly line: number }[] = [];
  for (const { name, binds } of frontends) {
    for (const [index, bind] of binds.entries()) {
      const at = places.at(documents[name]!.listen[index]!, "on");
      const other = taken.find((one) => collide(one.bind, bind));
      if (other !== undefined) {
        const reason = `${endpointText(bind)} is taken by frontend ${other.by} (line ${other.line})`;
        findings.error(at, reason, "each address and port belongs to one frontend");
      }
      taken.push({ bind, by: name, line: at.line });
    }
  }
}

function collide(a: Bind, b: Bind): boolean {
  if (a.kind === "unix" || b.kind === "unix") {
    return a.kind === "unix" && b.kind === "unix" && a.path === b.path;
  }
  if (a.port !== b.port) return false;
  if (a.address === b.address || a.address === "::" || b.address === "::") return true;
  const wide = (one: string, other: string): boolean => one === "0.0.0.0" && !other.includes(":");
  return wide(a.address, b.address) || wide(b.address, a.address);
}
