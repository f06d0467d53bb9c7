/** A server that comes back gets its share little by little: its caches are cold. */

import type { SlowStartSettings } from "./pool-settings.ts";

/** The ramp goes up in that many steps. */
const STEPS = 50;
const SHORTEST_STEP_MS = 100;
/** A server without weight is not asked at all: that would be no start. */
const LEAST_SHARE = 0.001;

/**
 * Share of its weight `sinceMs` after it came back: 0-1.
 * max(minimum, (since / window) ^ (1 / aggression)). Source: Envoy's slow start documentation.
 */
export function slowStartShare(settings: SlowStartSettings, sinceMs: number): number {
  const { windowMs, aggression, minimumPercent } = settings;
  if (sinceMs >= windowMs) return 1;
  const ramp = Math.pow(Math.max(0, sinceMs) / windowMs, 1 / aggression);
  return Math.min(1, Math.max(LEAST_SHARE, minimumPercent / 100, ramp));
}

export function slowStartStepMs(settings: SlowStartSettings): number {
  return Math.max(SHORTEST_STEP_MS, settings.windowMs / STEPS);
}
