/**
 * Incidents as several nodes tell them, as one list. Each node's ledger judges by what it saw itself, so
 * one outage is told by each node that saw it: those of the same service that overlap in time are shown
 * as one, with everybody who saw it. Two that one node keeps apart are never put together.
 */

import type { Incident, Segment } from "./incident.ts";

export interface ToldIncident extends Incident {
  /** Whose ledger has it: what people say of it is written there. */
  readonly node: string;
  /** How old that node's word is; absent: it is fresh. */
  readonly ageMs?: number;
}

/** What one node says of it. */
export interface Vantage {
  readonly node: string;
  readonly id: string;
  readonly state: Incident["state"];
  readonly startMs: number;
  readonly closedMs?: number;
  readonly harmMs: number;
  readonly ageMs?: number;
}

/**
 * Name, node and cause are of whoever saw it first; class, score, harm and segments of whoever saw the
 * worst. It is over when it is over for everybody whose word is fresh.
 */
export interface GroupIncident extends ToldIncident {
  /** Everybody who tells of it, earliest first; `node` among them. */
  readonly vantages: readonly Vantage[];
}

/** Dismissed ones stay alone: nobody is to find a false start in a real outage. Earliest first. */
export function groupIncidents(told: readonly ToldIncident[], nowMs: number): GroupIncident[] {
  const sorted = told.toSorted(
    (a, b) => a.startMs - b.startMs || compare(a.node, b.node) || compare(a.id, b.id),
  );
  const clusters: ToldIncident[][] = [];
  /** The latest cluster of each service: those before it ended earlier or have another node's. */
  const open = new Map<string, ToldIncident[][]>();
  for (const one of sorted) {
    const near = (open.get(one.service) ?? []).filter((cluster) =>
      cluster.some((other) => endOf(other, nowMs) >= one.startMs),
    );
    const home = near.find(
      (cluster) =>
        one.dismissed === undefined && cluster.every((other) => isAnotherView(one, other, nowMs)),
    );
    if (home !== undefined) home.push(one);
    else {
      near.push([one]);
      clusters.push(near.at(-1)!);
    }
    open.set(one.service, near);
  }
  return clusters.map(asOne);
}

/** Times of another node's clock, as ours would have said. `aheadMs`: its clock minus ours. */
export function byOurClock<T extends Incident>(told: T, aheadMs: number): T {
  if (aheadMs === 0) return told;
  const moments: Partial<Record<(typeof MOMENTS)[number], number>> = {};
  for (const key of MOMENTS) {
    const ms = told[key];
    if (ms !== undefined) moments[key] = ms - aheadMs;
  }
  return {
    ...told,
    ...moments,
    segments: told.segments.map((one): Segment => {
      return { ...one, fromMs: one.fromMs - aheadMs, toMs: one.toMs - aheadMs };
    }),
    annotations: told.annotations.map((one) => ({ ...one, atMs: one.atMs - aheadMs })),
  };
}

const MOMENTS = [
  "startMs",
  "detectedMs",
  "switchedMs",
  "restoredMs",
  "repairedMs",
  "closedMs",
] as const;

function isAnotherView(one: ToldIncident, other: ToldIncident, nowMs: number): boolean {
  if (other.node === one.node || other.dismissed !== undefined) return false;
  return one.startMs <= endOf(other, nowMs);
}

/** As far as its node's word reaches. */
function endOf({ closedMs, ageMs = 0 }: ToldIncident, nowMs: number): number {
  return closedMs ?? nowMs - ageMs;
}

function asOne(all: readonly ToldIncident[]): GroupIncident {
  const [first] = all as [ToldIncident];
  const vantages = all.map(vantageOf);
  if (all.length === 1) return { ...first, vantages };
  const worst = all.reduce((most, one) => (isWorse(one, most) ? one : most));
  const detected = all.reduce((soonest, one) =>
    one.detectedMs < soonest.detectedMs ? one : soonest,
  );
  const fresh = all.filter(({ ageMs }) => ageMs === undefined);
  const judges = fresh.length === 0 ? all : fresh;
  const { restoredMs: _restored, repairedMs: _repaired, closedMs: _closed, ...of } = worst;
  const { ageMs: _age, ...base } = of;
  const ages = all.map(({ ageMs = 0 }) => ageMs);
  const drill = all.find((one) => one.drill !== undefined)?.drill;
  return {
    ...base,
    id: first.id,
    node: first.node,
    cause: first.cause,
    startMs: first.startMs,
    detectedMs: detected.detectedMs,
    detectedBy: detected.detectedBy,
    state: STATES.find((state) => judges.some((one) => one.state === state)) ?? first.state,
    ...latest(
      "restoredMs",
      judges.filter(({ harmMs }) => harmMs > 0),
    ),
    ...latest("repairedMs", judges),
    ...latest("closedMs", judges),
    parts: [...new Set(all.flatMap(({ parts }) => parts))],
    annotations: all
      .flatMap(({ annotations }) => annotations)
      .toSorted((a, b) => a.atMs - b.atMs || compare(a.who, b.who)),
    ...(drill === undefined ? {} : { drill }),
    // Old only when nobody's word is fresh.
    ...(fresh.length === 0 ? { ageMs: Math.min(...ages) } : {}),
    vantages,
  };
}

/** The worst first. */
const STATES = ["open", "restored", "closed"] as const;

function isWorse(one: ToldIncident, other: ToldIncident): boolean {
  return one.score - other.score > 0 || (one.score === other.score && one.harmMs > other.harmMs);
}

/** When it was so for all of them; nothing while it is not. */
function latest(
  key: "restoredMs" | "repairedMs" | "closedMs",
  all: readonly ToldIncident[],
): Partial<Pick<Incident, typeof key>> {
  const moments = all.map((one) => one[key]);
  const known = moments.filter((ms) => ms !== undefined);
  return known.length === 0 || known.length < moments.length ? {} : { [key]: Math.max(...known) };
}

function vantageOf({ node, id, state, startMs, closedMs, harmMs, ageMs }: ToldIncident): Vantage {
  return {
    node,
    id,
    state,
    startMs,
    ...(closedMs === undefined ? {} : { closedMs }),
    harmMs,
    ...(ageMs === undefined ? {} : { ageMs }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
