/**
 * `stream` blocks: servers that carry TCP connections become frontends with `mode: tcp`. Source: nginx,
 * ngx_stream_core_module and its siblings.
 */

import { durationText } from "../../service/schema/kinds.ts";
import type { Data } from "../draft.ts";
import { namedPool, type NginxContext, useAll } from "./context.ts";
import { accessLog, perSource, tlsOf, trusted } from "./frontends.ts";
import type { Directive } from "./parse.ts";
import { tlsOf as serverTlsOf } from "./pools.ts";
import { type Scope, timeMs } from "./scope.ts";
import { type Server, socketsOf } from "./sockets.ts";
import { upstreamData, withPort } from "./upstreams.ts";

/** `scope`: inside of the block. */
export function importStream(scope: Scope, context: NginxContext): void {
  const addresses = new Set<string>();
  for (const directive of scope.here("server")) {
    const inner = scope.inside(directive.block ?? []);
    const why = trouble(inner, addresses) ?? carry({ directive, scope: inner, names: [] }, context);
    if (why === undefined) continue;
    useAll(directive.block ?? [], context.used);
    context.draft.lost(directive.at, `the whole block to line ${directive.end}: ${why}`);
  }
}

/** Why such a server is not carried over: nothing becomes more open, and nobody goes elsewhere. */
function trouble(scope: Scope, addresses: Set<string>): string | undefined {
  const listens = scope.here("listen");
  if (listens.some(({ args }) => args.includes("udp"))) return "Nines carries no UDP";
  const [pass] = scope.here("proxy_pass");
  if (pass === undefined) return "nothing leads from here to a server";
  if (pass.args[0]?.includes("$") === true) {
    return "it tells connections apart, and mode: tcp leads to one pool";
  }
  if (scope.allOf(["allow", "deny"]).some(({ name }) => name === "deny")) {
    return "it shuts connections out, and mode: tcp lets all of them in";
  }
  const own = listens.map(({ args }) => args[0] ?? "");
  const isTwice = own.some((address) => addresses.has(address));
  for (const address of own) addresses.add(address);
  return isTwice ? "another server has the address, and mode: tcp leads to one pool" : undefined;
}

function carry(server: Server, context: NginxContext): string | undefined {
  const { draft } = context;
  const { scope } = server;
  const [socket, ...others] = socketsOf([server], draft);
  if (socket === undefined || others.length > 0) {
    return "some of its addresses have TLS and some have not: write a server for each";
  }
  const pool = poolOf(scope.here("proxy_pass")[0]!, scope, context);
  const handshake = duration(scope.value("ssl_handshake_timeout"));
  draft.frontends[freeName(pool, draft.frontends)] = {
    mode: "tcp",
    listen: socket.listen,
    tls: socket.tls ? { ...tlsOf(socket, context), http2: undefined } : undefined,
    accept_proxy: socket.proxy ? trusted(socket, ["0.0.0.0/0", "::/0"], draft) : undefined,
    pool,
    timeouts: { handshake },
    limits: { connections_per_source: perSource(socket, context) },
    access_log: accessLog(socket, context),
  };
  return undefined;
}

function poolOf({ args: [address = ""] }: Directive, scope: Scope, context: NginxContext): string {
  const upstream = context.upstreams.get(address);
  const tls = scope.value("proxy_ssl") === "on";
  const base =
    upstream === undefined
      ? { servers: [withPort(address, tls)] }
      : upstreamData(upstream, context.draft, tls);
  const silence = duration(scope.value("proxy_timeout"));
  const data: Data = {
    ...base,
    timeouts: {
      connect: duration(scope.value("proxy_connect_timeout")),
      tunnel: silence,
      idle: silence,
    },
    retry: retryOf(scope),
    tls: tls ? serverTlsOf(scope, context) : undefined,
    send_proxy: scope.value("proxy_protocol") === "on" ? "v1" : undefined,
  };
  const plain = address.replace(/[^\w.-]+/gu, "-").replace(/^-|-$/gu, "");
  // Requests and connections have pools of their own.
  const isTaken = context.draft.pools[plain] !== undefined && !context.carried.has(plain);
  const name = namedPool(isTaken ? `${plain}-tcp` : plain, data, context);
  context.carried.add(name);
  return name;
}

function retryOf(scope: Scope): Data | undefined {
  if (scope.value("proxy_next_upstream") === "off") return { attempts: 0 };
  const tries = Number(scope.value("proxy_next_upstream_tries") ?? 0);
  return tries === 0 ? undefined : { attempts: Math.min(10, tries - 1) };
}

function duration(text: string | undefined): string | undefined {
  const ms = timeMs(text);
  return ms === undefined ? undefined : durationText(ms);
}

function freeName(base: string, taken: Readonly<Record<string, unknown>>): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (taken[name] === undefined) return name;
  }
}
