/** A configuration's pools as workers and checks get them: addresses for names, orders applied. */

import type { PoolSettings, ServerSettings } from "../core/balance/pool-settings.ts";
import type { BalanceSettings } from "../core/proxy/frontend-settings.ts";
import type { PoolOverrides } from "./balance-protocol.ts";

/** Names of servers that have no address of their own. */
export function serverHosts(pools: readonly PoolSettings[]): readonly string[] {
  return pools.flatMap((pool) =>
    pool.servers.flatMap(({ endpoint }) => (endpoint.kind === "name" ? [endpoint.host] : [])),
  );
}

/** A server whose name has no address (yet) is left out. */
export function resolved(
  settings: BalanceSettings,
  addressOf: (host: string) => string | undefined,
): BalanceSettings {
  const resolve = (server: ServerSettings): readonly ServerSettings[] => {
    const { endpoint } = server;
    if (endpoint.kind !== "name") return [server];
    const address = addressOf(endpoint.host);
    if (address === undefined) return [];
    return [{ ...server, endpoint: { kind: "ip", address, port: endpoint.port } }];
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
