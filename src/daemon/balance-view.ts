/** The balancer's status as operators see it: all workers as one, with endpoints and last checks. */

import type { ServerEndpoint } from "../core/balance/pool-settings.ts";
import type { CheckVerdict } from "../core/check/check-settings.ts";
import { serverSubject } from "../config/service/check-targets.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { Traffic } from "../core/proxy/traffic.ts";
import type { ServerNames } from "./balance-names.ts";
import {
  type BalanceStatus,
  type LastCheck,
  type ServedPool,
  type ServedServer,
  trafficNumbers,
  type WorkerStatus,
} from "./balance-status.ts";
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
  /** Why nobody asks them now, by subject. */
  readonly notAsked: ReadonlyMap<string, string>;
  readonly names: Pick<ServerNames, "troubleOf">;
}

export function viewOf(sources: ViewSources): BalanceStatus {
  const { living, past, service, verdicts, notAsked, names } = sources;
  const { frontends, pools } = addUp(living, past);
  const workers = living.map(({ frontends: _frontends, pools: _pools, ...worker }) => worker);
  const viewed = pools.map((pool) => ({
    ...pool,
    servers: [...pool.servers, ...nameless(pool, service, names)].map((server) => {
      const subject = serverSubject(pool.name, server.name);
      const seen = verdicts.get(subject);
      const suspended = notAsked.get(subject);
      const configured = service.balance.pools
        .find(({ name }) => name === pool.name)
        ?.servers.find(({ name }) => name === server.name);
      const endpoint = configured === undefined ? "" : endpointText(configured.endpoint);
      return {
        ...server,
        endpoint,
        ...(seen === undefined ? {} : { check: lastCheck(seen) }),
        ...(suspended === undefined ? {} : { suspended }),
      };
    }),
  }));
  return { workers, frontends, pools: viewed };
}

/** No worker knows servers whose names have no address; operators wrote them and look for them. */
function nameless(
  { name, servers }: Pick<ServedPool, "name" | "servers">,
  { balance }: ServiceModel,
  names: ViewSources["names"],
): ServedServer[] {
  const known = new Set(servers.map((server) => server.name));
  const configured = balance.pools.find((pool) => pool.name === name)?.servers ?? [];
  return configured.flatMap((server): ServedServer[] => {
    const { endpoint, tier, weight, maxConnections } = server;
    const trouble = endpoint.kind === "name" ? names.troubleOf(endpoint.host) : undefined;
    if (trouble === undefined || known.has(server.name)) return [];
    return [
      {
        name: server.name,
        tier,
        weight,
        maxConnections,
        state: "down",
        reason: `its name does not resolve: ${trouble.reason}`,
        sinceMs: monotonicMs() - trouble.sinceMs,
        usable: false,
        effectiveWeight: weight,
        active: 0,
        latencyMs: -1,
        started: 0,
        failed: 0,
        ejections: 0,
        traffic: trafficNumbers(new Traffic(), true),
      },
    ];
  });
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
