/**
 * How slow a server is: a moving average of the time to the first byte that jumps up at once and
 * comes down slowly. Source: Finagle's Peak EWMA load balancer. Without news it sinks towards zero,
 * so that a server that was slow is asked again some day.
 */

import type { Server } from "./server.ts";

/** For algorithms that do not say otherwise; the status shows latencies under all of them. */
export const USUAL_DECAY_MS = 10_000;
/** Below what a clock can tell, differences between servers mean nothing. */
const FLOOR_MS = 0.05;
/** A failure counts as an answer that took that many times the average ... */
const FAILURE_FACTOR = 5;
/** ... or that long when there is no average yet. */
const FIRST_FAILURE_MS = 1000;
const CEILING_MS = 60_000;
/** Cost of a server that was never measured and is busy: its first answer is waited for. */
const UNKNOWN_MS = 1e6;

export function observeLatency(
  server: Server,
  now: number,
  latencyMs: number,
  decayMs: number,
): void {
  const kept = keptPart(now - server.latencyAt, decayMs);
  server.latencyMs = peakAverage(server.latencyMs, latencyMs, kept);
  server.answerMs = peakAverage(server.answerMs, latencyMs, kept);
  server.latencyAt = now;
}

function peakAverage(average: number, latencyMs: number, kept: number): number {
  if (average < 0 || latencyMs >= average) return latencyMs;
  return average * kept + latencyMs * (1 - kept);
}

/** A failed server must not look fast because refusing is quick. */
export function observeFailure(
  server: Server,
  now: number,
  latencyMs: number,
  decayMs: number,
): void {
  const average = server.latencyMs;
  const punished = average < 0 ? FIRST_FAILURE_MS : sunk(server, now, decayMs) * FAILURE_FACTOR;
  const countedMs = Math.min(Math.max(punished, latencyMs), CEILING_MS);
  const kept = keptPart(now - server.latencyAt, decayMs);
  server.latencyMs = peakAverage(average, countedMs, kept);
  server.latencyAt = now;
}

/** Expected time of one more request: latency x (1 + requests / weight). */
export function peakCost(server: Server, now: number, decayMs: number): number {
  const queue = server.active / server.weight;
  if (server.latencyMs < 0) return server.active === 0 ? 0 : UNKNOWN_MS * (1 + queue);
  return sunk(server, now, decayMs) * (1 + queue);
}

/** `3.2 ms`, as `peakCost` weighs it. */
export function latencyText(server: Server, now: number, decayMs: number): string {
  if (server.latencyMs < 0) return server.active === 0 ? "not asked yet" : "not answered yet";
  return `${Math.round(peakCost(server, now, decayMs) * 10) / 10} ms`;
}

function sunk(server: Server, now: number, decayMs: number): number {
  const kept = keptPart(now - server.latencyAt, decayMs);
  return Math.max(server.latencyMs * kept, FLOOR_MS);
}

/** e^(-ms / decay); under load the steps are so small that their first term is exact to 1/20000. */
function keptPart(ms: number, decayMs: number): number {
  const steps = Math.max(0, ms) / decayMs;
  return steps < 0.01 ? 1 - steps : Math.exp(-steps);
}
