/** Which check is asked of which address: derived from pools and servers, and from tracks. */

import type { CheckSettings, CheckTarget } from "../../core/check/check-settings.ts";
import type { PoolSettings, ServerSettings } from "../../core/balance/pool-settings.ts";
import type { ServiceModel } from "./service-model.ts";

/** Subject of a check that an address tracks, and name of its track reference. */
export function trackSubject(check: string): string {
  return `check:${check}`;
}

/** Subject of the check of one server. */
export function serverSubject(pool: string, server: string): string {
  return `${pool}/${server}`;
}

/** Where a check that names no port asks when its server has none either. */
const USUAL_PORT: Partial<Record<CheckSettings["protocol"]["kind"], number>> = {
  http: 80,
  grpc: 50051,
  smtp: 25,
  dns: 53,
  mysql: 3306,
  postgresql: 5432,
  redis: 6379,
  memcached: 11211,
  ping: 0,
  script: 0,
};

/**
 * One target for each server that has a check and is not in `maint`. `addressOf` resolves the names
 * of servers; a server whose name has no address yet is left out: ask again when it is known.
 */
export function serverTargets(
  service: Pick<ServiceModel, "checks" | "balance">,
  addressOf: (host: string) => string | undefined,
): CheckTarget[] {
  const checks = new Map(service.checks.map((check) => [check.name, check]));
  return service.balance.pools.flatMap((pool) =>
    pool.servers.flatMap((server) => {
      const { check, alsoChecks = [] } = server;
      const names = check === undefined ? [] : [check, ...alsoChecks];
      return names.flatMap(
        (name) => serverTarget({ pool, server, check: checks.get(name), addressOf }) ?? [],
      );
    }),
  );
}

/** Some server has a check, perhaps one whose name has no address yet, or somebody is to be told. */
export function needsChecks({
  balance,
  notices,
}: Pick<ServiceModel, "balance" | "notices">): boolean {
  const servers = balance.pools.flatMap((pool) => pool.servers);
  return notices.length > 0 || servers.some(({ check }) => check !== undefined);
}

/** One target for each check that addresses track. */
export function trackTargets(
  service: Pick<ServiceModel, "checks" | "trackedChecks">,
): CheckTarget[] {
  return service.checks
    .filter(({ name }) => service.trackedChecks.includes(name))
    .map((check) => trackTarget(check));
}

interface ServerSource {
  readonly pool: PoolSettings;
  readonly server: ServerSettings;
  readonly check: CheckSettings | undefined;
  readonly addressOf: (host: string) => string | undefined;
}

function serverTarget({ pool, server, check, addressOf }: ServerSource): CheckTarget | undefined {
  if (check === undefined || server.admin === "maint") return undefined;
  const subject = serverSubject(pool.name, server.name);
  const { endpoint } = server;
  // As with HAProxy: who is asked elsewhere than requests go need not understand the header.
  const isOwn = check.address === undefined && check.port === undefined;
  const header = isOwn && pool.sendProxy !== "off" ? { sendProxy: pool.sendProxy } : {};
  if (endpoint.kind === "unix") {
    if (check.address === undefined) return { subject, check, endpoint, ...header };
    const port = check.port ?? usualPort(check);
    return { subject, check, endpoint: { kind: "ip", address: check.address, port } };
  }
  const own = endpoint.kind === "ip" ? endpoint.address : addressOf(endpoint.host);
  const address = check.address ?? own;
  if (address === undefined) return undefined;
  const port = check.port ?? endpoint.port;
  const isNamed = endpoint.kind === "name" && check.address === undefined;
  const host = isNamed ? { host: endpoint.host } : {};
  return { subject, check, endpoint: { kind: "ip", address, port, ...host }, ...header };
}

function trackTarget(check: CheckSettings): CheckTarget {
  const address = check.address ?? "127.0.0.1";
  const port = check.port ?? usualPort(check);
  return { subject: trackSubject(check.name), check, endpoint: { kind: "ip", address, port } };
}

/** 0: none is known, or the kind of check needs none. */
export function usualPort(check: CheckSettings): number {
  const { protocol } = check;
  if (protocol.kind === "http" && protocol.tls !== undefined) return 443;
  return USUAL_PORT[protocol.kind] ?? 0;
}
