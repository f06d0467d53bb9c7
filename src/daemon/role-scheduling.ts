/** How the vrrp process asks the kernel to be treated. */

import type { RoleProcess } from "../config/model.ts";
import { applyScheduling } from "../drivers/scheduling.ts";

/** Above ordinary work, below what the kernel itself runs in real time. */
const DEFAULT_PRIORITY = 50;
/** An endless loop is ended after that; a reload of 255 instances needs a tenth of it. */
const DEFAULT_LIMIT_MS = 1_000;
/** keepalived's users set 10 ms here, which a garbage collection may need. */
const SHORTEST_LIMIT_MS = 200;
/** Killed for memory after nearly everything else. */
const OOM_SCORE_ADJUST = -900;

/** What was not permitted, as sentences. */
export function scheduleRole(settings: RoleProcess, realtime: boolean): readonly string[] {
  const { cpus, realtimePriority = DEFAULT_PRIORITY, rttimeLimitUs } = settings;
  const pinned = cpus.length === 0 ? {} : { cpus };
  const limitMs = (rttimeLimitUs ?? DEFAULT_LIMIT_MS * 1000) / 1000;
  const urgent = {
    realtimePriority,
    realtimeLimitMs: Math.max(SHORTEST_LIMIT_MS, limitMs),
    oomScoreAdjust: OOM_SCORE_ADJUST,
  };
  const steps = applyScheduling(realtime ? { ...urgent, ...pinned } : pinned);
  return steps.filter((step) => !step.applied).map((step) => step.reason);
}
