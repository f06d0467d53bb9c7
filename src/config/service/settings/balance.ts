/** Checks, pools and frontends of a file, and what must hold between them. */

import type { PoolSettings } from "../../../core/balance/pool-settings.ts";
import type { CheckSettings } from "../../../core/check/check-settings.ts";
import type { PoolNotices } from "../../../core/check/server-notices.ts";
import type { BalanceSettings } from "../../../core/proxy/frontend-settings.ts";
import type { Model } from "../../model.ts";
import type { FrontendDocument } from "../schema/frontend-schema.ts";
import type { ServiceDocument } from "../schema/service-schema.ts";
import { buildCheck } from "./check.ts";
import { type BuildContext, optional } from "./context.ts";
import { buildFrontend, refuseSharedPorts } from "./frontend.ts";
import { noticesOf, poolName } from "./notices.ts";
import { buildPool } from "./pool.ts";

export interface BuiltBalance {
  readonly balance: BalanceSettings;
  readonly checks: readonly CheckSettings[];
  readonly notices: readonly PoolNotices[];
}

type Heard = Pick<Model, "fifos" | "mail" | "logAllFailures" | "startNotices">;

export function buildBalance(
  document: Pick<ServiceDocument, "checks" | "frontends" | "pools" | "workers">,
  { fifos, mail, logAllFailures, startNotices }: Heard,
  context: BuildContext,
): BuiltBalance {
  const named = Object.entries(document.checks).flatMap(
    ([name, check]) => buildCheck(name, check, context) ?? [],
  );
  const ownChecks: CheckSettings[] = [];
  const checkNames = Object.keys(document.checks);
  const behindTls = (pool: string): boolean => {
    const fronts = Object.values(document.frontends).filter((one) => leadsTo(one, pool));
    return fronts.length > 0 && fronts.every((one) => one.tls !== undefined);
  };
  const carriesTcp = (pool: string): boolean =>
    Object.values(document.frontends).some((one) => one.mode === "tcp" && one.pool === pool);
  const pools = Object.entries(document.pools).map(([name, pool]) =>
    buildPool(name, pool, { context, checkNames, ownChecks, behindTls, carriesTcp }),
  );
  const poolNames = Object.keys(document.pools);
  const frontends = Object.entries(document.frontends).map(([name, frontend]) =>
    buildFrontend(name, frontend, { context, poolNames }),
  );
  refuseSharedPorts(frontends, document.frontends, context);
  warnAboutUnusedPools(document, context);
  refuseMixedPools(document, context);
  const checks = [...named, ...ownChecks].map((check) =>
    logAllFailures === true ? { logFailures: true, ...check } : check,
  );
  warnAboutPlainChecks(pools, { document, checks }, context);
  const hasFifo = fifos.all.target !== undefined || fifos.lvs.target !== undefined;
  const nameOf = (pool: string): string => {
    const fronts = frontends.filter(({ name }) => leadsTo(document.frontends[name]!, pool));
    return poolName(pool, fronts);
  };
  return {
    balance: { workers: document.workers, frontends, pools },
    checks,
    notices: pools.flatMap((pool) => {
      const start = optional("startNotices", startNotices);
      const told = { pool, checks, name: nameOf(pool.name), hasFifo, mail, ...start };
      return noticesOf(document.pools[pool.name]!, told, context) ?? [];
    }),
  };
}

function leadsTo(frontend: FrontendDocument, pool: string): boolean {
  return (
    frontend.pool === pool ||
    frontend.routes.some((route) => route.pool === pool || Object.hasOwn(route.pools ?? {}, pool))
  );
}

/** Requests and connections are counted, retried and kept in different ways. */
function refuseMixedPools(
  { frontends }: Pick<ServiceDocument, "frontends">,
  { findings, places }: BuildContext,
): void {
  const all = Object.entries(frontends);
  for (const [name, { mode, pool }] of all) {
    if (mode !== "tcp" || pool === undefined) continue;
    const other = all.find(([, one]) => one.mode === "http" && leadsTo(one, pool));
    if (other === undefined) continue;
    const reason = `pool ${pool} serves requests of ${other[0]} and connections of ${name}`;
    const at = places.at(frontends[name]!, "pool");
    findings.error(at, reason, "make two pools of it; their servers may be the same");
  }
}

function warnAboutUnusedPools(
  { frontends, pools }: Pick<ServiceDocument, "frontends" | "pools">,
  { findings, places }: BuildContext,
): void {
  for (const [name, pool] of Object.entries(pools)) {
    if (Object.values(frontends).some((frontend) => leadsTo(frontend, name))) continue;
    const next = `add pool: ${name} to a frontend or route`;
    findings.warn(places.of(pool), `no frontend leads to pool ${name}`, next);
  }
}

/** HAProxy's checks speak TLS where the server does; here a check says so itself, and `tcp` sees no difference. */
function warnAboutPlainChecks(
  pools: readonly PoolSettings[],
  { document, checks }: { document: Pick<ServiceDocument, "pools">; checks: CheckSettings[] },
  { findings, places }: BuildContext,
): void {
  for (const { name, tls, servers } of pools) {
    if (tls === undefined) continue;
    const used = new Set(servers.flatMap(({ check, alsoChecks = [] }) => [check, ...alsoChecks]));
    for (const { name: check, protocol, port, address } of checks) {
      const isPlain = protocol.kind === "http" || protocol.kind === "grpc";
      if (!used.has(check) || !isPlain || protocol.tls !== undefined) continue;
      if (port !== undefined || address !== undefined) continue;
      const reason = `pool ${name} speaks TLS to its servers, check ${check} asks the same port without`;
      const next = protocol.kind === "http" ? "write https" : "add: tls: true";
      findings.warn(places.of(document.pools[name]!), reason, `${next}, or the port without TLS`);
    }
  }
}
