/** From what was seen to the verdict. */

import type { WorkLoss } from "../probe/write-book.ts";
import type { DrillPlan } from "./plan.ts";
import type { ProbeRecord } from "./probe-record.ts";
import { brokenPromises, measure, type Detection, type DrillResult } from "./result.ts";
import type { Measured, Moments, Step, Verdict } from "./result.ts";
import type { Outcome, Told } from "./run.ts";

export interface Evidence {
  readonly id: string;
  readonly plan: DrillPlan;
  readonly site: string;
  readonly outcome: Outcome;
  /** Absent: no client was asking. */
  readonly record: ProbeRecord | undefined;
  readonly moments: Moments;
  readonly events: readonly (Told & { readonly wallMs: number })[];
  readonly faultWallMs: number;
  readonly startedWallMs: number;
  readonly endedWallMs: number;
  readonly steps: readonly Step[];
  readonly undoneBy: DrillResult["undoneBy"];
  readonly written?: {
    readonly acknowledged: number;
    readonly lost: number;
    readonly worst?: WorkLoss;
  };
}

export function judge(evidence: Evidence): DrillResult {
  const { plan, outcome, record, moments, written } = evidence;
  const measured = record === undefined || !outcome.faulted ? undefined : measure(record, moments);
  const broken = measured === undefined ? [] : brokenPromises(plan, measured);
  if (written !== undefined && written.lost > 0) {
    broken.push(`${written.lost} acknowledged writes are lost`);
  }
  const deviations = [...outcome.deviations, ...broken];
  const { verdict, reason } = verdictOf(evidence, deviations);
  const { holding, server } = plan.expect;
  const isFault = plan.isPlanned !== true;
  const switchExpected =
    isFault && (holding === "moves" || holding === "taken" || server?.is === "out");
  const detection = detectionOf(evidence);
  return {
    id: evidence.id,
    drill: plan.name,
    title: plan.title,
    layer: plan.layer,
    target: plan.target,
    site: evidence.site,
    startedWallMs: evidence.startedWallMs,
    endedWallMs: evidence.endedWallMs,
    verdict,
    reason,
    deviations,
    promise: plan.promise.text,
    promisedOutageMs: plan.promise.outageMs,
    faulted: outcome.faulted,
    switchExpected,
    switched: switchExpected && outcome.happened && isInTime(plan, measured),
    ...(measured === undefined ? {} : { measured }),
    ...(detection === undefined ? {} : { detection }),
    ...(written === undefined
      ? {}
      : { acknowledgedWrites: written.acknowledged, lostWrites: written.lost }),
    ...(written?.worst === undefined ? {} : { workLoss: written.worst }),
    undoneBy: evidence.undoneBy,
    steps: evidence.steps,
  };
}

function isInTime({ promise }: DrillPlan, measured: Measured | undefined): boolean {
  return measured === undefined || measured.outageMs <= promise.outageMs;
}

function verdictOf(
  { outcome, plan }: Evidence,
  deviations: readonly string[],
): { readonly verdict: Verdict; readonly reason: string } {
  const { error, aborted } = outcome;
  if (error !== undefined) return { verdict: "error", reason: error };
  if (aborted !== undefined) return { verdict: "aborted", reason: aborted };
  const [first] = deviations;
  if (first !== undefined) return { verdict: "deviated", reason: first };
  return { verdict: "passed", reason: `as promised: ${plan.promise.text}` };
}

/**
 * The first word on it that is not about the drill's own doing. What is said after it was mended -
 * by a process that starts again - is no detection.
 */
function detectionOf({ events, faultWallMs, moments }: Evidence): Detection | undefined {
  const mendedWallMs = faultWallMs + (moments.undoMs - moments.faultMs);
  const first = events
    .filter(({ wallMs }) => wallMs >= faultWallMs && wallMs <= mendedWallMs)
    .toSorted((a, b) => a.wallMs - b.wallMs)
    .find(({ kind }) => !OWN_DOING.has(kind));
  if (first === undefined) return undefined;
  const { node, kind, reason, wallMs } = first;
  return { afterMs: wallMs - faultWallMs, node, kind, reason };
}

const OWN_DOING: ReadonlySet<string> = new Set([
  "operator-asked",
  "handover-asked",
  "server-change-asked",
  "note",
  "started",
]);
