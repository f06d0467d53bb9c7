/** What drills must know of a configuration, besides what a running node tells of itself. */

import type { PoolSettings, ServerSettings } from "../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../core/check/check-settings.ts";
import type { Configured } from "../../core/drill/facts.ts";
import { serverSubject } from "./check-targets.ts";
import { detectionOf } from "./detection.ts";
import type { ServiceModel } from "./service-model.ts";

export function drillSettings(
  service: Pick<ServiceModel, "vrrp" | "balance" | "checks">,
): Configured {
  const checks = new Map(service.checks.map((check) => [check.name, check]));
  return {
    instances: service.vrrp.vrrp.instances,
    worstMs: new Map(
      service.balance.pools.flatMap((pool) =>
        pool.servers.map((server) => [
          serverSubject(pool.name, server.name),
          worstMs(pool, server, checks),
        ]),
      ),
    ),
  };
}

/** The slowest of its checks may be the one that finds it out; without any only requests do, by waiting in vain. */
function worstMs(
  { timeouts, outlier }: PoolSettings,
  { check, alsoChecks = [] }: ServerSettings,
  checks: ReadonlyMap<string, CheckSettings>,
): number {
  if (check === undefined) {
    return outlier.enabled ? outlier.consecutiveErrors * timeouts.responseMs : Infinity;
  }
  const times = [check, ...alsoChecks].map((name) => {
    const found = checks.get(name);
    return found === undefined ? 0 : detectionOf(found.timing).worstMs;
  });
  return Math.max(...times);
}
