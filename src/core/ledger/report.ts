/** Everything that the report of a period says, as data; `src/console/report` gives it words. */

import {
  type Availability,
  availabilityOf,
  explainDifference,
  type Period,
} from "./availability.ts";
import { type Budget, budgetOf, split } from "./budget.ts";
import type { LedgerRecord } from "./evidence.ts";
import { harmWithin, type Incident, isFailure } from "./incident.ts";
import { intersect, type Span, union } from "./intervals.ts";
import type { Ledger } from "./ledger.ts";
import { type LatencyFigures, latencyOf, type Measure } from "./measure.ts";
import type { Layer, LedgerService, LedgerSettings, PlannedWindow } from "./settings.ts";
import {
  availabilityByIncidents,
  type Distribution,
  distributionOf,
  type Statistics,
  statisticsOf,
} from "./statistics.ts";

export interface ReportSources {
  readonly settings: LedgerSettings;
  /** Given all evidence, and stepped to `nowMs`. */
  readonly ledger: Ledger;
  /** Of one service within a span. */
  readonly measures: (service: string, span: Span) => readonly Measure[];
  /** Of the period; kinds of alerts and drills. */
  readonly records: readonly LedgerRecord[];
  readonly node: string;
  readonly nowMs: number;
  /** When the journal begins, Unix ms: of the time before it nothing is known. */
  readonly knownFromMs: number;
}

export interface LayerFigures {
  readonly layer: Layer | "unknown";
  readonly objective?: number;
  readonly rtoMs?: number;
  readonly failures: number;
  readonly downMs: number;
  readonly availability: number;
}

export interface OwnerFigures {
  readonly name: string;
  readonly allowedScore: number;
  readonly score: number;
}

export interface TrendPoint extends Span {
  readonly statistics: Statistics;
  readonly byIncidents: number;
}

export interface ServiceReport {
  readonly service: LedgerService;
  /** One for each vantage. */
  readonly availability: readonly Availability[];
  /** The vantage with the fewest good requests: budgets follow what users met. */
  readonly vantage?: string;
  readonly differences: readonly string[];
  /** By the incidents' own times; also where nothing measures. */
  readonly byIncidents: number;
  readonly budget: Budget;
  readonly latency: readonly (LatencyFigures & { readonly vantage: string })[];
  /** Share of the good answers that kept the objective. */
  readonly inTime?: number;
  readonly layers: readonly LayerFigures[];
  readonly incidents: readonly Incident[];
  readonly planned: readonly PlannedWindow[];
  readonly statistics: Statistics;
  readonly score: number;
  readonly scoreFromStart: number;
  readonly owners: readonly OwnerFigures[];
  /** From the first bad evidence until another one served. */
  readonly switches?: Distribution;
  readonly trend: readonly TrendPoint[];
}

export interface DrillFigures {
  readonly run: number;
  readonly passed: number;
}

export interface ReportData extends Span {
  readonly node: string;
  readonly timezone: string;
  readonly nowMs: number;
  /** When the journal begins: means and layers are of the time from then on. */
  readonly knownFromMs: number;
  readonly classes: Readonly<Record<string, number>>;
  readonly services: readonly ServiceReport[];
  readonly burnAlerts: readonly { readonly atMs: number; readonly reason: string }[];
  readonly drills: DrillFigures;
}

/** `trend`: the periods before, oldest first. */
export function reportOf(
  sources: ReportSources,
  period: Span,
  trend: readonly Span[] = [],
): ReportData {
  const { settings, records, node, nowMs, knownFromMs } = sources;
  const within = records.filter(({ wallMs }) => period.fromMs <= wallMs && wallMs < period.toMs);
  return {
    ...period,
    node,
    timezone: settings.timezone,
    nowMs,
    knownFromMs,
    classes: settings.classes,
    services: settings.services.map((service) => serviceReport(sources, service, period, trend)),
    burnAlerts: within
      .filter(({ kind }) => kind === "burn-started")
      .map(({ wallMs: atMs, subject, reason }) => ({ atMs, reason: `${subject}: ${reason}` })),
    drills: drillsOf(within),
  };
}

