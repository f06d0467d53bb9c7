/** How soon checks see that a server is dead, and that it is back: printed beside the settings. */

import type { CheckSettings, CheckTiming } from "../../core/check/check-settings.ts";
import { formatDuration } from "../../lib/duration.ts";

export interface Detection {
  /** It dies just before a check and refuses connections. */
  readonly bestMs: number;
  /** It hangs just after a check: every check and its further tries run into the time-out. */
  readonly worstMs: number;
}

/** From death to the verdict. */
export function detectionOf(timing: CheckTiming): Detection {
  const { intervalMs, fastIntervalMs, timeoutMs, fall, retry, delayBeforeRetryMs } = timing;
  // Intervals count from the last try of a check.
  const quick = retry * delayBeforeRetryMs;
  const slow = quick + (retry + 1) * timeoutMs;
  const pause = Math.max(0, fastIntervalMs - timeoutMs);
  return {
    bestMs: quick + (fall - 1) * (fastIntervalMs + quick),
    worstMs: intervalMs + slow + (fall - 1) * (pause + slow),
  };
}

/** From the moment that it is well again to the verdict, at most. */
export function recoveryMs(timing: CheckTiming): number {
  const { downIntervalMs, fastIntervalMs, timeoutMs, rise } = timing;
  return (
    Math.max(downIntervalMs, timeoutMs) +
    timeoutMs +
    (rise - 1) * Math.max(fastIntervalMs, timeoutMs)
  );
}

/** `check web: a dead server is out after 500 ms to 4.50 s, one that came back is used after 3 s at most`. */
export function detectionText({ name, timing }: CheckSettings): string {
  const { bestMs, worstMs } = detectionOf(timing);
  const out = `${formatDuration(bestMs)} to ${formatDuration(worstMs)}`;
  const back = formatDuration(recoveryMs(timing));
  return `check ${name}: a dead server is out after ${out}, one that is back is used after ${back} at most`;
}
