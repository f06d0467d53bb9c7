/** What drills say on a terminal. */

import type { PlannedCommands } from "../core/drill/errand.ts";
import { type DrillPlan, longestMs } from "../core/drill/plan.ts";
import type { DrillResult } from "../core/drill/result.ts";
import { formatDuration } from "../lib/duration.ts";
import { paint, type Terminal } from "./terminal.ts";

function spanOf({ workLoss }: DrillResult): string {
  return workLoss === undefined ? "" : `, ${formatDuration(workLoss.rpoMs)} of work`;
}

export function planLines(
  plan: DrillPlan,
  commands: readonly PlannedCommands[],
): readonly string[] {
  const { name, title, says, target, promise, abort } = plan;
  const failed = promise.failed === undefined ? "" : `, ${promise.failed} failed requests`;
  return [
    `${name}: ${title}`,
    `  ${says}`,
    `  on ${target}; promised: ${promise.text}`,
    `  (no answer for at most ${formatDuration(promise.outageMs)}${failed})`,
    `  before: the steady state for a while; ${radiusText(plan)}`,
    `  taken back at once after ${formatDuration(abort.outageMs)} without an answer, by hand, ` +
      "or when nobody conducts it any more;",
    `  by its guard after ${formatDuration(longestMs(plan))} at the latest`,
    ...commands.flatMap((fault) => [
      `  - ${fault.says}`,
      ...fault.inject.map((line) => `      do    ${line}`),
      ...fault.undo.map((line) => `      undo  ${line}`),
      ...(fault.undo.length === 0 ? ["      undo  nothing: it mends itself"] : []),
    ]),
  ];
}

/** What is taken, and what must therefore be left. */
function radiusText({ radius, target }: DrillPlan): string {
  switch (radius.takes) {
    case "nothing":
      return "no copy is taken";
    case "node":
      return `${target} is taken: another node must be there for its addresses`;
    case "server":
      return `${radius.pool}/${radius.server} is taken: another server must be usable`;
    case "worker":
      return "a worker is taken: another one must be there";
  }
}

export function resultLines(result: DrillResult, terminal: Terminal): readonly string[] {
  const { verdict, reason, measured, detection, lostWrites, acknowledgedWrites } = result;
  const client =
    measured === undefined
      ? "clients: not measured"
      : `clients: ${measured.requests} requests, ${measured.failed} failed, no answer for ` +
        `${formatDuration(measured.outageMs)}, on the way back ` +
        formatDuration(measured.returnOutageMs);
  const told =
    detection === undefined
      ? "detection: nobody told of it"
      : `detection: after ${formatDuration(detection.afterMs)}, ${detection.node}: ${detection.reason}`;
  const writes =
    lostWrites === undefined
      ? "lost acknowledged writes: not measured"
      : `lost acknowledged writes: ${lostWrites} of ${acknowledgedWrites}${spanOf(result)}`;
  const how = verdict === "passed" ? "green" : "red";
  const others = result.deviations.filter((one) => one !== reason).map((one) => `  ${one}`);
  return [client, told, writes, paint(terminal, how, `${verdict}: ${reason}`), ...others];
}
