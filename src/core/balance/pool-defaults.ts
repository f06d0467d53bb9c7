/** A pool of which nothing is said but its servers: what the configuration's schema says, as settings. */

import type { PoolSettings } from "./pool-settings.ts";

export const POOL_DEFAULTS: Omit<PoolSettings, "name" | "servers"> = {
  algorithm: { kind: "two-choices" },
  stickiness: { kind: "none" },
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
    attempts: 2,
    budgetPercent: 20,
    budgetMinimumPerSecond: 10,
    onStatus: [503],
    bufferBytes: 65_536,
  },
  queue: { limit: 1024, timeoutMs: 5000 },
  slowStart: { windowMs: 30_000, aggression: 1, minimumPercent: 10 },
  timeouts: {
    connectMs: 3000,
    responseMs: 60_000,
    idleMs: 60_000,
    tunnelMs: 3_600_000,
    keepAliveMs: 4000,
  },
  panicPercent: 0,
  drainDeadlineMs: 300_000,
  killOnDown: true,
  maxIdlePerServer: 64,
  sendProxy: "off",
};
