/** What one worker says of itself, and what all of them together are. */

import type { PoolStatus, ServerStatus } from "../core/balance/pool-ports.ts";
import type { CounterName, Traffic } from "../core/proxy/traffic.ts";

/** Times of one kind, as the metrics page needs them; the buckets are those of `Histogram`. */
export interface HistogramNumbers {
  readonly counts: readonly number[];
  readonly sumMs: number;
  readonly total: number;
}

export interface TrafficNumbers {
  readonly counts: Readonly<Record<CounterName, number>>;
  /** Only when asked for. */
  readonly totalTime?: HistogramNumbers;
  readonly answerTime?: HistogramNumbers;
}

export interface FrontendStatus {
  readonly name: string;
  readonly listening: readonly string[];
  readonly traffic: TrafficNumbers;
}

export interface ServedServer extends ServerStatus {
  readonly traffic: TrafficNumbers;
}

export interface ServedPool extends Omit<PoolStatus, "servers"> {
  readonly traffic: TrafficNumbers;
  readonly servers: readonly ServedServer[];
}

export interface WorkerStatus {
  readonly pid: number;
  readonly serial: number;
  readonly version: string;
  readonly startedWallMs: number;
  readonly isDraining: boolean;
  readonly residentBytes: number;
  readonly cpuMs: number;
  readonly logLinesDropped: number;
  readonly frontends: readonly FrontendStatus[];
  readonly pools: readonly ServedPool[];
}

/** The last active check of a server. */
export interface LastCheck {
  readonly up: boolean;
  readonly reason: string;
  readonly latencyMs: number;
  readonly agoMs: number;
  readonly warning?: string;
}

export interface PoolServer extends ServedServer {
  /** Where it listens, as in the configuration. */
  readonly endpoint: string;
  readonly check?: LastCheck;
  /** Why nobody asks it now: `checks suspended: 10.0.0.100 is elsewhere`. */
  readonly suspended?: string;
  /** Workers differ: how many of them see it in this state, as `1 of 2 workers`. */
  readonly seenBy?: string;
}

export interface PoolView extends Omit<ServedPool, "servers"> {
  readonly servers: readonly PoolServer[];
}

/** One for all workers. */
export interface BalanceStatus {
  readonly workers: readonly Omit<WorkerStatus, "frontends" | "pools">[];
  readonly frontends: readonly FrontendStatus[];
  readonly pools: readonly PoolView[];
}

export function trafficNumbers(traffic: Traffic, histograms: boolean): TrafficNumbers {
  const counts = traffic.toRecord();
  if (!histograms) return { counts };
  const { totalTime, answerTime } = traffic;
  const numbers = ({ counts: buckets, sumMs, total }: Traffic["totalTime"]): HistogramNumbers => ({
    counts: Array.from(buckets),
    sumMs,
    total,
  });
  return { counts, totalTime: numbers(totalTime), answerTime: numbers(answerTime) };
}
