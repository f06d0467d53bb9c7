/**
 * The ledger in short: what the first screen and the metrics show of each service. Each node counts for
 * itself, day by day; counts of several nodes make one summary, so that a service is judged by what
 * all of its balancers gave.
 */

import type { DatabaseSync } from "node:sqlite";
import { type Incident, isFailure, isHarm } from "../core/ledger/incident.ts";
import { intersect, lengthOf, type Span, union } from "../core/ledger/intervals.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import type { LedgerService } from "../core/ledger/settings.ts";
import { type DaySum, sumByDay } from "../drivers/ledger-store.ts";
import type { Budget, UptimeDays } from "./api.ts";
import { subjectsOf } from "./service-measures.ts";

const DAY_MS = 86_400_000;
const DAYS = 90;
/** Of the newest; a service with more stretches of harm within its window has no budget left anyway. */
const MAX_HARM = 1_000;

/** What one node counted of a service. */
export interface ServiceCounts {
  readonly name: string;
  /** Days since 1970, UTC, of the first count. */
  readonly firstDay: number;
  /** Requests day by day. */
  readonly byVantage: readonly {
    readonly vantage: string;
    readonly good: readonly number[];
    readonly bad: readonly number[];
  }[];
  /** When users were hurt, by that node's clock: sorted, disjoint. */
  readonly harm: readonly Span[];
  /** Of the fast alert's long window, of the vantage where it is worst. */
  readonly burnRate: number;
}

export interface ServiceSummary {
  readonly name: string;
  readonly days: UptimeDays;
  /** Requests within the objective's window, by vantage. */
  readonly byVantage: ReadonlyMap<string, Sum>;
  /** The worst vantage's share of good requests; undefined: nothing measured. */
  readonly availability?: number;
  readonly budget: Budget;
}

interface Sum {
  readonly good: number;
  readonly bad: number;
}

/** Requests of one service by day: slow to add up, so it is done now and then. */
export type DayRows = readonly DaySum[];

/** Whole days, UTC: the window of the objective begins at a midnight. */
export function rowsOf(
  database: DatabaseSync | undefined,
  service: LedgerService,
  ledger: Ledger,
  nowMs: number,
): DayRows {
  if (database === undefined) return [];
  const fromMs = firstDayOf(service, nowMs) * DAY_MS;
  return sumByDay(database, subjectsOf(service), fromMs, ledger.planned(service.name));
}

export function countsOf(
  rows: DayRows,
  service: LedgerService,
  ledger: Ledger,
  nowMs: number,
): ServiceCounts {
  const firstDay = firstDayOf(service, nowMs);
  const length = Math.floor(nowMs / DAY_MS) - firstDay + 1;
  const byVantage = new Map<string, { good: number[]; bad: number[] }>();
  for (const { day, vantage, good, bad } of rows) {
    const i = day - firstDay;
    if (i < 0 || i >= length) continue;
    const counts = byVantage.get(vantage) ?? { good: zeros(length), bad: zeros(length) };
    byVantage.set(vantage, counts);
    counts.good[i]! += good;
    counts.bad[i]! += bad;
  }
  const { incidents, burns } = ledger.of(service.name);
  return {
    name: service.name,
    firstDay,
    byVantage: [...byVantage].map(([vantage, counts]) => ({ vantage, ...counts })),
    harm: harmOf(incidents.filter(isFailure)),
    burnRate: fastestBurn(burns),
  };
}

/** Of this node's counts and those of the others; all of `service`. */
export function summaryOf(
  service: LedgerService,
  told: readonly ServiceCounts[],
  nowMs: number,
): ServiceSummary {
  const { windowMs } = service.objectives;
  const today = Math.floor(nowMs / DAY_MS);
  const firstDay = today - DAYS + 1;
  const windowFrom = today - Math.ceil(windowMs / DAY_MS) + 1;
  const harm = union(told.flatMap((one) => one.harm));
  const byVantage = sumsOf(told, windowFrom, today);
  const availability = worstShare(byVantage);
  const list = Array.from({ length: DAYS }, (_, i) => firstDay + i);
  return {
    name: service.name,
    days: {
      firstDay: new Date(firstDay * DAY_MS).toISOString().slice(0, 10),
      availability: list.map((day) => worstShare(sumsOf(told, day, day)) ?? null),
      badMinutes: list.map((day) => {
        const span = { fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS };
        return lengthOf(intersect([span], harm)) / 60_000;
      }),
    },
    byVantage,
    ...(availability === undefined ? {} : { availability }),
    budget: budgetOf(service, harm, {
      nowMs,
      burnRate: Math.max(0, ...told.map((one) => one.burnRate)),
    }),
  };
}

function firstDayOf({ objectives }: LedgerService, nowMs: number): number {
  const days = Math.max(DAYS, Math.ceil(objectives.windowMs / DAY_MS));
  return Math.floor(nowMs / DAY_MS) - days + 1;
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

/**
 * Each request went through one balancer: their counts add up. A prober may tell several nodes the
 * same, so of its counts those of the node that heard most are taken.
 */
function sumsOf(
  told: readonly ServiceCounts[],
  fromDay: number,
  toDay: number,
): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { firstDay, byVantage } of told) {
    for (const { vantage, good, bad } of byVantage) {
      const [from, to] = [Math.max(0, fromDay - firstDay), toDay - firstDay + 1];
      const one = { good: added(good.slice(from, to)), bad: added(bad.slice(from, to)) };
      const before = sums.get(vantage) ?? { good: 0, bad: 0 };
      sums.set(vantage, vantage.startsWith("probe:") ? larger(before, one) : sum(before, one));
    }
  }
  return sums;
}

function added(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

function sum(a: Sum, b: Sum): Sum {
  return { good: a.good + b.good, bad: a.bad + b.bad };
}

function larger(a: Sum, b: Sum): Sum {
  return a.good + a.bad >= b.good + b.bad ? a : b;
}

function worstShare(byVantage: ReadonlyMap<string, Sum>): number | undefined {
  const shares = [...byVantage.values()]
    .filter(({ good, bad }) => good + bad > 0)
    .map(({ good, bad }) => good / (good + bad));
  return shares.length === 0 ? undefined : Math.min(...shares);
}

function harmOf(failures: readonly Incident[]): Span[] {
  const spans = failures.flatMap(({ segments }) => segments.filter(isHarm));
  return union(spans.map(({ fromMs, toMs }) => ({ fromMs, toMs }))).slice(-MAX_HARM);
}

function budgetOf(
  { objectives }: LedgerService,
  harm: readonly Span[],
  { nowMs, burnRate }: { readonly nowMs: number; readonly burnRate: number },
): Budget {
  const { availability: objective, windowMs } = objectives;
  const totalMs = (1 - objective) * windowMs;
  const spentMs = lengthOf(intersect([{ fromMs: nowMs - windowMs, toMs: nowMs }], [...harm]));
  const windowDays = windowMs / DAY_MS;
  return { objective, windowDays, totalMs, spentMs, leftMs: totalMs - spentMs, burnRate };
}

/** Over the last hour, of the vantage where it is worst. */
function fastestBurn(burns: Ledger["burns"]): number {
  const rates = burns.filter(({ rule }) => rule.name === "fast").map(({ long }) => long);
  return Math.max(0, ...rates);
}
