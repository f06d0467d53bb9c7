/** The ledger in short: what the first screen and the metrics show of each service. */

import type { DatabaseSync } from "node:sqlite";
import { harmWithin, type Incident, isFailure } from "../core/ledger/incident.ts";
import type { Span } from "../core/ledger/intervals.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import type { LedgerService } from "../core/ledger/settings.ts";
import { sumByDay } from "../drivers/ledger-store.ts";
import type { Budget, UptimeDays } from "./api.ts";
import { subjectsOf } from "./service-measures.ts";

const DAY_MS = 86_400_000;
const DAYS = 90;

export interface ServiceSummary {
  readonly name: string;
  readonly days: UptimeDays;
  /** Requests within the objective's window, by vantage. */
  readonly byVantage: ReadonlyMap<string, { readonly good: number; readonly bad: number }>;
  /** The worst vantage's share of good requests; undefined: nothing measured. */
  readonly availability?: number;
  readonly budget: Budget;
}

/** Whole days, UTC: the window of the objective begins at a midnight. */
export function summaryOf(
  database: DatabaseSync | undefined,
  service: LedgerService,
  ledger: Ledger,
  nowMs: number,
): ServiceSummary {
  const today = Math.floor(nowMs / DAY_MS);
  const { windowMs, availability: objective } = service.objectives;
  const firstDay = today - DAYS + 1;
  const windowFrom = today - Math.ceil(windowMs / DAY_MS) + 1;
  const incidents = ledger.incidents.filter((one) => one.service === service.name);
  const days = new Map<number, Map<string, { good: number; bad: number }>>();
  const byVantage = new Map<string, { good: number; bad: number }>();
  const from = Math.min(firstDay, windowFrom);
  const rows =
    database === undefined
      ? []
      : sumByDay(database, subjectsOf(service), from * DAY_MS, ledger.planned(service.name));
  for (const { day, vantage, good, bad } of rows) {
    const ofDay = days.get(day) ?? new Map<string, { good: number; bad: number }>();
    ofDay.set(vantage, { good, bad });
    days.set(day, ofDay);
    if (day < windowFrom) continue;
    const sum = byVantage.get(vantage) ?? { good: 0, bad: 0 };
    byVantage.set(vantage, { good: sum.good + good, bad: sum.bad + bad });
  }
  const list = Array.from({ length: DAYS }, (_, i) => firstDay + i);
  const availability = worstShare(byVantage);
  return {
    name: service.name,
    days: {
      firstDay: new Date(firstDay * DAY_MS).toISOString().slice(0, 10),
      availability: list.map((day) => worstShare(days.get(day) ?? new Map()) ?? null),
      badMinutes: list.map((day) => badMinutes(incidents, day)),
    },
    byVantage,
    ...(availability === undefined ? {} : { availability }),
    budget: budgetOf(service, incidents, {
      span: { fromMs: nowMs - windowMs, toMs: nowMs },
      burnRate: fastestBurn(ledger, service.name),
      objective,
    }),
  };
}

function worstShare(
  byVantage: ReadonlyMap<string, { readonly good: number; readonly bad: number }>,
): number | undefined {
  const shares = [...byVantage.values()]
    .filter(({ good, bad }) => good + bad > 0)
    .map(({ good, bad }) => good / (good + bad));
  return shares.length === 0 ? undefined : Math.min(...shares);
}

function badMinutes(incidents: readonly Incident[], day: number): number {
  const span = { fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS };
  return harmOfAll(incidents, span) / 60_000;
}

function harmOfAll(incidents: readonly Incident[], span: Span): number {
  return incidents.filter(isFailure).reduce((sum, one) => sum + harmWithin(one, span), 0);
}

function budgetOf(
  { objectives }: LedgerService,
  incidents: readonly Incident[],
  { span, burnRate, objective }: { span: Span; burnRate: number; objective: number },
): Budget {
  const totalMs = (1 - objective) * objectives.windowMs;
  const spentMs = harmOfAll(incidents, span);
  const windowDays = objectives.windowMs / DAY_MS;
  return { objective, windowDays, totalMs, spentMs, leftMs: totalMs - spentMs, burnRate };
}

/** Over the last hour, of the vantage where it is worst. */
function fastestBurn(ledger: Ledger, service: string): number {
  const rates = ledger.burns
    .filter((burn) => burn.service === service && burn.rule.name === "fast")
    .map(({ long }) => long);
  return Math.max(0, ...rates);
}
