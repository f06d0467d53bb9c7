/** How a drill ended, and what it says of the system. */

import { formatDuration } from "../../lib/duration.ts";
import type { WorkLoss } from "../probe/write-book.ts";
import type { DrillPlan, Layer } from "./plan.ts";
import { longestSilenceMs, measureOutage, slowestAnswerMs, standstillMs } from "./probe-record.ts";
import type { ProbeRecord } from "./probe-record.ts";

/**
 * `passed` as promised; `deviated` the system behaved otherwise; `aborted` taken back early, by rule
 * or by hand; `error` the drill itself failed and says nothing of the system.
 */
export type Verdict = "passed" | "deviated" | "aborted" | "error";

/** What the client saw. Times in ms; Infinity: nobody answered again. */
export interface Measured {
  readonly requests: number;
  readonly failed: number;
  readonly outageMs: number;
  readonly returnOutageMs: number;
  readonly slowestMs: number;
  /** The client itself stood still for so long, which no outage has in it; absent: it did not. */
  readonly ownMs?: number;
  /** Who answered last before the fault was mended, when answers tell. */
  readonly answeredBy?: string;
}

export interface Detection {
  /** From the fault to the first event that told of it. */
  readonly afterMs: number;
  readonly node: string;
  readonly kind: string;
  readonly reason: string;
}

export interface Step {
  /** From the beginning, ms. */
  readonly atMs: number;
  readonly what: string;
}

export interface DrillResult {
  readonly id: string;
  readonly drill: string;
  readonly title: string;
  readonly layer: Layer;
  readonly target: string;
  /** Where it was done: a node, or the lab's world. */
  readonly site: string;
  readonly startedWallMs: number;
  readonly endedWallMs: number;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly reason: string;
  readonly deviations: readonly string[];
  readonly promise: string;
  readonly promisedOutageMs: number;
  /** A fault was made: what did not get that far counts for nothing. */
  readonly faulted: boolean;
  /** Another copy should have taken over, and did within the promise. */
  readonly switchExpected: boolean;
  readonly switched: boolean;
  /** Absent: no client was asking. */
  readonly measured?: Measured;
  readonly detection?: Detection;
  /** Writes that were acknowledged and are gone; absent: not measured. */
  readonly lostWrites?: number;
  readonly acknowledgedWrites?: number;
  /** The longest span of acknowledged work that was lost. */
  readonly workLoss?: WorkLoss;
  readonly undoneBy: "guard" | "conductor" | "nobody";
  readonly steps: readonly Step[];
}

export interface Moments {
  readonly faultMs: number;
  readonly undoMs: number;
  readonly endMs: number;
}

export function measure(record: ProbeRecord, { faultMs, undoMs, endMs }: Moments): Measured {
  const during = measureOutage(record, faultMs, endMs);
  const requests = record.sentMs.filter((sent) => sent >= faultMs && sent <= endMs).length;
  const mended = measureOutage(record, faultMs, undoMs);
  const ownMs = standstillMs(record, faultMs, endMs);
  return {
    requests,
    failed: during.lost,
    outageMs: longestSilenceMs(record, faultMs, undoMs),
    returnOutageMs: longestSilenceMs(record, undoMs, endMs),
    slowestMs: slowestAnswerMs(record, faultMs, endMs),
    ...(ownMs === 0 ? {} : { ownMs }),
    ...(mended.after === undefined ? {} : { answeredBy: mended.after }),
  };
}

/** What the client saw and was not promised. */
export function brokenPromises({ promise, expect }: DrillPlan, measured: Measured): string[] {
  const broken: string[] = [];
  const { outageMs, returnOutageMs, failed } = promise;
  if (measured.outageMs > outageMs) {
    const out = formatDuration(measured.outageMs);
    broken.push(`no answer for ${out}, promised was ${formatDuration(outageMs)}`);
  }
  if (measured.returnOutageMs > returnOutageMs) {
    const out = formatDuration(measured.returnOutageMs);
    broken.push(`no answer for ${out} on the way back, not ${formatDuration(returnOutageMs)}`);
  }
  if (failed !== undefined && measured.failed > failed) {
    broken.push(`${measured.failed} requests failed, promised was ${failed}`);
  }
  const { slowerThanMs } = expect;
  if (slowerThanMs !== undefined && measured.slowestMs < slowerThanMs) {
    broken.push(`the fault was not felt: no answer took ${formatDuration(slowerThanMs)}`);
  }
  return broken;
}
