/** The configuration of the balancer in a simulated run. */

import type { PoolSettings, ServerSettings, Stickiness } from "../../core/balance/pool-settings.ts";
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
    name: FRONTEND,
    mode,
    binds: [{ kind: "ip", address: "10.0.0.100", port: 80 }],
    timeouts: { headMs: 10_000, bodyMs: 30_000, keepAliveMs: 60_000, handshakeMs: 5000 },
    limits: {
      headBytes: 16 * 1024,
      headers: 100,
      bodyBytes: 0,
      connections: 10_000,
      connectionsPerSource: 0,
      requestsPerConnection: 0,
    },
    shedding: {
      enabled: false,
      maxInFlight: 1000,
      startPercent: { low: 70, normal: 85, high: 95 },
      degradedHeader: "",
    },
    accessLog: { format: "json", file: "-" },
    acceptProxyFrom: [],
    trustedProxies: [],
    forwarded: "both",
    requestIdHeader: "x-request-id",
    traceparent: true,
    routes: [],
    defaultPool: POOL,
    healthPath: "/healthz",
    readyPath: "/readyz",
  };
}

function pool(scenario: WorldPlan, servers: readonly ServerSettings[]): PoolSettings {
  const { attempts, bufferBytes, queueLimit, sendProxy } = scenario;
  return {
    name: POOL,
    servers,
    algorithm: { kind: "two-choices" },
    stickiness: stickiness(scenario),
    outlier: {
      enabled: true,
      consecutiveErrors: 5,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectedPercent: 10,
      successRateFactor: 1900,
      successRateMinimumHosts: 5,
      successRateMinimumRequests: 100,
    },
    retry: {
      attempts,
      budgetPercent: 20,
      budgetMinimumPerSecond: 10,
      onStatus: [503],
      bufferBytes,
    },
    queue: { limit: queueLimit, timeoutMs: 5000 },
    slowStart: { windowMs: 30_000, aggression: 1, minimumPercent: 10 },
    timeouts: {
      connectMs: 1000,
      responseMs: 5000,
      idleMs: 5000,
      tunnelMs: 20_000,
      keepAliveMs: 4000,
    },
    panicPercent: 0,
    drainDeadlineMs: 10_000,
    killOnDown: true,
    maxIdlePerServer: 64,
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
