/** Settings of the proxy engine for tests: nothing is added to a head unless a test asks for it. */

import type {
  OutlierSettings,
  PoolTimeouts,
  RetrySettings,
} from "../../src/core/balance/pool-settings.ts";
import { FRONTEND_DEFAULTS } from "../../src/core/proxy/frontend-defaults.ts";
import type { BalanceSettings, FrontendSettings } from "../../src/core/proxy/frontend-settings.ts";
import type { RouteSettings } from "../../src/core/route/route-settings.ts";
import { type PoolDraft, poolSettings, type ServerDraft } from "./pool-rig.ts";

export type FrontendDraft = Partial<
  Omit<FrontendSettings, "routes" | "timeouts" | "limits" | "shedding">
> & {
  readonly routes?: readonly RouteDraft[];
  readonly timeouts?: Partial<FrontendSettings["timeouts"]>;
  readonly limits?: Partial<FrontendSettings["limits"]>;
  readonly shedding?: Partial<FrontendSettings["shedding"]>;
};

export type RouteDraft = Partial<RouteSettings>;

export interface PoolsDraft {
  readonly [name: string]: PoolDraft & { readonly servers?: readonly ServerDraft[] };
}

export interface BalanceDraft {
  readonly frontend?: FrontendDraft;
  /** Default: `web` with one server, `web1`, and one attempt more on another one. */
  readonly pools?: PoolsDraft;
}

const NO_EDITS = { remove: [], set: [], add: [] };

export function routeSettings(draft: RouteDraft, index: number): RouteSettings {
  return {
    name: `route${index + 1}`,
    when: {},
    target: { kind: "pools", pools: [{ pool: "web", weight: 1 }] },
    requestHeaders: NO_EDITS,
    responseHeaders: NO_EDITS,
    priority: "normal",
    ...draft,
  };
}

/** Edits of heads with only what is named. */
export function edits(
  draft: Partial<RouteSettings["requestHeaders"]>,
): RouteSettings["requestHeaders"] {
  return { ...NO_EDITS, ...draft };
}

const POOL = poolSettings([]);

export function retrySettings(draft: Partial<RetrySettings>): RetrySettings {
  return { ...POOL.retry, ...draft };
}

export function timeoutSettings(draft: Partial<PoolTimeouts>): PoolTimeouts {
  return { ...POOL.timeouts, ...draft };
}

/** No server is ever ejected for its answers. */
export const NO_EJECTION: OutlierSettings = { ...POOL.outlier, enabled: false };

export function frontendSettings(draft: FrontendDraft = {}): FrontendSettings {
  const { timeouts, limits, shedding, routes, ...rest } = draft;
  const base = FRONTEND_DEFAULTS;
  return {
    ...base,
    name: "www",
    binds: [{ kind: "ip", address: "10.0.0.100", port: 80 }],
    timeouts: { ...base.timeouts, ...timeouts },
    limits: { ...base.limits, ...limits },
    shedding: { ...base.shedding, maxInFlight: 10, ...shedding },
    accessLog: { format: "json", file: "-" },
    forwarded: "off",
    requestIdHeader: "",
    routes: (routes ?? []).map(routeSettings),
    defaultPool: "web",
    healthPath: "/healthz",
    readyPath: "/readyz",
    ...rest,
  };
}

export function balanceSettings({ frontend, pools }: BalanceDraft): BalanceSettings {
  const all = Object.entries(pools ?? { web: {} });
  return {
    workers: 1,
    frontends: [frontendSettings(frontend)],
    pools: all.map(([name, { servers = [{}], ...draft }]) =>
      poolSettings(servers, { name, algorithm: { kind: "first" }, ...draft }),
    ),
  };
}
