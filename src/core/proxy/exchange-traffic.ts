/** What one exchange adds to the numbers of its pool and of the server that was asked last. */

import type { Outcome } from "../balance/pool-ports.ts";
import type { Exchange } from "./exchange.ts";
import { COUNTERS, type Traffic } from "./traffic.ts";

/** The exchange is over, well or not. */
export function countFinished(traffic: Traffic, { record, group, placedAt }: Exchange): void {
  if (placedAt >= 0) traffic.add(COUNTERS.inFlight, -1);
  // A tunnel's length says nothing about how quickly anybody answered.
  if (record.status !== 101) {
    traffic.totalTime.record(record.totalMs);
    group?.traffic.totalTime.record(record.totalMs);
  }
  if (record.answerMs < 0) return;
  traffic.answerTime.record(record.answerMs);
  group?.traffic.answerTime.record(record.answerMs);
}

/** One attempt failed. */
export function countFailed(traffic: Traffic, exchange: Exchange, outcome: Outcome): void {
  const counter =
    outcome === "connect-failed"
      ? COUNTERS.connectErrors
      : outcome === "timeout"
        ? COUNTERS.timeouts
        : COUNTERS.answerErrors;
  traffic.add(counter, 1);
  exchange.server!.group.traffic.add(counter, 1);
}

/** From the attempt's start to the first byte of the answer; -1 = none came. */
export function latencyOf({ answeredAt, attemptAt }: Exchange): number {
  return answeredAt < 0 ? -1 : answeredAt - attemptAt;
}
