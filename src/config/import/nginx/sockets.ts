/** `listen` lines: which servers stand behind which address, and what they share there. */

import type { Draft } from "../draft.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";

export interface Server {
  readonly directive: Directive;
  readonly scope: Scope;
  /** As written; `_` and the like included. */
  readonly names: readonly string[];
}

/** One frontend of Nines. */
export interface Socket {
  readonly listen: string[];
  readonly ports: number[];
  tls: boolean;
  http2: boolean;
  proxy: boolean;
  readonly servers: Server[];
  /** Serves names that nobody has. */
  fallback: Server;
}

const UNNEEDED: readonly string[] = ["reuseport", "deferred", "bind"];

export function socketsOf(servers: readonly Server[], draft: Draft): Socket[] {
  const sockets = new Map<string, Socket>();
  for (const server of servers) {
    const lines = server.scope.here("listen");
    const all = lines.length === 0 ? [["80"]] : lines.map(({ args }) => args);
    for (const [index, args] of all.entries())
      addListen(args, server, lines[index], { sockets, draft });
  }
  joinFamilies(sockets, draft);
  return mergedSockets([...sockets.values()]);
}

interface Target {
  readonly sockets: Map<string, Socket>;
  readonly draft: Draft;
}

function addListen(
  args: readonly string[],
  server: Server,
  line: Directive | undefined,
  { sockets, draft }: Target,
): void {
  const [text = "", ...options] = args;
  const [address, port] = addressOf(text);
  const there = sockets.get(address);
  const socket = there ?? {
    listen: [address],
    ports: port === undefined ? [] : [port],
    tls: false,
    http2: false,
    proxy: false,
    servers: [],
    fallback: server,
  };
  sockets.set(address, socket);
  if (!socket.servers.includes(server)) socket.servers.push(server);
  // The old way to say the same.
  if (server.scope.here("ssl").at(-1)?.args[0] === "on") socket.tls = true;
  for (const option of options) {
    if (option === "ssl") socket.tls = true;
    else if (option === "http2") socket.http2 = true;
    else if (option === "proxy_protocol") socket.proxy = true;
    else if (option === "default_server" || option === "default") socket.fallback = server;
    else if (line !== undefined) tellOption(option, line, draft);
  }
}

function tellOption(option: string, { at }: Directive, draft: Draft): void {
  const [name = ""] = option.split("=");
  const place = { ...at, text: option };
  if (
    UNNEEDED.includes(name) ||
    ["backlog", "rcvbuf", "sndbuf", "fastopen", "so_keepalive"].includes(name)
  ) {
    draft.unneeded(place, "it tunes sockets");
  } else if (option === "ipv6only=on") draft.unneeded(place, ":PORT takes IPv4, too");
  else if (option === "ipv6only=off") draft.unneeded(place, "that is so anyway");
  else draft.lost(place, "listening has no such option");
}

function addressOf(text: string): [address: string, port: number | undefined] {
  if (text.startsWith("unix:")) return [text, undefined];
  const [, host = "", digits = "80"] =
    /^(?:(\[[^\]]*\]|[^:]*[^:\d][^:]*|\d+\.[\d.]+|\*|))?:?(\d+)?$/u.exec(text) ?? [];
  const port = Number(digits);
  if (host === "" || host === "*") return [`0.0.0.0:${port}`, port];
  return [`${host === "localhost" ? "127.0.0.1" : host}:${port}`, port];
}

/**
 * `:PORT` takes IPv4 and IPv6. A server that listens by one of them only, beside others that listen by both,
 * stands behind both then.
 */
function joinFamilies(sockets: ReadonlyMap<string, Socket>, draft: Draft): void {
  for (const [address, v6] of sockets) {
    const v4 = sockets.get(address.replace("[::]:", "0.0.0.0:"));
    if (v4 === undefined || v4 === v6 || v4.tls !== v6.tls || v4.proxy !== v6.proxy) continue;
    const [only4, only6] = [missing(v4, v6), missing(v6, v4)];
    v4.http2 = v6.http2 = v4.http2 || v6.http2;
    v6.fallback = v4.fallback;
    for (const { directive, names } of [...only4, ...only6]) {
      const text = `server ${names.join(" ")}`.trim();
      const both = `one frontend takes IPv4 and IPv6 of port ${v4.ports[0]}, so both come to this server`;
      draft.lost({ ...directive.at, text }, both);
    }
    v4.servers.push(...only6);
    v6.servers.push(...only4);
  }
}

/** Servers of one that the other has not. */
function missing(one: Socket, other: Socket): Server[] {
  return one.servers.filter((server) => !other.servers.includes(server));
}

/** Addresses behind which the same servers stand are one frontend. */
function mergedSockets(sockets: readonly Socket[]): Socket[] {
  const merged: Socket[] = [];
  for (const socket of sockets) {
    const same = merged.find((one) => isSame(one, socket));
    if (same === undefined) merged.push(socket);
    else {
      same.listen.push(...socket.listen);
      same.ports.push(...socket.ports.filter((port) => !same.ports.includes(port)));
    }
  }
  for (const { listen, ports } of merged) {
    for (const port of ports) {
      const [v4, v6] = [listen.indexOf(`0.0.0.0:${port}`), listen.indexOf(`[::]:${port}`)];
      if (v6 < 0) continue;
      listen[v6] = `:${port}`;
      if (v4 >= 0) listen.splice(v4, 1);
    }
  }
  return merged;
}

function isSame(a: Socket, b: Socket): boolean {
  return (
    a.tls === b.tls &&
    a.proxy === b.proxy &&
    a.http2 === b.http2 &&
    a.fallback === b.fallback &&
    a.servers.length === b.servers.length &&
    a.servers.every((server) => b.servers.includes(server))
  );
}
