/**
 * A drill on a machine that is itself robbed of its CPUs: a promise is about what is drilled, so one that was broken is
 * judged once more with the time that was taken. Only the lab counts it; a real node's users wait for a theft as well.
 */

import { judge, type Evidence } from "../core/drill/judge.ts";
import type { DrillResult } from "../core/drill/result.ts";
import { formatDuration } from "../lib/duration.ts";

/** Taken while the fault was there, and on the way back, ms. */
export interface DrillTheft {
  readonly outageMs: number;
  readonly returnOutageMs: number;
}

export function judgeRobbed(
  evidence: Evidence,
  { outageMs, returnOutageMs }: DrillTheft,
): DrillResult {
  const result = judge(evidence);
  const stolenMs = outageMs + returnOutageMs;
  if (result.verdict !== "deviated" || result.measured === undefined || stolenMs === 0)
    return result;
  const { plan } = evidence;
  const { promise } = plan;
  const widened = {
    ...promise,
    text: `${promise.text}; the host took ${formatDuration(stolenMs)} of the CPUs meanwhile`,
    outageMs: promise.outageMs + outageMs,
    returnOutageMs: promise.returnOutageMs + returnOutageMs,
  };
  return judge({ ...evidence, plan: { ...plan, promise: widened } });
}
