/**
 * A configuration's pools as workers and checks get them: addresses for names, orders applied; and
 * what their servers are called.
 */

import type { PoolSettings, ServerSettings } from "../core/balance/pool-settings.ts";
import type { BalanceSettings } from "../core/proxy/frontend-settings.ts";
import { closest } from "../lib/spelling.ts";
import type { PoolOverrides } from "./balance-protocol.ts";

/** Servers that an error message names. */
const MAX_TOLD = 12;

/** Names of servers that have no address of their own. */
export function serverHosts(pools: readonly PoolSettings[]): readonly string[] {
  return pools.flatMap((pool) =>
    pool.servers.flatMap(({ endpoint }) => (endpoint.kind === "name" ? [endpoint.host] : [])),
  );
}

/**
 * One worker's part of what servers and lines may hold: all workers together stay at what was
 * configured, rounded up so that each has a place.
 */
export function shared(settings: BalanceSettings): BalanceSettings {
  const part = (whole: number): number => Math.ceil(whole / settings.workers);
  const pools = settings.pools.map((pool) => ({
    ...pool,
    queue: { ...pool.queue, limit: part(pool.queue.limit) },
    servers: pool.servers.map((server) => ({
      ...server,
      maxConnections: part(server.maxConnections),
      workers: settings.workers,
    })),
  }));
  return { ...settings, pools };
}

/** A server whose name has no address (yet) is left out. */
export function resolved(
  settings: BalanceSettings,
  addressOf: (host: string) => string | undefined,
): BalanceSettings {
  const resolve = (server: ServerSettings): readonly ServerSettings[] => {
    const { endpoint } = server;
    if (endpoint.kind !== "name") return [server];
    const { host, port } = endpoint;
    const address = addressOf(host);
    if (address === undefined) return [];
    return [{ ...server, endpoint: { kind: "ip", address, port, host } }];
  };
  const pools = settings.pools.map((pool) => ({ ...pool, servers: pool.servers.flatMap(resolve) }));
  return { ...settings, pools };
}

/** What operators ordered stands in place of what was configured. */
export function withOverrides(
  pools: readonly PoolSettings[],
  overrides: readonly PoolOverrides[],
): readonly PoolSettings[] {
  return pools.map((pool) => {
    const ordered = overrides.find((one) => one.pool === pool.name)?.servers ?? [];
    const servers = pool.servers.map((server) => {
      const admin = ordered.find((one) => one.server === server.name)?.admin;
      return admin === undefined ? server : { ...server, admin: admin.state };
    });
    return { ...pool, servers };
  });
}

/** `pool/server` of all. */
export function serverNames(pools: readonly PoolSettings[]): readonly string[] {
  return pools.flatMap((pool) => pool.servers.map((server) => `${pool.name}/${server.name}`));
}

/** What is wrong, and the next move. */
export function unknownServer(name: string, known: readonly string[]): string {
  const meant = closest(name, known) ?? known.find((one) => one.endsWith(`/${name}`));
  if (meant !== undefined) return `no server '${name}'; did you mean '${meant}'?`;
  const others = known.length > MAX_TOLD ? `, ... (${known.length} in all: nines pool)` : "";
  const list = known.slice(0, MAX_TOLD).join(", ") || "none";
  return `no server '${name}'; there are: ${list}${others}`;
}
