/** Many workers as one: numbers are added up, states are compared. Pure. */

import { COUNTER_NAMES, type CounterName } from "../core/proxy/traffic.ts";
import type {
  FrontendStatus,
  HistogramNumbers,
  PoolServer,
  PoolView,
  ServedPool,
  ServedServer,
  TrafficNumbers,
  WorkerStatus,
} from "./balance-status.ts";

/** What is now and not since the start: of a worker that ended, nothing. */
const GAUGES: ReadonlySet<CounterName> = new Set(["openConnections", "inFlight"]);

export interface Totals {
  readonly frontends: readonly FrontendStatus[];
  readonly pools: readonly PoolView[];
}

/** `retired`: last words of workers that have ended. */
export function addUp(living: readonly WorkerStatus[], retired: readonly WorkerStatus[]): Totals {
  const gone = retired.map((status) => ({ ...status, ...withoutGauges(status) }));
  const all = [...living, ...gone];
  const current = living.length === 0 ? gone.slice(-1) : living;
  const frontends = names(current, (status) => status.frontends).map((name) => {
    const parts = all.flatMap(({ frontends: list }) => list.filter((one) => one.name === name));
    // One that drains, or has just begun, listens on nothing; the others do.
    const doors = living.flatMap(({ frontends: list }) => list.filter((one) => one.name === name));
    const listening = [...new Set(doors.flatMap((one) => one.listening))];
    return { name, listening, traffic: addTraffic(parts.map((part) => part.traffic)) };
  });
  const pools = names(current, (status) => status.pools).map((name) =>
    addPools(
      pick(current, name),
      pick(all, name).map((pool) => pool),
    ),
  );
  return { frontends, pools };
}

/** Last words with the sum of earlier ones, so that the list of the dead does not grow. */
export function retire(last: WorkerStatus, before: WorkerStatus | undefined): WorkerStatus {
  if (before === undefined) return { ...last, ...withoutGauges(last) };
  const { frontends, pools } = addUp([], [before, last]);
  return { ...last, frontends, pools };
}

/** One that came without its histograms, with those of an earlier look. */
export function withHistograms(
  status: WorkerStatus,
  earlier: WorkerStatus | undefined,
): WorkerStatus {
  if (earlier === undefined) return status;
  const known = new Map(earlier.pools.map((pool) => [pool.name, pool.servers]));
  const pools = filled(status.pools, earlier.pools).map((pool) => {
    return { ...pool, servers: filled(pool.servers, known.get(pool.name) ?? []) };
  });
  return { ...status, frontends: filled(status.frontends, earlier.frontends), pools };
}

function filled<T extends { readonly name: string; readonly traffic: TrafficNumbers }>(
  list: readonly T[],
  earlier: readonly T[],
): T[] {
  const known = new Map(earlier.map(({ name, traffic }) => [name, traffic]));
  return list.map((one) => ({ ...one, traffic: { ...known.get(one.name), ...one.traffic } }));
}

function pick(workers: readonly WorkerStatus[], name: string): readonly ServedPool[] {
  return workers.flatMap(({ pools }) => pools.filter((pool) => pool.name === name));
}

function names(
  workers: readonly WorkerStatus[],
  list: (status: WorkerStatus) => readonly { readonly name: string }[],
): readonly string[] {
  return [...new Set(workers.flatMap((status) => list(status).map(({ name }) => name)))];
}

function addPools(current: readonly ServedPool[], all: readonly ServedPool[]): PoolView {
  const [first] = current;
  const servers = [...new Set(current.flatMap((pool) => pool.servers.map(({ name }) => name)))];
  const found = (pools: readonly ServedPool[], name: string): readonly ServedServer[] =>
    pools.flatMap((pool) => pool.servers.filter((server) => server.name === name));
  return {
    ...first!,
    panic: current.some((pool) => pool.panic),
    waiting: sum(current, (pool) => pool.waiting),
    retryBalance: sum(current, (pool) => pool.retryBalance),
    traffic: addTraffic(all.map((pool) => pool.traffic)),
    servers: servers.map((name) => addServers(found(current, name), found(all, name))),
  };
}

/** The state that most workers see; health and orders are the same for all, ejections are not. */
function addServers(current: readonly ServedServer[], all: readonly ServedServer[]): PoolServer {
  const counted = new Map<string, number>();
  for (const { state } of current) counted.set(state, (counted.get(state) ?? 0) + 1);
  const [state] = [...counted].reduce((best, next) => (next[1] > best[1] ? next : best));
  const shown = current.find((server) => server.state === state)!;
  const agreeing = counted.get(state)!;
  const latencies = current.filter((server) => server.latencyMs >= 0);
  const active = sum(current, (server) => server.active);
  const { drain } = shown;
  return {
    ...shown,
    endpoint: "",
    active,
    maxConnections: sum(current, (server) => server.maxConnections),
    effectiveWeight: sum(current, (server) => server.effectiveWeight) / current.length,
    latencyMs:
      latencies.length === 0 ? -1 : sum(latencies, (one) => one.latencyMs) / latencies.length,
    started: sum(all, (server) => server.started),
    failed: sum(all, (server) => server.failed),
    ejections: sum(all, (server) => server.ejections),
    traffic: addTraffic(all.map((server) => server.traffic)),
    ...(drain === undefined ? {} : { drain: addDrains(current, drain) }),
    ...(agreeing === current.length ? {} : { seenBy: `${agreeing} of ${current.length} workers` }),
  };
}

function addDrains(
  servers: readonly ServedServer[],
  shown: NonNullable<ServedServer["drain"]>,
): NonNullable<ServedServer["drain"]> {
  const requests = sum(servers, (server) => server.drain?.requests ?? 0);
  const leftMs = Math.max(...servers.map((server) => server.drain?.leftMs ?? 0));
  const text = shown.text.replace(
    /\d+ requests?/,
    `${requests} request${requests === 1 ? "" : "s"}`,
  );
  return { requests, leftMs, text };
}

export function addTraffic(parts: readonly TrafficNumbers[]): TrafficNumbers {
  const counts = {} as Record<CounterName, number>;
  for (const name of COUNTER_NAMES) counts[name] = sum(parts, (part) => part.counts[name] ?? 0);
  const totalTime = addHistograms(parts.flatMap((part) => part.totalTime ?? []));
  const answerTime = addHistograms(parts.flatMap((part) => part.answerTime ?? []));
  return {
    counts,
    ...(totalTime === undefined ? {} : { totalTime }),
    ...(answerTime === undefined ? {} : { answerTime }),
  };
}

function addHistograms(parts: readonly HistogramNumbers[]): HistogramNumbers | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const counts = first.counts.map((_, i) => sum(parts, (part) => part.counts[i] ?? 0));
  return { counts, sumMs: sum(parts, (part) => part.sumMs), total: sum(parts, (p) => p.total) };
}

function withoutGauges(status: WorkerStatus): Pick<WorkerStatus, "frontends" | "pools"> {
  const still = (traffic: TrafficNumbers): TrafficNumbers => {
    const counts = { ...traffic.counts };
    for (const name of GAUGES) counts[name] = 0;
    return { ...traffic, counts };
  };
  const frontends = status.frontends.map((one) => ({ ...one, traffic: still(one.traffic) }));
  const pools = status.pools.map((pool) => ({
    ...pool,
    traffic: still(pool.traffic),
    servers: pool.servers.map((server) => ({ ...server, traffic: still(server.traffic) })),
  }));
  return { frontends, pools };
}

function sum<T>(list: readonly T[], number: (one: T) => number): number {
  return list.reduce((total, one) => total + number(one), 0);
}
