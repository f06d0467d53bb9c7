/** Servers that listen on the same address become one frontend. */

import { type Condition } from "../conditions.ts";
import type { Data, Draft } from "../draft.ts";
import { durationText, sizeText } from "../../service/schema/kinds.ts";
import { compileRules, routesData, type Rule } from "../routes.ts";
import { locationRules, rewriteRules } from "./content.ts";
import { type FrontendNotes, type NginxContext, useAll, whole } from "./context.ts";
import { locationsOf } from "./locations.ts";
import { keyOf } from "./limits.ts";
import type { Directive } from "./parse.ts";
import { type Scope, sizeBytes, timeMs } from "./scope.ts";
import type { Server, Socket } from "./sockets.ts";

export function importSocket(socket: Socket, context: NginxContext): void {
  const { draft } = context;
  const notes: FrontendNotes = {
    tls: socket.tls,
    ports: socket.ports,
    asksCertificate: asksCertificate(socket),
    forwarded: false,
    requestId: undefined,
  };
  const rules = inOrder(socket, draft).flatMap(({ server, host }) =>
    isUnasked(server, socket)
      ? closedRules(server, host, context)
      : serverRules(server, host, { notes, context }),
  );
  const routes = compileRules([REFUSED, ...rules], () => []);
  const name = frontendName(socket, context);
  const settings = settingsOf(socket, context);
  draft.frontends[name] = {
    listen: socket.listen,
    tls: socket.tls ? tlsOf(socket, context) : undefined,
    accept_proxy: socket.proxy ? trusted(socket, ["0.0.0.0/0", "::/0"], draft) : undefined,
    trusted_proxies: socket.proxy ? undefined : trusted(socket, undefined, draft),
    forwarded: notes.forwarded ? "x-forwarded" : undefined,
    ...routesData(routes),
    request_id: notes.requestId,
    ...settings,
  };
  for (const [index, route] of routes.entries()) {
    draft.comment(`frontends/${name}/routes/${index}`, route.origin);
  }
}

/** nginx answers no TRACE. */
const REFUSED: Rule = {
  when: [{ all: { method: ["TRACE"] }, except: [] }],
  target: { respond: 405 },
  origin: "As nginx does.",
  lose: () => {},
};

function frontendName({ servers, tls, ports, fallback }: Socket, { draft }: NginxContext): string {
  const named = [fallback, ...servers].flatMap(({ names }) => names);
  const plain = named
    .map((name) => name.replace(/^\*?\./u, ""))
    .find((name) => /^[a-z\d][\w.-]*$/iu.test(name));
  const base = plain ?? "web";
  const own = tls && draft.frontends[base] !== undefined ? `${base}-tls` : base;
  return draft.frontends[own] === undefined ? own : `${base}-${ports[0] ?? "unix"}`;
}

interface Named {
  readonly server: Server;
  readonly host: Condition;
}

/**
 * nginx's order: exact names, the longest beginning with `*`, the longest end with it, the first
 * expression; who serves all the others comes last, and among the named ones where another's
 * star or expression would take its names.
 */
function inOrder(socket: Socket, draft: Draft): Named[] {
  const { fallback } = socket;
  const namesOf = ownNames(socket, draft);
  const isOpen = (name: string): boolean => name.includes("*") || expressionOf(name) !== undefined;
  const others = socket.servers.filter((server) => server !== fallback);
  const takesMany = others.some((server) => namesOf(server).some(isOpen));
  const named = takesMany ? socket.servers : others;
  // A name of one may be among those that another takes with a star.
  const wilds = named.filter((server) => namesOf(server).some((name) => /^\*?\./u.test(name)));
  const parts = named.flatMap((server) => {
    const hosts = namesOf(server).flatMap(hostsOf);
    const exact = hosts.filter((host) => !host.startsWith("*"));
    const wild = hosts.filter((host) => host.startsWith("*"));
    const groups = wilds.length < 2 ? [hosts] : [exact, ...wild.map((host) => [host])];
    return groups.filter((group) => group.length > 0).map((group) => ({ server, group }));
  });
  const rank = ({ group }: { readonly group: readonly string[] }): number =>
    group.some((host) => host.startsWith("*")) ? 1000 - group[0]!.length : 0;
  const sorted = parts.sort((a, b) => rank(a) - rank(b));
  const ends = (name: string): number => (name.endsWith(".*") ? 1000 - name.length : 1000);
  const expressions = named
    .flatMap((server) => namesOf(server).map((name) => ({ server, name })))
    .sort((a, b) => ends(a.name) - ends(b.name))
    .flatMap(({ server, name }) => {
      const host = expressionOf(name);
      return host === undefined ? [] : [{ server, host }];
    });
  return [
    ...sorted.map(({ server, group }) => ({ server, host: { host: group } })),
    ...expressions,
    { server: fallback, host: {} },
  ];
}

