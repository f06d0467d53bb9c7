/** The records that a recount looks at, as they stand in the file, and the periods that they begin and end. */

import type { DatabaseSync } from "node:sqlite";
import { bucketEndMs } from "../../core/proxy/histogram.ts";
import type { LedgerService, LedgerSettings } from "../../core/ledger/settings.ts";

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Line {
  readonly atMs: number;
  readonly node: string;
  readonly kind: string;
  readonly source: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function linesOf(database: DatabaseSync): Line[] {
  const rows = database
    .prepare(
      `SELECT wall, n.text AS node, k.text AS kind, s.text AS source, o.text AS subject, data
       FROM record r JOIN word n ON n.id = r.node JOIN word k ON k.id = r.kind
       JOIN word s ON s.id = r.source JOIN word o ON o.id = r.subject
       WHERE k.text GLOB 'server-*' OR k.text GLOB 'peer-*' OR k.text GLOB 'split-brain-*'
         OR k.text GLOB 'maintenance-*' OR k.text GLOB 'drill-*' OR k.text GLOB 'incident-*'
         OR k.text GLOB 'role-*'
         OR k.text IN ('started', 'state-changed', 'lease-lapsed', 'handover-asked', 'work-lost')
       ORDER BY wall, seq`,
    )
    .all();
  return rows.map((row) => ({
    atMs: Number(row["wall"]),
    node: String(row["node"]),
    kind: String(row["kind"]),
    source: String(row["source"]),
    subject: String(row["subject"]),
    data: JSON.parse(String(row["data"] ?? "{}")) as Record<string, unknown>,
  }));
}

export function plannedOf(
  settings: LedgerSettings,
  { name }: LedgerService,
  lines: readonly Line[],
): Window[] {
  const windows: Window[] = settings.planned.filter((w) => w.service === "" || w.service === name);
  for (const [i, { kind, subject, atMs: fromMs, data }] of lines.entries()) {
    if (kind !== "maintenance-started" || (subject !== "" && subject !== name)) continue;
    const key = data["id"] ?? subject;
    const end = lines.find(
      (one, j) =>
        j > i && one.kind === "maintenance-ended" && (one.data["id"] ?? one.subject) === key,
    );
    const toMs = Math.min(Number(data["untilMs"] ?? Infinity), end?.atMs ?? Infinity);
    windows.push({ fromMs, toMs });
  }
  return windows;
}

export function drillAt(lines: readonly Line[], atMs: number): boolean {
  const key = ({ data, subject }: Line): unknown => data["run"] ?? data["id"] ?? subject;
  return lines.some((line, i) => {
    if (!/^drill-(near-)?started$/u.test(line.kind) || line.atMs - 10_000 > atMs) return false;
    // Mended and never finished: its conductor died.
    const ends = lines.slice(i + 1).flatMap((one) => {
      if (!/^drill-(near-)?(undone|finished)$/u.test(one.kind) || key(one) !== key(line)) return [];
      return [one.kind.endsWith("undone") ? one.atMs + 360_000 : one.atMs];
    });
    return atMs < Math.min(line.atMs + 7_200_000, ...ends) + 10_000;
  });
}

/**
 * SQL: good answers that were too slow. Probes say it; of the balancer's times those count that lie as a whole
 * a quarter above the limit.
 */
export function slowSum({ objectives }: LedgerService): string {
  const { latency } = objectives;
  if (latency === undefined) return "0";
  let least = 0;
  while (bucketEndMs(least) <= latency.belowMs * 1.25 && Number.isFinite(bucketEndMs(least)))
    least++;
  const above = `SELECT sum(value ->> 1) FROM json_each(coalesce(latency, '[]')) WHERE value ->> 0 >= ${least}`;
  return `sum(coalesce(slow, min(good, coalesce((${above}), 0))))`;
}

/** Stretches that touch or overlap are one. */
export function joined(spans: readonly Window[]): { fromMs: number; toMs: number }[] {
  const all: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else all.push({ fromMs, toMs });
  }
  return all;
}

export interface Latencies {
  readonly vantage: string;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Upper ends of buckets, ms: SQL adds them up, and the least one that enough answers lie in is the quantile. */
export function latenciesOf(
  database: DatabaseSync,
  service: LedgerService,
  { fromMs, toMs }: Window,
): Latencies[] {
  const subjects = subjectsOf(service);
  const rows = database
    .prepare(
      `SELECT vantage, one.value ->> 0 AS bucket, sum(one.value ->> 1) AS answers
       FROM measurement, json_each(coalesce(latency, '[]')) AS one
       WHERE subject IN (${subjects.map(() => "?").join()}) AND start >= ? AND start < ?
       GROUP BY vantage, bucket ORDER BY vantage, bucket`,
    )
    .all(...subjects, fromMs, toMs);
  const byVantage = Map.groupBy(rows, (row) => String(row["vantage"]));
  return [...byVantage].flatMap(([vantage, buckets]) => {
    if (!speaksFor(service, vantage)) return [];
    const total = buckets.reduce((sum, row) => sum + Number(row["answers"]), 0);
    const quantile = (percent: number): number => {
      let sum = 0;
      const found = buckets.find((row) => {
        sum += Number(row["answers"]);
        return sum * 100 >= total * percent;
      });
      return bucketEndMs(Number(found?.["bucket"]));
    };
    return total === 0
      ? []
      : [{ vantage, p50: quantile(50), p95: quantile(95), p99: quantile(99) }];
  });
}

export function subjectsOf({ name, frontends }: LedgerService): string[] {
  return [...frontends.map((frontend) => `frontend ${frontend}`), `service ${name}`];
}

/** A probe that is not listed where some are says nothing about the service. */
export function speaksFor({ probes }: LedgerService, vantage: string): boolean {
  if (!vantage.startsWith("probe:")) return vantage === "balancer";
  return probes.length === 0 || probes.includes(vantage.slice("probe:".length));
}
