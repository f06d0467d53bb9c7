/** What one worker says of itself: its engine's numbers in the form of the protocol. */

import type { Engine } from "../core/proxy/engine.ts";
import { Traffic } from "../core/proxy/traffic.ts";
import type { Fronts } from "./balance-fronts.ts";
import { trafficNumbers, type ServedServer, type WorkerStatus } from "./balance-status.ts";

export interface StatusSources {
  readonly engine: Engine;
  readonly fronts: Fronts;
  readonly own: Pick<WorkerStatus, "serial" | "version" | "startedWallMs" | "isDraining">;
  readonly logLinesDropped: number;
}

/** Of servers that were never asked. */
const NOTHING = new Traffic();

export function workerStatus(
  now: number,
  { engine, fronts, own, logLinesDropped }: StatusSources,
  histograms: boolean,
): WorkerStatus {
  const { user, system } = process.cpuUsage();
  return {
    ...own,
    pid: process.pid,
    residentBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
    logLinesDropped,
    frontends: [...engine.frontends].map(({ name, settings, traffic }) => ({
      name,
      listening: fronts.listeningOf(settings),
      traffic: trafficNumbers(traffic, histograms),
    })),
    pools: [...engine.dispatchers].map(({ pool, traffic, groups }) => {
      const byName = new Map([...groups].map((group) => [group.server.name, group.traffic]));
      const { servers, ...rest } = pool.status(now);
      return {
        ...rest,
        traffic: trafficNumbers(traffic, histograms),
        servers: servers.map((server): ServedServer => {
          const own = byName.get(server.name) ?? NOTHING;
          return { ...server, traffic: trafficNumbers(own, histograms) };
        }),
      };
    }),
  };
}
