/** The balancer's status as operators see it: all workers as one, with endpoints and last checks. */

import type { ServerEndpoint } from "../core/balance/pool-settings.ts";
import type { CheckVerdict } from "../core/check/check-settings.ts";
import { serverSubject } from "../config/service/check-targets.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { BalanceStatus, LastCheck, WorkerStatus } from "./balance-status.ts";
import { addUp } from "./balance-totals.ts";

export interface SeenVerdict {
  readonly verdict: CheckVerdict;
  readonly atMs: number;
}

export interface ViewSources {
  readonly living: readonly WorkerStatus[];
  readonly past: readonly WorkerStatus[];
  readonly service: ServiceModel;
  /** By subject. */
  readonly verdicts: ReadonlyMap<string, SeenVerdict>;
}

export function viewOf({ living, past, service, verdicts }: ViewSources): BalanceStatus {
  const { frontends, pools } = addUp(living, past);
  const workers = living.map(({ frontends: _frontends, pools: _pools, ...worker }) => worker);
  const viewed = pools.map((pool) => ({
    ...pool,
    servers: pool.servers.map((server) => {
      const seen = verdicts.get(serverSubject(pool.name, server.name));
      const configured = service.balance.pools
        .find(({ name }) => name === pool.name)
        ?.servers.find(({ name }) => name === server.name);
      const endpoint = configured === undefined ? "" : endpointText(configured.endpoint);
      return { ...server, endpoint, ...(seen === undefined ? {} : { check: lastCheck(seen) }) };
    }),
  }));
  return { workers, frontends, pools: viewed };
}

function lastCheck({ verdict, atMs }: SeenVerdict): LastCheck {
  const { up, reason, latencyMs, warning } = verdict;
  const agoMs = Math.max(0, monotonicMs() - atMs);
  return { up, reason, latencyMs, agoMs, ...(warning === undefined ? {} : { warning }) };
}

/** `10.0.0.1:80`, `[::1]:80`, `web1.example:80`, `/run/app.sock`. */
export function endpointText(endpoint: ServerEndpoint): string {
  if (endpoint.kind === "unix") return endpoint.path;
  const host = endpoint.kind === "name" ? endpoint.host : endpoint.address;
  return host.includes(":") ? `[${host}]:${endpoint.port}` : `${host}:${endpoint.port}`;
}
