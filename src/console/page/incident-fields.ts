/** The ledger's own routes tell more of an incident than the overview does, in its own words. */

import type { IncidentSegment, IncidentView } from "../api.ts";

/** What of the ledger's answer is read here. */
interface LedgerIncident extends Omit<
  IncidentView,
  "severity" | "reason" | "isPlanned" | "segments" | "endMs"
> {
  readonly class: string;
  readonly cause: string;
  readonly closedMs?: number;
  readonly segments: readonly {
    readonly severity: string;
    readonly fromMs: number;
    readonly toMs: number;
  }[];
}

export function incidentView(told: IncidentView | LedgerIncident): IncidentView {
  if (!("class" in told)) return told;
  const { class: severity, cause: reason, closedMs, segments, ...rest } = told;
  return {
    ...rest,
    severity,
    reason,
    isPlanned: false,
    segments: segments.map(({ severity: word, fromMs, toMs }): IncidentSegment => ({
      severity: word,
      startMs: fromMs,
      endMs: toMs,
    })),
    ...(closedMs === undefined ? {} : { endMs: closedMs }),
  };
}
