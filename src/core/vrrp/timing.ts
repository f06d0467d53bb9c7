/**
 * The protocol's waiting times, in ms.
 *
 * Version 3 scales with the interval that the master announces (RFC 9568 section 6.1);
 * version 2 skews by fractions of a second whatever the interval is (RFC 3768 section 6.1).
 */

/**
 * After a resignation no backup is quicker than this, time for the farewell to reach all; with
 * intervals so short that it would be most of the skew, no quicker than a part of that.
 */
const FAST_HANDOVER_FLOOR_MS = 10;
const FAST_HANDOVER_FLOOR_DIVISOR = 4;
/** How much quicker than the skew a backup answers a resignation. */
const FAST_HANDOVER_DIVISOR = 8;

export interface Pace {
  readonly version: 2 | 3;
  readonly downTimerAdverts: number;
}

/** Skew_Time: the lower the priority, the longer a backup waits. */
export function skewMs(version: 2 | 3, priority: number, intervalMs: number): number {
  return ((256 - priority) * (version === 2 ? 1000 : intervalMs)) / 256;
}

/** Active_Down_Interval: silence after which the master counts as dead. */
export function masterDownMs(pace: Pace, priority: number, intervalMs: number): number {
  return pace.downTimerAdverts * intervalMs + skewMs(pace.version, priority, intervalMs);
}

/**
 * The first wait of `state MASTER`: one interval and a 256th, enough to hear a master that is
 * there (keepalived 2.2.7 waits a whole down interval).
 */
export function hintedStartMs(intervalMs: number): number {
  return intervalMs + intervalMs / 256;
}

/**
 * A part of an interval that differs from router to router by its address, so that two of them do
 * not do the same in the same moment for ever. Neighbouring addresses are a seventh apart.
 */
export function apartMs(source: Uint8Array | undefined, intervalMs: number): number {
  const last = source?.at(-1) ?? 0;
  return (((last * 37) % 256) / 256) * intervalMs;
}

/**
 * Wait after a resignation (priority 0). The RFC's answer is one skew; that is a full 609 ms for
 * priority 100 at 1 s although the master itself said that it is gone. An eighth of it and 10 ms
 * still orders backups by priority, and the addresses move that much sooner.
 */
export function afterResignationMs(skew: number, fast: boolean): number {
  if (!fast) return skew;
  const floor = Math.min(FAST_HANDOVER_FLOOR_MS, skew / FAST_HANDOVER_FLOOR_DIVISOR);
  return floor + skew / FAST_HANDOVER_DIVISOR;
}
