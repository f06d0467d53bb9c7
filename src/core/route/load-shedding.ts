/** Overloaded: low classes are refused first, so that the important ones still get through. */

import type { Priority } from "./route-settings.ts";

export interface SheddingLimits {
  readonly enabled: boolean;
  readonly maxInFlight: number;
  readonly startPercent: Readonly<Record<Exclude<Priority, "critical">, number>>;
}

/** Why a request is refused; undefined: it is served. Critical ones always are. */
export function shed(
  limits: SheddingLimits,
  inFlight: number,
  priority: Priority,
): string | undefined {
  if (!limits.enabled || priority === "critical") return undefined;
  const start = (limits.startPercent[priority] * limits.maxInFlight) / 100;
  if (inFlight < start) return undefined;
  return `overload: ${inFlight} requests in flight, class ${priority} is refused from ${start}`;
}

/** Applications are told to switch features off. */
export function isDegraded(limits: SheddingLimits, inFlight: number): boolean {
  return limits.enabled && inFlight >= (limits.startPercent.low * limits.maxInFlight) / 100;
}
