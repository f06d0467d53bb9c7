/** What one exchange adds to the numbers of its pool and of the server that was asked last. */

import type { Outcome } from "../balance/pool-ports.ts";
import type { Exchange } from "./exchange.ts";
import type { AccessRecord } from "./access-record.ts";
import { histogramBucket } from "./histogram.ts";
import { COUNTERS, type CounterName, type Traffic } from "./traffic.ts";

/**
 * Whether the user got what was asked for. Neither: the client left first, or whoever stands in
 * front of us asked whether we live. An error of the client's own (4xx) is a proper answer to it.
 */
export function verdictOn({ status, cause, route, pool }: AccessRecord): CounterName | undefined {
  if (cause === "C" || cause === "c" || status === 0) return undefined;
  if (cause === "L" && route === "" && pool === "") return undefined;
  if (status >= 500) return "bad";
  // The answer began well and was cut; a tunnel that is silent ends some day.
  const isCut = cause === "S" || cause === "D" || cause === "K";
  return isCut || (cause === "s" && status !== 101) ? "bad" : "good";
}

/** The exchange is over, well or not: its frontend, pool and server are told. */
export function countFinished(frontend: Traffic, exchange: Exchange): void {
  const { record, group, placedAt, dispatcher } = exchange;
  const verdict = verdictOn(record);
  // How long a tunnel was, or a client that left, says nothing about how quickly anybody answered.
  const isTimed = record.status !== 101 && verdict !== undefined;
  const total = isTimed ? histogramBucket(record.totalMs) : -1;
  const answer = record.answerMs < 0 ? -1 : histogramBucket(record.answerMs);
  frontend.took(record, total, answer);
  if (verdict !== undefined) frontend.add(COUNTERS[verdict], 1);
  if (dispatcher === undefined) return;
  const { traffic } = dispatcher;
  if (verdict !== undefined) traffic.add(COUNTERS[verdict], 1);
  if (placedAt >= 0) traffic.add(COUNTERS.inFlight, -1);
  traffic.took(record, total, answer);
  group?.traffic.took(record, total, answer);
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
