/** One incident of one service: everything that is known of it, and what that means. */

import { intersect, lengthOf, type Span, union } from "./intervals.ts";
import type { Severity } from "./measure.ts";
import { DISMISSED, type Layer, type Owner } from "./settings.ts";

export interface Segment extends Span {
  readonly severity: Severity;
  /** What the rule says of it; the incident's own class counts if people gave one. */
  readonly class: string;
}

export interface Annotation {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
}

/** How users got their service back. `harmless`: they never lost it. */
export type Recovery = "harmless" | "by itself" | "by people" | "by repair" | "not yet";

export interface Incident {
  /** `SERVICE-20261121T132134Z`: the service and when it began, as first known. */
  readonly id: string;
  readonly service: string;
  readonly layer: Layer | "unknown";
  /** The sentence of whoever noticed first. */
  readonly cause: string;
  /** What was broken: `server web/web1`, `peer VI_1 10.0.0.2`. */
  readonly parts: readonly string[];
  readonly state: "open" | "restored" | "closed";
  /** First evidence of anything bad. */
  readonly startMs: number;
  /** When somebody decided that something is wrong. */
  readonly detectedMs: number;
  readonly detectedBy: string;
  /** When another one took the work over. */
  readonly switchedMs?: number;
  readonly switchedBy?: string;
  /** End of harm to users; absent: it goes on, or there was none. */
  readonly restoredMs?: number;
  /** Redundancy is back; absent: not yet. */
  readonly repairedMs?: number;
  /** Nothing came after it for the merge time. */
  readonly closedMs?: number;
  readonly recovery: Recovery;
  readonly segments: readonly Segment[];
  readonly severity: Severity;
  readonly class: string;
  /** `rule`, or who changed it. */
  readonly classBy: string;
  /** Why it counts for nothing, if so: a false start, or dismissed by people. */
  readonly dismissed?: string;
  /** The drill that made it. */
  readonly drill?: string;
  readonly harmMs: number;
  /** Longest stretch of harm: the recovery time that users saw. */
  readonly rtoMs: number;
  /** Acknowledged work that was lost, where somebody measured it. */
  readonly rpoMs?: number;
  readonly goodRequests: number;
  readonly badRequests: number;
  /** Minutes x weight from the detection on, as the book counts downtime. */
  readonly score: number;
  /** The same from the first bad evidence on. */
  readonly scoreFromStart: number;
  readonly owners: readonly Owner[];
  readonly annotations: readonly Annotation[];
}

/** Fault classes by how bad it is and for whom (book: site down; slow or core; few or side; rest). */
export function classOf(severity: Severity, critical: boolean): string {
  if (severity === "at-risk") return "C";
  if (severity === "down") return critical ? "accident" : "B";
  if (!critical) return "C";
  return severity === "wide" ? "A" : "B";
}

export function isHarm({ severity }: Segment): boolean {
  return severity !== "at-risk";
}

export interface Scoring {
  /** Harm before it does not count. */
  readonly sinceMs: number;
  readonly weights: Readonly<Record<string, number>>;
  /** Given by people: counts for all segments. */
  readonly override?: string;
}

/** Minutes x weight, segment by segment. */
export function scoreOf(
  segments: readonly Segment[],
  { sinceMs, weights, override }: Scoring,
): number {
  let score = 0;
  for (const segment of segments) {
    if (!isHarm(segment)) continue;
    const ms = Math.max(0, segment.toMs - Math.max(sinceMs, segment.fromMs));
    score += (ms / 60_000) * (weights[override ?? segment.class] ?? 0);
  }
  return score;
}

/** Harm within a period, for reports that cut an incident at the end of a month. */
export function harmWithin({ segments }: Pick<Incident, "segments">, period: Span): number {
  return lengthOf(intersect([period], union(segments.filter(isHarm))));
}

/** Whether it is in statistics of failures: users were hurt, and it was no false start or drill. */
export function isFailure(incident: Incident): boolean {
  return incident.harmMs > 0 && incident.dismissed === undefined && incident.drill === undefined;
}

/** Whether it tells something about switching by itself: any real fault, drills included. */
export function isFault({ dismissed, class: given, parts, harmMs }: Incident): boolean {
  return dismissed === undefined && given !== DISMISSED && (parts.length > 0 || harmMs > 0);
}
