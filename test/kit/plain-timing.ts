import type { CheckSettings } from "../../src/core/check/check-settings.ts";

/** Every interval the same, the first answer decides, no retry and no warm-up. */
export function plainTiming(intervalMs: number, timeoutMs: number): CheckSettings["timing"] {
  return {
    intervalMs,
    fastIntervalMs: intervalMs,
    downIntervalMs: intervalMs,
    timeoutMs,
    rise: 1,
    fall: 1,
    retry: 0,
    delayBeforeRetryMs: 0,
    warmupMs: 0,
    startDown: false,
  };
}