function serviceReport(
  sources: ReportSources,
  service: LedgerService,
  span: Span,
  trend: readonly Span[],
): ServiceReport {
  const { settings, ledger, nowMs, knownFromMs } = sources;
  // What has not been yet is neither good nor bad, and neither is what nobody saw.
  const period = until(span, nowMs);
  const known = since(period, knownFromMs);
  const windows = ledger.planned(service.name).filter((one) => overlaps(one, period));
  const planned = union(windows);
  const byVantage = Map.groupBy(sources.measures(service.name, period), (one) => one.vantage);
  const availability = [...byVantage].map(([vantage, measures]) =>
    availabilityOf(service, vantage, measures, { ...period, planned }),
  );
  availability.sort((a, b) => (a.vantage < b.vantage ? -1 : 1));
  const all = ledger.incidents.filter((one) => one.service === service.name);
  const incidents = all.filter(({ startMs }) => period.fromMs <= startMs && startMs < period.toMs);
  const worst = worstOf(availability);
  const budget = budgetFor(service, worst, { period, planned, settings });
  const figures = { good: 0, slow: 0, ...worst };
  return {
    service,
    availability,
    ...(worst === undefined ? {} : { vantage: worst.vantage }),
    differences: explainDifference(availability),
    byIncidents: availabilityByIncidents(all, known, planned),
    budget,
    latency: [...byVantage].flatMap(([vantage, measures]) => {
      const latency = latencyOf(measures);
      return latency === undefined ? [] : [{ vantage, ...latency }];
    }),
    ...(service.objectives.latency === undefined || figures.good === 0
      ? {}
      : { inTime: 1 - figures.slow / figures.good }),
    layers: layersOf(service, all, { ...known, planned }),
    incidents,
    planned: windows,
    statistics: statisticsOf(all, known),
    score: sum(incidents.map(({ score }) => score)),
    scoreFromStart: sum(incidents.map(({ scoreFromStart }) => scoreFromStart)),
    owners: ownersOf(service, incidents, budget.allowedScore),
    ...switchesOf(incidents),
    trend: [...trend, period].map((one) => {
      const seen = since(one, knownFromMs);
      return {
        ...one,
        statistics: statisticsOf(all, seen),
        byIncidents: availabilityByIncidents(all, seen, union(ledger.planned(service.name))),
      };
    }),
  };
}

function until({ fromMs, toMs }: Span, nowMs: number): Span {
  return { fromMs, toMs: Math.max(fromMs, Math.min(toMs, nowMs)) };
}

function since({ fromMs, toMs }: Span, knownFromMs: number): Span {
  return { fromMs: Math.min(toMs, Math.max(fromMs, knownFromMs)), toMs };
}

function overlaps(a: Span, b: Span): boolean {
  return a.fromMs < b.toMs && b.fromMs < a.toMs;
}

function worstOf(list: readonly Availability[]): Availability | undefined {
  return list.reduce<Availability | undefined>((worst, one) => {
    if (one.byRequests === undefined) return worst;
    return worst === undefined || one.byRequests < worst.byRequests! ? one : worst;
  }, undefined);
}

interface BudgetAround {
  readonly period: Span;
  readonly planned: readonly Span[];
  readonly settings: LedgerSettings;
}

/** Of the whole period so far; without any measurement by the incidents' minutes alone. */
function budgetFor(
  { objectives }: LedgerService,
  measured: Availability | undefined,
  { period, planned, settings }: BudgetAround,
): Budget {
  const plannedMs = intersect([period], planned).reduce((ms, s) => ms + s.toMs - s.fromMs, 0);
  const heaviest = Math.max(...Object.values(settings.classes));
  const span = { lengthMs: period.toMs - period.fromMs, heaviest };
  const nothing = { good: 0, bad: 0, badMs: 0, plannedMs };
  return budgetOf(objectives.availability, measured ?? nothing, span);
}

function layersOf(
  { layers }: LedgerService,
  incidents: readonly Incident[],
  period: Period,
): LayerFigures[] {
  const names = ["address", "balancer", "server", "unknown"] as const;
  return names.flatMap((layer): LayerFigures[] => {
    const objective = layers.find((one) => one.layer === layer);
    const own = incidents.filter((one) => one.layer === layer);
    const failures = own.filter(isFailure).filter((one) => harmWithin(one, period) > 0);
    if (objective === undefined && failures.length === 0) return [];
    return [
      {
        layer,
        ...(objective === undefined ? {} : { objective: objective.availability }),
        ...(objective?.rtoMs === undefined ? {} : { rtoMs: objective.rtoMs }),
        failures: failures.length,
        downMs: sum(failures.map((one) => harmWithin(one, period))),
        availability: availabilityByIncidents(own, period, period.planned),
      },
    ];
  });
}

function ownersOf(
  { owners }: LedgerService,
  incidents: readonly Incident[],
  allowedScore: number,
): OwnerFigures[] {
  const allowed = split(allowedScore, owners);
  const actual = new Map<string, number>();
  for (const { score, owners: whose } of incidents) {
    for (const [name, part] of split(score, whose)) {
      actual.set(name, (actual.get(name) ?? 0) + part);
    }
  }
  const names = [...new Set([...allowed.keys(), ...actual.keys()])];
  return names.map((name) => {
    return { name, allowedScore: allowed.get(name) ?? 0, score: actual.get(name) ?? 0 };
  });
}

function switchesOf(incidents: readonly Incident[]): Pick<ServiceReport, "switches"> {
  const times = incidents.flatMap(({ switchedMs, startMs, dismissed }) =>
    switchedMs === undefined || dismissed !== undefined ? [] : [switchedMs - startMs],
  );
  const switches = distributionOf(times);
  return switches === undefined ? {} : { switches };
}

/** A drill's record says how it went: `verdict`, alone or in its result. */
function drillsOf(records: readonly LedgerRecord[]): DrillFigures {
  const finished = records.filter(({ kind }) => kind === "drill-finished");
  const passed = finished.filter(({ data }) => {
    const result = data?.["result"] as { readonly verdict?: unknown } | undefined;
    return (data?.["verdict"] ?? result?.verdict) === "passed";
  });
  return { run: finished.length, passed: passed.length };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
