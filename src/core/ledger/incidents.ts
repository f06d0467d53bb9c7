/**
 * Evidence becomes incidents. A function of all evidence of a service: what overlaps or follows within
 * the merge time belongs together, what was planned is cut out before anything else.
 */

import { compactTime, parseCompactTime } from "./civil-time.ts";
import type { Happening, Harm, Remark } from "./evidence.ts";
import {
  classOf,
  type Incident,
  isHarm,
  type Recovery,
  scoreOf,
  type Segment,
} from "./incident.ts";
import { lengthOf, type Span, subtract, union } from "./intervals.ts";
import { BUCKET_MS, SEVERITIES, type Severity } from "./measure.ts";
import type { Outage, ServiceBook } from "./service-book.ts";
import { DISMISSED, type Layer, type LedgerService, type LedgerSettings } from "./settings.ts";

/** A decision shortly before the first bad bucket belongs to it: buckets are coarse. */
const BEFORE_MS = 2 * BUCKET_MS;
/** The end of harm is known to a second. */
const RETURN_SLACK_MS = 1_000;
/** Fewer failures than this that no one else noticed are no incident. */
const LEAST_BAD = 3;

export interface Drill extends Span {
  readonly name: string;
}

export interface Around {
  readonly settings: Pick<LedgerSettings, "classes" | "mergeMs" | "falseStartMs">;
  /** As `union` gives them; of this service. */
  readonly planned: readonly Span[];
  readonly drills: readonly Drill[];
  readonly nowMs: number;
}

interface Cluster {
  fromMs: number;
  toMs: number;
  readonly harm: Harm[];
  readonly outages: Outage[];
}

/** Oldest first. The same evidence gives the same incidents, in whatever order it came. */
export function incidentsOf(
  service: LedgerService,
  book: Pick<ServiceBook, "harm" | "happenings" | "remarks" | "outages">,
  around: Around,
): Incident[] {
  const clusters = clustersOf(book, around);
  return clusters.map((cluster, i) =>
    incidentOf(service, cluster, {
      ...around,
      happenings: near(book.happenings, cluster),
      remarks: book.remarks.filter((remark) => speaksOf(remark, service, cluster, clusters[i + 1])),
    }),
  );
}

function clustersOf(
  book: Pick<ServiceBook, "harm" | "outages">,
  { planned, nowMs, settings }: Around,
): Cluster[] {
  const pieces = [
    ...book.harm.map((harm) => ({ harm, whole: harm as Span })),
    ...book.outages().map((outage) => {
      return { outage, whole: { fromMs: outage.fromMs, toMs: Math.min(outage.toMs, nowMs) } };
    }),
  ].flatMap((piece) =>
    subtract([piece.whole], planned).map((span) => Object.assign({ span }, piece)),
  );
  pieces.sort((a, b) => a.span.fromMs - b.span.fromMs || a.span.toMs - b.span.toMs);
  const clusters: Cluster[] = [];
  for (const piece of pieces) {
    const { span } = piece;
    let cluster = clusters.at(-1);
    if (cluster === undefined || span.fromMs > cluster.toMs + settings.mergeMs) {
      cluster = { ...span, harm: [], outages: [] };
      clusters.push(cluster);
    }
    cluster.toMs = Math.max(cluster.toMs, span.toMs);
    if ("harm" in piece)
      cluster.harm.push({ ...piece.harm, ...span, seenMs: seenMs(piece.harm, span) });
    else {
      const open = piece.outage.toMs > nowMs && span.toMs >= nowMs;
      cluster.outages.push({ ...piece.outage, ...span, ...(open ? { toMs: Infinity } : {}) });
    }
  }
  return clusters;
}

/** What was planned does not detect what comes after it: the bucket that the rest begins in does. */
function seenMs(harm: Harm, { fromMs }: Span): number {
  if (fromMs < harm.seenMs) return harm.seenMs;
  return (Math.floor(fromMs / BUCKET_MS) + 1) * BUCKET_MS;
}

/** They are in the order of time: a year may have tens of thousands, and hundreds of incidents. */
function near(all: readonly Happening[], { fromMs, toMs }: Span): Happening[] {
  const end = placeOf(all, ({ atMs }) => atMs > toMs + BUCKET_MS);
  return all.slice(
    placeOf(all, ({ atMs }) => atMs >= fromMs - BEFORE_MS),
    end,
  );
}

