/** A frontend of which nothing is said but where it listens: what the schema says, as settings. */

import type { FrontendSettings } from "./frontend-settings.ts";

export const FRONTEND_DEFAULTS: Omit<FrontendSettings, "name" | "binds" | "defaultPool"> = {
  mode: "http",
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
  accessLog: { format: "off", file: "-" },
  acceptProxyFrom: [],
  trustedProxies: [],
  forwarded: "x-forwarded",
  requestIdHeader: "x-request-id",
  traceparent: false,
  routes: [],
  healthPath: "",
  readyPath: "",
};
