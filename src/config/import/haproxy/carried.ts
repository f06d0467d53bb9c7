/**
 * Sections in `mode tcp` become frontends and pools with `mode: tcp`. One that tells its connections
 * apart, or shuts some out, is not carried over: everybody would get in, or to another backend.
 */

import type { Data, Draft } from "../draft.ts";
import { namedBinds, readBinds } from "./binds.ts";
import type { FrontendFacts } from "./frontend.ts";
import { type Bag, timeMs } from "./lines.ts";
import { duration, numberOf } from "./servers.ts";
import { timeoutOf } from "./timeouts.ts";

const SHUTS_OUT: readonly string[] = ["reject", "silent-drop", "tarpit"];

/** The backend that all connections of a frontend go to, or why there is none. */
export function backendOf(bag: Bag): { readonly pool: string } | { readonly why: string } {
  const isShut = bag.lines.some(
    ({ words }) => words[0] === "tcp-request" && words.some((word) => SHUTS_OUT.includes(word)),
  );
  if (isShut) return { why: "it shuts connections out, and mode: tcp lets all of them in" };
  const uses = bag.lines.filter(({ words }) => words[0] === "use_backend");
  const first = uses[0]?.words;
  if (first !== undefined && (first.length > 2 || first[1]?.includes("%[") === true)) {
    return { why: "it tells connections apart, and mode: tcp leads to one pool" };
  }
  const [pool] = bag.last(first === undefined ? "default_backend" : "use_backend") ?? [];
  return pool === undefined ? { why: "nothing leads from here to a server" } : { pool };
}

export type CarriedFacts = Pick<FrontendFacts, "draft" | "bindDefaults" | "maxconn">;

/** False: it listens nowhere. */
export function importCarried(name: string, bag: Bag, pool: string, facts: CarriedFacts): boolean {
  const { draft, bindDefaults } = facts;
  const all = readBinds(bag.all("bind"), bindDefaults, draft);
  const connections = numberOf(bag.last("maxconn")?.[0]) ?? facts.maxconn;
  const handshake = timeoutOf(bag, "client-hs", draft);
  const isLogged = bag.has("option", "tcplog") || bag.has("option", "httplog");
  for (const [own, binds] of namedBinds(name, all)) {
    draft.frontends[own] = {
      mode: "tcp",
      listen: binds.listen,
      tls: binds.tls,
      ...(binds.acceptProxy ? { accept_proxy: ["0.0.0.0/0", "::/0"] } : {}),
      pool,
      timeouts: { handshake },
      limits: connections === undefined ? undefined : { connections: Math.max(1, connections) },
      access_log: isLogged ? "json" : undefined,
    };
  }
  return all.length > 0;
}

/** What a pool of requests has and one of connections does not. */
export function carriedPool(name: string, bag: Bag, draft: Draft): void {
  const pool = draft.pools[name]!;
  // No time is no limit.
  const ms = (side: string): number => timeMs(bag.last("timeout", side)?.[0]) || Infinity;
  timeoutOf(bag, "server", draft);
  const tunnel = timeoutOf(bag, "tunnel", draft) === undefined ? undefined : ms("tunnel");
  const silentMs = tunnel ?? Math.min(ms("server"), ms("client"));
  const longer = ["server", "client"].find((side) => silentMs < ms(side) && ms(side) < Infinity);
  if (longer !== undefined && tunnel === undefined) {
    draft.unneeded(bag.lastLine("timeout", longer)!.at, "of client and server the shorter counts");
  }
  const silence = silentMs === Infinity ? undefined : duration(silentMs);
  const { connect } = pool["timeouts"] as Data;
  const { attempts } = pool["retry"] as Data;
  draft.pools[name] = {
    ...pool,
    balance: balanceOf(pool["balance"], bag, draft),
    sticky: stickyOf(pool["sticky"], bag, draft),
    retry: { attempts },
    timeouts: { connect, tunnel: silence, idle: silence },
    max_idle_per_server: undefined,
    sorry: undefined,
  };
}

function balanceOf(balance: unknown, bag: Bag, draft: Draft): unknown {
  const isObject = typeof balance === "object" && balance !== null;
  const text = typeof balance === "string" ? balance : "";
  const key = isObject ? (balance as Data)["key"] : /^hash (.*)$/u.exec(text)?.[1];
  if (key === undefined || key === "source") return balance;
  draft.lost(bag.lastLine("balance")!.at, "a connection has no request: round-robin was taken");
  return "round-robin";
}

function stickyOf(sticky: unknown, bag: Bag, draft: Draft): unknown {
  const { cookie, table } = (sticky ?? {}) as { cookie?: Data; table?: Data };
  const line = bag.lastLine(cookie === undefined ? "stick" : "cookie");
  if (cookie === undefined && (table === undefined || table["key"] === "source")) return sticky;
  draft.lost(line!.at, "a connection has no request: write sticky: source");
  return undefined;
}
