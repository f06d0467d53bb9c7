/**
 * The ledger from the journal's file: of a running node, of one whose daemon is dead, of a copy. What it
 * says is what the running console says, because both follow from the same evidence.
 */

import type { DatabaseSync } from "node:sqlite";
import { EVIDENCE_KINDS, type LedgerRecord } from "../core/ledger/evidence.ts";
import type { Span } from "../core/ledger/intervals.ts";
import { Ledger } from "../core/ledger/ledger.ts";
import { addLatency, type Latency } from "../core/journal/measurement.ts";
import { BUCKET_MS, type Measure } from "../core/ledger/measure.ts";
import type { LedgerSettings } from "../core/ledger/settings.ts";
import { type ReportData, reportOf } from "../core/ledger/report.ts";
import { journalPath, openJournalToRead } from "../drivers/journal-database.ts";
import { keptSettings, readRecords, readSpans } from "../drivers/ledger-store.ts";
import { measuresOf, subjectsOf } from "./service-measures.ts";
import { monthBefore, type Month, monthSpan } from "./report/month.ts";

const DAY_MS = 86_400_000;
/** As long as records and measurements are kept. */
const KEPT_MS = 400 * DAY_MS;
/** What the burn rates look at. */
const BURN_MS = 74 * 3_600_000;

/** Everything that changes incidents, maintenance, drills, and what the ledger has told. */
const LEDGER_KINDS: readonly string[] = [
  ...EVIDENCE_KINDS,
  "maintenance-started",
  "maintenance-ended",
  "drill-started",
  "drill-finished",
  "drill-undone",
  "drill-near-started",
  "drill-near-undone",
  "drill-near-finished",
  "incident-opened",
  "incident-switched",
  "incident-restored",
  "incident-closed",
  "burn-started",
  "burn-ended",
];

export function isLedgerKind(kind: string): boolean {
  return LEDGER_KINDS.includes(kind);
}

/** Told everything that is kept; not stepped yet. `goesOn`: called again and again meanwhile. */
export function refillLedger(
  database: DatabaseSync,
  settings: LedgerSettings,
  nowMs: number,
  goesOn: () => void = () => undefined,
): Ledger {
  const ledger = new Ledger(settings);
  const span = { fromMs: nowMs - KEPT_MS, toMs: nowMs + DAY_MS };
  for (const record of readRecords(database, LEDGER_KINDS, span)) ledger.record(record);
  for (const service of settings.services) {
    const subjects = subjectsOf(service);
    // Old measures matter where they hurt; for latency the times have to be looked at.
    const harmOnly = service.objectives.latency === undefined;
    const burnFromMs = nowMs - BURN_MS;
    const common = { subjects, withLatency: !harmOnly };
    const old = { ...common, harmOnly, fromMs: span.fromMs, toMs: burnFromMs };
    const late = { ...common, fromMs: burnFromMs, toMs: span.toMs };
    for (const query of [old, late]) {
      for (const some of readSpans(database, query)) {
        for (const measure of measuresOf(service, some)) ledger.measured(measure);
        goesOn();
      }
    }
  }
  return ledger;
}

export interface LedgerFile {
  readonly database: DatabaseSync;
  readonly settings: LedgerSettings;
  readonly node: string;
  /** The state directory that it is in. */
  readonly directory: string;
}

/** A sentence when there is nothing to read. */
export function openLedgerFile(stateDirectory: string): LedgerFile | string {
  const path = journalPath(stateDirectory);
  let database: DatabaseSync;
  try {
    database = openJournalToRead(path);
  } catch (error) {
    return `${path} cannot be read: ${(error as Error).message}; name its directory: --state-dir DIR`;
  }
  const kept = keptSettings(database);
  if (kept !== undefined) return { database, ...kept, directory: stateDirectory };
  database.close();
  return `${path} knows no services yet: a node writes them when its console runs`;
}

export function ledgerOf({ database, settings }: LedgerFile, nowMs: number): Ledger {
  const ledger = refillLedger(database, settings, nowMs);
  ledger.step(nowMs);
  return ledger;
}

/** Months before the reported one that the trend shows. */
const TREND_MONTHS = 5;

/** `service`: only that one. */
export function reportFrom(
  file: LedgerFile,
  month: Month,
  { nowMs, service }: { readonly nowMs: number; readonly service?: string },
): ReportData {
  const { timezone, services } = file.settings;
  const settings = {
    ...file.settings,
    services: services.filter(({ name }) => service === undefined || name === service),
  };
  const before: Span[] = [];
  for (let one = monthBefore(month); before.length < TREND_MONTHS; one = monthBefore(one)) {
    before.unshift(monthSpan(one, timezone));
  }
  const span = monthSpan(month, timezone);
  const kinds = ["burn-started", "drill-finished"];
  const records: LedgerRecord[] = [...readRecords(file.database, kinds, span)];
  const known = earliest(file.database);
  const sources = {
    settings,
    ledger: ledgerOf({ ...file, settings }, nowMs),
    measures: (name: string, within: Span) => {
      const one = settings.services.find((candidate) => candidate.name === name)!;
      const query = { subjects: subjectsOf(one), ...within, withLatency: true };
      const all: Measure[] = [];
      for (const some of readSpans(file.database, query)) all.push(...light(measuresOf(one, some)));
      return all;
    },
    records,
    node: file.node,
    nowMs,
    knownFromMs: known,
  };
  return reportOf(
    sources,
    span,
    before.filter(({ toMs }) => toMs > known),
  );
}

/** The same with the times of answers of each vantage in its first measure: they are most of what there is to hold. */
function light(measures: readonly Measure[]): Measure[] {
  const times = new Map<string, Latency>();
  for (const { vantage, latency = [] } of measures) {
    times.set(vantage, addLatency(times.get(vantage) ?? [], latency));
  }
  return measures.map(({ latency: _latency, ...one }) => {
    const latency = times.get(one.vantage) ?? [];
    times.delete(one.vantage);
    return latency.length === 0 ? one : { ...one, latency };
  });
}

/**
 * Unix ms, the bucket of the first record: what was before it is unknown, not perfect. What was measured in that bucket
 * begins with it, and so do incidents.
 */
function earliest(database: DatabaseSync): number {
  const row = database.prepare("SELECT min(wall) AS wall FROM record").get();
  const wallMs = Number(row?.["wall"] ?? 0);
  return wallMs - (wallMs % BUCKET_MS);
}