/** Of the first of which it is so; it is so of all behind it. */
function placeOf<T>(list: readonly T[], isSo: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Remarks name the incident by the moment it began as known then. */
function speaksOf(
  { id }: Remark,
  service: LedgerService,
  cluster: Span,
  next: Span | undefined,
): boolean {
  const [name, beganMs] = splitId(id);
  if (name !== service.name || beganMs === undefined) return false;
  // The id has whole seconds, and evidence may have moved the beginning.
  const isIn = beganMs >= cluster.fromMs - BEFORE_MS - 1000 && beganMs <= cluster.toMs;
  return isIn && !(next !== undefined && beganMs + 1000 > next.fromMs);
}

/** `web-20261121T132134Z` is of `web`; undefined: no such time in it. */
export function splitId(id: string): readonly [string, number | undefined] {
  const dash = id.lastIndexOf("-");
  return [id.slice(0, dash), parseCompactTime(id.slice(dash + 1))];
}

interface Known extends Around {
  readonly happenings: readonly Happening[];
  readonly remarks: readonly Remark[];
}

function incidentOf(service: LedgerService, cluster: Cluster, known: Known): Incident {
  const { settings, nowMs, remarks } = known;
  const segments = segmentsOf(service, cluster, nowMs);
  const harmSpans = union(segments.filter(isHarm));
  const times = timesOf(cluster, known, harmSpans);
  const severity = worst(segments);
  const classed = remarks.findLast(({ type }) => type === "classed");
  const override = classed?.class;
  const scoring = { weights: settings.classes, ...(override === undefined ? {} : { override }) };
  const dismissed = dismissalOf(cluster, known, { harmSpans, times, override });
  const parts = [...new Set(cluster.outages.map(({ part }) => part))];
  const drill = known.drills.find((one) => one.fromMs <= times.startMs && times.startMs < one.toMs);
  const rpo = lossOf(known.happenings);
  // Nobody is to blame for what was broken on purpose; the budget has it all the same.
  const counts = dismissed === undefined && drill === undefined;
  return {
    id: `${service.name}-${compactTime(times.startMs)}`,
    service: service.name,
    ...firstOf(cluster, known.happenings),
    parts,
    ...times,
    recovery: recoveryOf(cluster, known, harmSpans),
    segments,
    severity,
    class: override ?? classOf(severity, service.critical),
    classBy: classed?.who ?? "rule",
    ...(dismissed === undefined ? {} : { dismissed }),
    ...(drill === undefined ? {} : { drill: drill.name }),
    harmMs: lengthOf(harmSpans),
    rtoMs: Math.max(0, ...harmSpans.map(({ fromMs, toMs }) => toMs - fromMs)),
    ...(rpo === undefined ? {} : { rpoMs: rpo }),
    ...requestsOf(cluster.harm),
    score: counts ? scoreOf(segments, { ...scoring, sinceMs: times.detectedMs }) : 0,
    scoreFromStart: counts ? scoreOf(segments, { ...scoring, sinceMs: times.startMs }) : 0,
    owners: remarks.findLast(({ type }) => type === "owned")?.owners ?? service.owners,
    annotations: remarks
      .filter(({ type }) => type === "annotated")
      .map(({ atMs, who, reason: text }) => ({ atMs, who, text })),
  };
}

type Times = Pick<
  Incident,
  | "state"
  | "startMs"
  | "detectedMs"
  | "detectedBy"
  | "switchedMs"
  | "switchedBy"
  | "restoredMs"
  | "repairedMs"
  | "closedMs"
>;

function timesOf(cluster: Cluster, known: Known, harmSpans: readonly Span[]): Times {
  const { nowMs, settings } = known;
  const decided = decisionsOf(cluster, known.happenings)[0];
  const measured = cluster.harm.reduce((least, { seenMs }) => Math.min(least, seenMs), Infinity);
  const startMs = Math.min(cluster.fromMs, decided?.atMs ?? Infinity);
  const byDecision = decided !== undefined && decided.atMs <= measured;
  const detectedMs = byDecision ? decided.atMs : measured;
  const vantage = cluster.harm[0]?.vantage ?? "";
  const switched = known.happenings.find((one) => one.type === "switched" && one.atMs >= startMs);
  const lastHarmMs = harmSpans.at(-1)?.toMs;
  const harmGoesOn = lastHarmMs !== undefined && lastHarmMs + BUCKET_MS > nowMs;
  const repaired = cluster.outages.every(({ toMs }) => toMs !== Infinity);
  const repairedMs = repaired && !harmGoesOn ? cluster.toMs : undefined;
  const isClosed = repairedMs !== undefined && nowMs >= repairedMs + settings.mergeMs;
  const state = isClosed ? "closed" : harmGoesOn || lastHarmMs === undefined ? "open" : "restored";
  return {
    state,
    startMs,
    detectedMs,
    detectedBy: byDecision ? decided.reason : `measured (${vantage})`,
    ...(switched === undefined ? {} : { switchedMs: switched.atMs, switchedBy: switched.reason }),
    ...(lastHarmMs === undefined || harmGoesOn ? {} : { restoredMs: lastHarmMs }),
    ...(repairedMs === undefined ? {} : { repairedMs }),
    ...(isClosed ? { closedMs: repairedMs } : {}),
  };
}

interface Decision {
  readonly atMs: number;
  readonly reason: string;
  readonly layer: Layer;
}

/** Whatever says "something is wrong", first ones first. */
function decisionsOf({ outages }: Cluster, happenings: readonly Happening[]): Decision[] {
  const outs = outages.map(({ fromMs: atMs, reason, layer }) => ({ atMs, reason, layer }));
  const others = happenings.flatMap((one) => (one.type === "decided" ? [one] : []));
  return [...outs, ...others].sort((a, b) => a.atMs - b.atMs || (a.reason < b.reason ? -1 : 1));
}

function firstOf(
  cluster: Cluster,
  happenings: readonly Happening[],
): Pick<Incident, "layer" | "cause"> {
  const first = decisionsOf(cluster, happenings)[0];
  if (first !== undefined) return { layer: first.layer, cause: first.reason };
  const { bad, good, vantage } = cluster.harm[0]!;
  const share = Math.round((100 * bad) / Math.max(1, good + bad));
  const what = bad === 0 ? "answers were slow" : `${share} % of the requests failed`;
  return { layer: "unknown", cause: `${what} (${vantage})` };
}

/** Elementary spans between all beginnings and ends, each with the worst that holds in it. */
function segmentsOf(service: LedgerService, cluster: Cluster, nowMs: number): Segment[] {
  const edges = [...cluster.harm, ...cluster.outages].flatMap((one) => {
    const rank = "severity" in one ? SEVERITIES.indexOf(one.severity) : 0;
    return [
      { atMs: one.fromMs, rank, step: 1 },
      { atMs: Math.min(one.toMs, Math.max(nowMs, one.fromMs)), rank, step: -1 },
    ];
  });
  edges.sort((a, b) => a.atMs - b.atMs);
  const holding = SEVERITIES.map(() => 0);
  const result: Segment[] = [];
  for (const [i, { atMs, rank, step }] of edges.entries()) {
    holding[rank] = holding[rank]! + step;
    const untilMs = edges[i + 1]?.atMs ?? atMs;
    const worstRank = holding.findLastIndex((count) => count > 0);
    if (untilMs === atMs || worstRank === -1) continue;
    const severity = SEVERITIES[worstRank]!;
    const last = result.at(-1);
    if (last?.severity === severity && last.toMs === atMs) {
      result[result.length - 1] = { ...last, toMs: untilMs };
    } else {
      const fault = classOf(severity, service.critical);
      result.push({ fromMs: atMs, toMs: untilMs, severity, class: fault });
    }
  }
  return result;
}

function worst(segments: readonly Segment[]): Severity {
  const ranks = segments.map(({ severity }) => SEVERITIES.indexOf(severity));
  return SEVERITIES[Math.max(0, ...ranks)]!;
}

/** By itself: users were served again while the broken parts were all still missing. */
function recoveryOf(cluster: Cluster, known: Known, harmSpans: readonly Span[]): Recovery {
  const last = harmSpans.at(-1);
  if (last === undefined) return "harmless";
  const endMs = last.toMs;
  if (endMs + BUCKET_MS > known.nowMs) return "not yet";
  const before = known.happenings.filter(({ atMs }) => atMs <= endMs);
  if (before.some(({ type }) => type === "ordered")) return "by people";
  if (before.some(isMove)) return "by itself";
  const isBack = cluster.outages.some(
    ({ toMs }) => last.fromMs < toMs && toMs <= endMs + RETURN_SLACK_MS,
  );
  const isOut = cluster.outages.some(({ fromMs, toMs }) => fromMs < endMs && toMs > endMs);
  return isOut && !isBack ? "by itself" : "by repair";
}

/** An address that moved is a switch, whatever became of the one before. */
function isMove(one: Happening): boolean {
  return one.type === "switched" && one.layer === "address";
}

function dismissalOf(
  cluster: Cluster,
  known: Known,
  found: { harmSpans: readonly Span[]; times: Times; override: string | undefined },
): string | undefined {
  const { harmSpans, times, override } = found;
  if (override === DISMISSED) return "dismissed by people";
  // People who give it a class want it to count.
  if (override !== undefined || times.repairedMs === undefined) return undefined;
  const lastedMs = times.repairedMs - times.startMs;
  if (harmSpans.length === 0) {
    if (lastedMs >= known.settings.falseStartMs) return undefined;
    return `false start: over after ${Math.round(lastedMs)} ms, nobody was hurt`;
  }
  const { badRequests } = requestsOf(cluster.harm);
  const slow = cluster.harm.some(({ bad, good }) => bad === 0 && good > 0);
  const noticed = decisionsOf(cluster, known.happenings).length > 0;
  if (slow || noticed || badRequests >= LEAST_BAD) return undefined;
  return `false start: ${badRequests} failed in all, and nothing else was wrong`;
}

function requestsOf(harm: readonly Harm[]): Pick<Incident, "goodRequests" | "badRequests"> {
  // Several vantages see the same outage: the one with most requests speaks for it.
  const sums = new Map<string, { good: number; bad: number }>();
  for (const { vantage, good, bad } of harm) {
    const sum = sums.get(vantage) ?? { good: 0, bad: 0 };
    sums.set(vantage, { good: sum.good + good, bad: sum.bad + bad });
  }
  const most = [...sums.values()].sort((a, b) => b.good + b.bad - a.good - a.bad)[0];
  return { goodRequests: most?.good ?? 0, badRequests: most?.bad ?? 0 };
}

function lossOf(happenings: readonly Happening[]): number | undefined {
  const losses = happenings.flatMap((one) => (one.type === "lost" ? [one.rpoMs] : []));
  return losses.length === 0 ? undefined : Math.max(...losses);
}
