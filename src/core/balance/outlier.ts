/**
 * Who is to be ejected, judged by real traffic. Source: Envoy's outlier detection documentation
 * (consecutive errors, success rate). Whether the pool can spare the server is the pool's question.
 */

import type { OutlierSettings } from "./pool-settings.ts";
import type { Counted, Server } from "./server.ts";

/** Takes one result; gives the reason when its errors in a row are too many. */
export function observeResult(
  server: Server,
  failed: boolean,
  settings: OutlierSettings,
): string | undefined {
  const { shared } = server;
  server.counted.requests++;
  if (!failed) {
    server.errorsInRow = 0;
    shared?.succeeded();
    return undefined;
  }
  server.counted.errors++;
  // Of all workers, where they share it.
  server.errorsInRow = shared?.failed() ?? server.errorsInRow + 1;
  const { enabled, consecutiveErrors } = settings;
  if (!enabled || consecutiveErrors === 0 || server.errorsInRow < consecutiveErrors) {
    return undefined;
  }
  return `${server.errorsInRow} errors in a row`;
}

export interface Outlier {
  readonly server: Server;
  readonly reason: string;
}

/** Those whose success rate is far below the others' in the interval; the worst first. */
export function lowSuccessRates(servers: readonly Server[], settings: OutlierSettings): Outlier[] {
  const { successRateFactor, successRateMinimumHosts, successRateMinimumRequests } = settings;
  if (!settings.enabled || successRateFactor === 0) return [];
  const judged = servers
    .filter((server) => !server.ejected)
    .map((server) => ({ server, ...inInterval(server) }))
    .filter(({ requests }) => requests >= Math.max(1, successRateMinimumRequests))
    .map(({ server, requests, errors }) => ({ server, rate: 1 - errors / requests }))
    .sort((a, b) => a.rate - b.rate);
  if (judged.length === 0 || judged.length < successRateMinimumHosts) return [];
  const mean = judged.reduce((sum, { rate }) => sum + rate, 0) / judged.length;
  const variance = judged.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / judged.length;
  const limit = mean - (successRateFactor / 1000) * Math.sqrt(variance);
  return judged
    .filter(({ rate }) => rate < limit)
    .map(({ server, rate }) => ({
      server,
      reason: `success rate ${percent(rate)}, under ${percent(limit)} (mean ${percent(mean)})`,
    }));
}

/** Of all workers where they share it, however many requests this one has seen itself. */
function inInterval(server: Server): Counted {
  const { countedBefore: before } = server;
  const { requests, errors } = server.shared ?? server.counted;
  return { requests: (requests - before.requests) >>> 0, errors: (errors - before.errors) >>> 0 };
}

/** From now on what is counted belongs to a new interval. */
export function startCounting(server: Server): void {
  const { requests, errors } = server.shared ?? server.counted;
  server.countedBefore.requests = requests;
  server.countedBefore.errors = errors;
}

/** After an interval: who was in all the time is forgiven one step. */
export function forgive(now: number, servers: readonly Server[], intervalMs: number): void {
  for (const server of servers) {
    if (server.ejected || now - server.returnedAt < intervalMs) continue;
    server.ejectionLevel = Math.max(0, server.ejectionLevel - 1);
  }
}

/** The n-th ejection lasts n times as long as the first. */
export function ejectionMs(level: number, settings: OutlierSettings): number {
  return Math.min(level * settings.baseEjectionMs, settings.maxEjectionMs);
}

/** How many servers of `count` may be out at once; one always may. */
export function mayBeEjected(count: number, settings: OutlierSettings): number {
  return Math.max(1, Math.floor((count * settings.maxEjectedPercent) / 100));
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
