/** Injected faults of a route, for drills. */

import type { Prng } from "../../lib/prng.ts";
import type { FaultInjection } from "./route-settings.ts";

export interface DrawnFault {
  /** 0 = none. */
  readonly delayMs: number;
  /** 0 = none; otherwise the status to answer. */
  readonly abortStatus: number;
}

const NONE: DrawnFault = { delayMs: 0, abortStatus: 0 };

/** Draws even what comes to nothing, so that the same seed gives the same requests their fate. */
export function drawFault(fault: FaultInjection | undefined, prng: Prng): DrawnFault {
  if (fault === undefined) return NONE;
  const { abort, delay } = fault;
  const isAborted = abort !== undefined && prng.chance(abort.percent / 100);
  const isDelayed = delay !== undefined && prng.chance(delay.percent / 100);
  if (!isAborted && !isDelayed) return NONE;
  return { delayMs: isDelayed ? delay.ms : 0, abortStatus: isAborted ? abort.status : 0 };
}
