/**
 * The waiting notifications of one instance or group, in order, bounded.
 *
 * At the bound something must give way, and it is the past: first the oldest remark about a
 * lower-priority master, then the oldest state that was left again long ago. What is never
 * dropped is the newest entry, so that the scripts always end up knowing the final state.
 */

import type { NotifyRequest } from "./commands.ts";

/** Waiting notifications per instance or group: more than any sane script falls behind. */
export const LANE_LIMIT = 64;

/** Appends; returns what had to give way, if anything. */
export function enqueue(lane: NotifyRequest[], request: NotifyRequest): NotifyRequest | undefined {
  lane.push(request);
  if (lane.length <= LANE_LIMIT) return undefined;
  const remark = lane.findIndex((entry) => entry.state === "MASTER_RX_LOWER_PRI");
  const victim = remark >= 0 && remark < lane.length - 1 ? remark : 0;
  return lane.splice(victim, 1)[0];
}