/** A name belongs to the first server that has it; nginx ignores it in later ones. */
function ownNames({ servers }: Socket, draft: Draft): (server: Server) => readonly string[] {
  const owners = new Map<string, Server>();
  for (const server of servers) {
    for (const name of server.names.map(sameName)) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, server);
      else if (owner !== server) {
        const at = { ...server.directive.at, text: `server_name ${name}` };
        draft.unneeded(at, "an earlier server has that name: nginx ignores it here, too");
      }
    }
  }
  return (server) => server.names.filter((name) => owners.get(sameName(name)) === server);
}

/** Names do not know case, expressions do: `\\D` is not `\\d`. */
function sameName(name: string): string {
  return name.startsWith("~") ? name : name.toLowerCase();
}

/** `.example.com` is both the name and all below it. */
function hostsOf(name: string): string[] {
  if (name.startsWith("~") || name === "" || name.includes("_") || name.endsWith(".*")) return [];
  if (name.startsWith(".")) return [name.slice(1), `*${name}`];
  return [name.toLowerCase()];
}

/** `~^www\d+\.example\.com$` and `www.example.*`: of the Host header, which may have a port. */
function expressionOf(name: string): Condition | undefined {
  const text = name.endsWith(".*")
    ? `^${name.slice(0, -2).replaceAll(".", "\\.")}\\.`
    : /^~\*?(.*)$/su.exec(name)?.[1];
  if (text === undefined || text === "") return undefined;
  const open = text.replace(/\(\?<\w+>/gu, "(").replace(/\$$/u, "(?::[0-9]+)?$");
  return { headers: { Host: { regex: `(?i:${open})` } } };
}

interface ServerFacts {
  readonly notes: FrontendNotes;
  readonly context: NginxContext;
}

function serverRules(server: Server, host: Condition, { notes, context }: ServerFacts): Rule[] {
  const { scope, directive } = server;
  const facts = { context, notes, host, server: scope };
  const first = rewriteRules({ directive, scope, when: host }, facts);
  if (first.rewrite !== undefined) {
    context.draft.lost(directive.at, "a rewrite outside of a location needs one");
  }
  const locations = locationsOf(scope, context);
  const rules = [...first.rules, ...locations.flatMap((one) => locationRules(one, facts))];
  if (first.isEnd || Object.keys(host).length === 0) return rules;
  const { draft } = context;
  const rest: Rule = {
    when: [{ all: host, except: [] }],
    target: { respond: 404 },
    origin: `${directive.at.file}:${directive.at.line}`,
    lose: (why) => draft.lost(directive.at, why),
  };
  return [...rules, rest];
}

/** The default server, unless it only shuts unknown names out. */
function mainOf({ servers, fallback }: Socket): Server {
  const isShut = fallback.scope.value("ssl_reject_handshake") === "on";
  return (isShut ? servers.find((server) => server !== fallback) : undefined) ?? fallback;
}

function asksCertificate(socket: Socket): boolean {
  const { scope } = mainOf(socket);
  const isOptional = scope.value("ssl_verify_client") === "optional";
  return socket.tls && isOptional && scope.value("ssl_client_certificate") !== undefined;
}

/** It wants certificates of its clients, and the frontend that it has here does not. */
function isUnasked({ scope }: Server, socket: Socket): boolean {
  const asks = (one: Scope): boolean => one.value("ssl_verify_client") === "on";
  return socket.tls && asks(scope) && !asks(mainOf(socket).scope);
}

function closedRules(
  { directive }: Server,
  host: Condition,
  { draft, used }: NginxContext,
): Rule[] {
  const { at, block = [], end } = directive;
  useAll(block, used);
  const why = "it wants certificates of clients and the default server does not";
  draft.lost(at, `the whole block to line ${end}: ${why}: these requests get 403`);
  const lose = (reason: string): void => draft.lost(at, reason);
  const when = [{ all: host, except: [] }];
  return [{ when, target: { respond: 403 }, origin: `${at.file}:${at.line}`, lose }];
}

/** What one frontend has and servers may differ in: the first says it, the others are told. */
function common(socket: Socket, name: string, { draft }: NginxContext): string | undefined {
  const main = mainOf(socket);
  const all = [main, ...socket.servers.filter((server) => server !== main)];
  const [first, ...others] = all.map(({ scope }) => scope.last(name));
  for (const other of others) {
    if (other === undefined || other.args[0] === first?.args[0]) continue;
    draft.lost(other.at, "it is the frontend's: that of the default server counts");
  }
  return first?.args[0];
}

function settingsOf(socket: Socket, context: NginxContext): Data {
  const ms = (name: string): string | undefined => {
    const time = timeMs(common(socket, name, context));
    return time === undefined || time === 0 ? undefined : durationText(time);
  };
  const isClosing = timeMs(common(socket, "keepalive_timeout", context)) === 0;
  const requests = common(socket, "keepalive_requests", context);
  const head = sizeBytes(lastWord(socket, "large_client_header_buffers"));
  const limits = {
    body: bodyLimit(socket, context),
    head: head === undefined ? undefined : sizeText(Math.min(1024 ** 2, Math.max(1024, head))),
    connections_per_source: perSource(socket, context),
    requests_per_connection: isClosing ? 1 : requests === undefined ? undefined : Number(requests),
  };
  const timeouts = {
    head: ms("client_header_timeout"),
    body: ms("client_body_timeout"),
    keep_alive: ms("keepalive_timeout"),
    handshake: ms("ssl_handshake_timeout"),
  };
  return { timeouts, limits, access_log: accessLog(socket, context) };
}

function lastWord({ fallback }: Socket, name: string): string | undefined {
  return fallback.scope.last(name)?.args.at(-1);
}

/** What nginx takes where nothing is said. */
const STANDARD_BODY = 1024 ** 2;

/** The largest of all places, so that nothing is refused that was taken. */
function bodyLimit({ servers }: Socket, { draft }: NginxContext): string | undefined {
  const wide = servers.map(({ scope }) => scope.last("client_max_body_size"));
  const inside = servers.flatMap(({ scope }) =>
    scope
      .here("location")
      .flatMap(({ block }) => scope.inside(block ?? []).here("client_max_body_size")),
  );
  const found = [...wide.flatMap((line) => line ?? []), ...inside];
  if (found.length === 0) return undefined;
  const bytes = (line: Directive): number => sizeBytes(line.args[0]) ?? 0;
  const isOpen = found.some((line) => bytes(line) === 0);
  const standard = wide.includes(undefined) ? STANDARD_BODY : 0;
  const most = isOpen ? 0 : Math.max(standard, ...found.map(bytes));
  for (const line of found) {
    if (bytes(line) !== most)
      draft.lost(line.at, "it is the frontend's: the largest of all counts");
  }
  return sizeText(most);
}

export function perSource(
  { fallback }: Socket,
  { zones, draft, used }: NginxContext,
): number | undefined {
  let found: number | undefined;
  for (const line of fallback.scope.all("limit_conn")) {
    const [name = "", count = ""] = line.args;
    const zone = zones.get(`limit_conn_zone ${name}`);
    if (zone !== undefined && keyOf(zone.args[0] ?? "") === "source") {
      used.add(zone);
      found = Number(count);
    } else draft.lost(line.at, "connections are counted by address only");
  }
  return found;
}

/** nginx logs unless it is told not to. */
export function accessLog(socket: Socket, context: NginxContext): unknown {
  const { draft } = context;
  const [line, ...others] = socket.fallback.scope.all("access_log");
  for (const other of others) draft.lost(other.at, "a frontend has one log");
  for (const { scope } of socket.servers) {
    for (const other of scope.here("access_log")) {
      if (other !== line)
        draft.lost(other.at, "it is the frontend's: that of the default server counts");
    }
  }
  if (line === undefined) return undefined;
  const [path = "", format, ...more] = line.args;
  if (path === "off") return "off";
  if (path.startsWith("syslog:")) {
    draft.lost(line.at, "the log goes to a file or to that of the daemon");
    return { format: "combined" };
  }
  const isKnown = format === undefined || ["combined", "main"].includes(format);
  const isJson = format !== undefined && /json/u.test(format);
  if (!isKnown || more.length > 0)
    draft.lost({ ...line.at, text: line.args.slice(1).join(" ") }, "lines are combined or JSON");
  const file = path === "/dev/stdout" ? undefined : path;
  return { format: isJson ? "json" : "combined", file };
}

export function trusted(
  { fallback, proxy }: Socket,
  standard: readonly string[] | undefined,
  draft: Draft,
): unknown {
  const header = fallback.scope.last("real_ip_header");
  const lines = fallback.scope.all("set_real_ip_from");
  const name = header?.args[0]?.toLowerCase() ?? "x-real-ip";
  if (lines.length === 0 || proxy || name === "x-forwarded-for") {
    if (header !== undefined && proxy && name !== "proxy_protocol") draft.lost(header.at, CLIENTS);
    return lines.length > 0 ? lines.map(({ args }) => args[0]) : standard;
  }
  // Where nobody speaks that protocol it says nothing.
  if (name === "proxy_protocol") return standard;
  for (const { at } of header === undefined ? lines : [header, ...lines]) draft.lost(at, CLIENTS);
  return standard;
}

const CLIENTS =
  "clients are known by X-Forwarded-For (trusted_proxies) or the PROXY protocol (accept_proxy)";

export function tlsOf(socket: Socket, context: NginxContext): Data {
  const { draft } = context;
  const certificates: unknown[] = [];
  for (const { scope } of [socket.fallback, ...socket.servers]) {
    const keys = scope.all("ssl_certificate_key");
    for (const [index, { args, at }] of scope.all("ssl_certificate").entries()) {
      const [certificate = "", key] = [args[0], keys[index]?.args[0]];
      if (/\$|^(?:data|engine|store):/u.test(`${certificate}${key}`)) {
        draft.lost(at, "a certificate is a file: name each in tls.certificates");
        continue;
      }
      const pair = {
        certificate: whole(certificate, context),
        key: key === undefined ? undefined : whole(key, context),
      };
      const text = JSON.stringify(pair);
      if (!certificates.some((one) => JSON.stringify(one) === text)) certificates.push(pair);
    }
  }
  const protocols = socket.fallback.scope.last("ssl_protocols");
  const versions = protocols?.args ?? [];
  const old = versions.filter((version) => !["TLSv1.2", "TLSv1.3"].includes(version));
  if (old.length > 0) draft.lost({ ...protocols!.at, text: old.join(" ") }, "1.2 is the least");
  const verify = common(socket, "ssl_verify_client", context);
  const isOptional = verify === "optional" || verify === "optional_no_ca";
  const ca = common(socket, "ssl_client_certificate", context);
  const hasHttp2 = socket.servers.some(({ scope }) => scope.value("http2") === "on");
  return {
    certificates,
    minimum_version:
      versions.length === 0
        ? undefined
        : versions.includes("TLSv1.2") || old.length > 0
          ? "1.2"
          : "1.3",
    http2: socket.http2 || hasHttp2,
    client_ca:
      verify === undefined || verify === "off" || ca === undefined ? undefined : whole(ca, context),
    client_certificate: isOptional ? "optional" : verify === "on" ? "required" : undefined,
  };
}
