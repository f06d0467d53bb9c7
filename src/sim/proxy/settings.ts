/** The configuration of the balancer in a simulated run. */

import { POOL_DEFAULTS } from "../../core/balance/pool-defaults.ts";
import type { PoolSettings, ServerSettings, Stickiness } from "../../core/balance/pool-settings.ts";
import { FRONTEND_DEFAULTS } from "../../core/proxy/frontend-defaults.ts";
import type { BalanceSettings, FrontendSettings } from "../../core/proxy/frontend-settings.ts";
import type { WorldPlan } from "./scenario.ts";

export const FRONTEND = "www";
export const POOL = "web";

/** `absent`: servers that are not configured at the moment. */
export function settingsOf(
  scenario: WorldPlan,
  mode: FrontendSettings["mode"],
  absent: ReadonlySet<string> = new Set(),
): BalanceSettings {
  const servers = scenario.servers
    .filter(({ name }) => !absent.has(name))
    .map(({ name, maxConnections }, i): ServerSettings => {
      const endpoint = { kind: "ip", address: `10.0.0.${i + 1}`, port: 80 } as const;
      return { name, endpoint, weight: 1, tier: 0, maxConnections, admin: "ready" };
    });
  return { workers: 1, frontends: [frontend(mode)], pools: [pool(scenario, servers)] };
}

function frontend(mode: FrontendSettings["mode"]): FrontendSettings {
  return {
    ...FRONTEND_DEFAULTS,
    name: FRONTEND,
    mode,
    binds: [{ kind: "ip", address: "10.0.0.100", port: 80 }],
    accessLog: { format: "json", file: "-" },
    forwarded: "both",
    traceparent: true,
    defaultPool: POOL,
    healthPath: "/healthz",
    readyPath: "/readyz",
  };
}

/** Shorter, so that they run out within a run. */
function pool(scenario: WorldPlan, servers: readonly ServerSettings[]): PoolSettings {
  const { attempts, bufferBytes, queueLimit, sendProxy } = scenario;
  return {
    ...POOL_DEFAULTS,
    name: POOL,
    servers,
    stickiness: stickiness(scenario),
    retry: { ...POOL_DEFAULTS.retry, attempts, bufferBytes },
    queue: { ...POOL_DEFAULTS.queue, limit: queueLimit },
    timeouts: {
      connectMs: 1000,
      responseMs: 5000,
      idleMs: 5000,
      tunnelMs: 20_000,
      keepAliveMs: 4000,
    },
    drainDeadlineMs: 10_000,
    sendProxy,
  };
}

function stickiness({ sticky }: WorldPlan): Stickiness {
  switch (sticky) {
    case "none":
      return { kind: "none" };
    case "table":
      return { kind: "table", key: { of: "source" }, size: 100, ttlMs: 60_000 };
    case "insert":
      return {
        kind: "cookie",
        name: "srv",
        mode: "insert",
        secret: new Uint8Array(32).fill(7),
        maxAgeMs: 0,
        maxIdleMs: 0,
        secure: false,
        sameSite: "lax",
      };
  }
}
