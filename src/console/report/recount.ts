/**
 * The report's figures a second time, from the raw rows of the journal's file, by other code: one walk
 * through time over sorted edges, with nothing of the ledger but its settings. Whoever doubts a
 * report reads this file and docs/ledger.md, and runs `nines report --recompute`.
 */

import type { DatabaseSync } from "node:sqlite";
import type { LedgerService, LedgerSettings } from "../../core/ledger/settings.ts";
import {
  drillAt,
  type Latencies,
  latenciesOf,
  type Line,
  linesOf,
  plannedOf,
  slowSum,
  speaksFor,
  subjectsOf,
  type Window,
} from "./recount-lines.ts";
import { type MeanIncident, meansOf, type RecountedMeans } from "./recount-means.ts";
import { concerns, recoveredOf } from "./recount-recovery.ts";

/** The class that counts for nothing, and the length of a measured span: as docs/ledger.md says. */
const DISMISSED = "none";
const BUCKET_MS = 10_000;

export interface RecountedVantage {
  readonly vantage: string;
  readonly good: number;
  readonly bad: number;
  readonly goodMs: number;
  readonly badMs: number;
  readonly slow: number;
}

export interface RecountedIncident extends MeanIncident {
  readonly scoreFromStart: number;
}

export interface Recount {
  readonly service: string;
  readonly vantages: readonly RecountedVantage[];
  /** Those that hurt somebody. */
  readonly incidents: readonly RecountedIncident[];
  readonly means: RecountedMeans;
  readonly latencies: readonly Latencies[];
}

interface Row {
  readonly vantage: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly good: number;
  readonly bad: number;
  readonly slow: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** 0 well, 1 partial, 2 wide, 3 down. */
  readonly level: number;
}

export function recount(
  database: DatabaseSync,
  settings: LedgerSettings,
  period: Window & { readonly nowMs: number; readonly knownFromMs: number },
): Recount[] {
  const lines = linesOf(database);
  return settings.services.map((service) => {
    const rows = rowsOf(database, service);
    const planned = plannedOf(settings, service, lines);
    const silences = silencesOf(service, lines);
    const incidents = walk([...rows, ...silences], lines, {
      service,
      settings,
      planned,
      nowMs: period.nowMs,
    });
    const vantages = vantagesOf(rows, planned, period);
    const toMs = Math.max(period.fromMs, Math.min(period.toMs, period.nowMs));
    return {
      service: service.name,
      vantages,
      latencies: latenciesOf(database, service, { fromMs: period.fromMs, toMs }),
      means: meansOf(service, {
        incidents,
        planned,
        measured: [...vantages].sort((a, b) => share(a) - share(b))[0],
        period: { fromMs: period.fromMs, toMs },
        knownFromMs: period.knownFromMs,
      }),
      incidents: incidents.filter(
        ({ startMs, harmMs }) => harmMs > 0 && startMs >= period.fromMs && startMs < period.toMs,
      ),
    };
  });
}

function share({ good, bad }: RecountedVantage): number {
  return good / (good + bad);
}

function rowsOf(database: DatabaseSync, service: LedgerService): Row[] {
  const subjects = subjectsOf(service);
  const rows = database
    .prepare(
      `SELECT vantage, start, length, sum(good) AS good, sum(bad) AS bad, ${slowSum(service)} AS slow,
              min(first_bad) AS first, max(last_bad) AS last,
              min(coalesce(dark, 0)) AS dark
       FROM measurement WHERE subject IN (${subjects.map(() => "?").join()})
       GROUP BY vantage, start, length ORDER BY start`,
    )
    .all(...subjects);
  return rows.flatMap((row) => {
    const vantage = String(row["vantage"]);
    if (!speaksFor(service, vantage)) return [];
    const [good, bad, slowOnes] = [Number(row["good"]), Number(row["bad"]), Number(row["slow"])];
    const [fromMs, toMs] = [Number(row["start"]), Number(row["start"]) + Number(row["length"])];
    if (good + bad === 0) return [];
    const within = (ms: number): number => Math.min(toMs, Math.max(fromMs, ms));
    const shift = vantage === "balancer" ? 1000 : 0;
    const first = within(row["first"] === null ? fromMs : Number(row["first"]) - shift);
    const last = within(row["last"] === null ? toMs : Number(row["last"]));
    const [firstMs, lastMs] = last > first ? [first, last] : [fromMs, toMs];
    const share = bad / (good + bad);
    const isSlow = slowOnes / (good + bad) >= 0.5;
    const dark = Number(row["dark"]);
    const isDark = dark >= 1500 && dark >= 0.9 * (last - first - 2000);
    const level = share >= 0.9 || isDark ? 3 : share >= 0.2 || isSlow ? 2 : share >= 0.05 ? 1 : 0;
    return [{ vantage, fromMs, toMs, good, bad, slow: slowOnes, firstMs, lastMs, level }];
  });
}

/** A master that was silent until another one took over: nobody was served in between. */
function silencesOf({ instances }: LedgerService, lines: readonly Line[]): Row[] {
  return lines.flatMap(({ kind, subject, atMs, data }) => {
    if (kind !== "state-changed" || data["to"] !== "MASTER" || data["cause"] !== "silent")
      return [];
    const silentMs = Number(data["silentMs"]);
    if (!instances.includes(subject) || !(silentMs > 0 && silentMs <= 3_600_000)) return [];
    const fromMs = atMs - silentMs;
    const counts = { good: 0, bad: 0, slow: 0, level: 3 };
    return [{ vantage: "vrrp", fromMs, toMs: atMs, firstMs: fromMs, lastMs: atMs, ...counts }];
  });
}

/** Requests by adding, time by marking every second that was asked and every one that was bad. */
function vantagesOf(
  rows: readonly Row[],
  planned: readonly Window[],
  period: Window & { readonly nowMs: number },
): RecountedVantage[] {
  const endMs = Math.min(period.toMs, period.nowMs);
  const names = [...new Set(rows.map(({ vantage }) => vantage))].sort();
  const seconds = Math.max(0, Math.ceil((period.toMs - period.fromMs) / 1000)) + 60;
  return names.flatMap((vantage) => {
    // 0 nobody asked, 1 good, 2 bad.
    const marks = new Uint8Array(seconds);
    let [good, bad, slow] = [0, 0, 0];
    for (const row of rows) {
      if (row.vantage !== vantage || row.fromMs < period.fromMs || row.fromMs >= endMs) continue;
      if (planned.some(({ fromMs, toMs }) => fromMs <= row.fromMs && row.fromMs < toMs)) continue;
      good += row.good;
      bad += row.bad;
      slow += row.slow;
      for (let s = row.fromMs; s < row.toMs; s += 1000) {
        const place = (s - period.fromMs) / 1000;
        marks[place] = Math.max(marks[place] ?? 0, row.level > 0 ? 2 : 1);
      }
    }
    if (good + bad === 0) return [];
    const badMs = marks.reduce((sum, mark) => sum + (mark === 2 ? 1000 : 0), 0);
    const goodMs = marks.reduce((sum, mark) => sum + (mark === 1 ? 1000 : 0), 0);
    return [{ vantage, good, bad, goodMs, badMs, slow }];
  });
}

interface Rules {
  readonly service: LedgerService;
  readonly settings: LedgerSettings;
  readonly planned: readonly Window[];
  readonly nowMs: number;
}

interface Walked {
  readonly startMs: number;
  lastMs: number;
  detectedMs: number;
  slow: boolean;
  broken: boolean;
  /** Time by level. */
  readonly harm: { readonly fromMs: number; readonly toMs: number; readonly level: number }[];
  readonly asked: Map<string, number>;
  readonly outages: Out[];
}

interface Out {
  readonly part: string;
  readonly fromMs: number;
  toMs: number;
}

interface Edge {
  readonly atMs: number;
  readonly step: 1 | -1;
  /** `planned`, `part …`, or a row. */
  readonly what: string | Row;
}

function walk(rows: readonly Row[], lines: readonly Line[], rules: Rules): RecountedIncident[] {
  const { settings, nowMs } = rules;
  const edges = edgesOf(rows, lines, rules);
  const active = new Set<string | Row>();
  const planned = new Map<string, number>();
  const found: Walked[] = [];
  for (const [i, { atMs, step, what }] of edges.entries()) {
    if (what === "planned") planned.set(what, (planned.get(what) ?? 0) + step);
    else if (step === 1) active.add(what);
    else active.delete(what);
    const untilMs = Math.min(edges[i + 1]?.atMs ?? atMs, nowMs);
    if (untilMs <= atMs || active.size === 0 || (planned.get("planned") ?? 0) > 0) continue;
    let current = found.at(-1);
    if (current === undefined || atMs > current.lastMs + settings.mergeMs) {
      const [harm, asked] = [[], new Map<string, number>()];
      current = {
        startMs: atMs,
        lastMs: 0,
        detectedMs: Infinity,
        slow: false,
        broken: false,
        harm,
        asked,
        outages: [],
      };
      found.push(current);
    }
    current.lastMs = untilMs;
    const level = note(current, active, { fromMs: atMs, toMs: untilMs });
    if (level > 0) current.harm.push({ fromMs: atMs, toMs: untilMs, level });
  }
  return found.map((one) => finish(one, lines, rules));
}

function note(current: Walked, active: ReadonlySet<string | Row>, span: Window): number {
  let level = 0;
  for (const what of active) {
    if (typeof what === "string") {
      current.broken = true;
      current.detectedMs = Math.min(current.detectedMs, span.fromMs);
      const same = current.outages.findLast(({ part }) => part === what);
      if (same?.toMs === span.fromMs) same.toMs = span.toMs;
      else current.outages.push({ part: what, ...span });
      continue;
    }
    level = Math.max(level, what.level);
    current.slow ||= what.bad === 0 && what.good > 0;
    current.detectedMs = Math.min(current.detectedMs, what.toMs);
    current.asked.set(`${what.vantage} ${what.fromMs}`, what.bad);
  }
  return level;
}

function edgesOf(rows: readonly Row[], lines: readonly Line[], rules: Rules): Edge[] {
  const edges: Edge[] = rules.planned.flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, step: 1, what: "planned" },
    { atMs: toMs, step: -1, what: "planned" },
  ]);
  for (const row of rows) {
    if (row.level === 0) continue;
    edges.push(
      { atMs: row.firstMs, step: 1, what: row },
      { atMs: row.lastMs, step: -1, what: row },
    );
  }
  const out = new Set<string>();
  for (const line of lines) {
    for (const [part, isOut] of partsOf(line, rules.service, out)) {
      const what = `part ${part}`;
      if (isOut === out.has(what)) continue;
      if (isOut) out.add(what);
      else out.delete(what);
      edges.push({ atMs: line.atMs, step: isOut ? 1 : -1, what });
    }
  }
  for (const what of out) edges.push({ atMs: rules.nowMs, step: -1, what });
  return edges.sort((a, b) => a.atMs - b.atMs);
}

/** Which parts a line says are out (true) or back. */
function partsOf(
  { kind, subject, source, node, data }: Line,
  service: LedgerService,
  out: ReadonlySet<string>,
): (readonly [string, boolean])[] {
  if (source === "operator" && kind === "incident-settled" && subject === service.name) {
    return [...out].map((what) => [what.slice("part ".length), false]);
  }
  if (kind === "started" && data["fresh"] === true) {
    const own = [...out].map((what) => what.slice("part ".length));
    return own
      .filter((part) => /^(?:health|ejection) /u.test(part) && part.endsWith(` ${node}`))
      .map((part) => [part, false]);
  }
  const isServer = service.pools.includes(subject.split("/")[0]!);
  const [health, ejection] = [`health ${subject} ${node}`, `ejection ${subject} ${node}`];
  if (isServer && kind === "server-down") return [[health, true]];
  if (isServer && kind === "server-up") return [[health, false]];
  if (isServer && kind === "server-ejected") return [[ejection, true]];
  if (isServer && kind === "server-returned") return [[ejection, false]];
  if (isServer && /^server-(ready|maint|drain-started|removed)$/u.test(kind)) {
    return [
      [health, false],
      [ejection, false],
    ];
  }
  if (!service.instances.includes(subject)) return [];
  if (kind.startsWith("peer-")) {
    return [[`peer ${subject} ${String(data["peer"])} ${node}`, kind === "peer-lost"]];
  }
  if (kind.startsWith("split-")) return [[`split ${subject}`, kind === "split-brain-found"]];
  if (kind !== "state-changed") return [];
  if (data["to"] === "FAULT") return [[`state ${subject} ${node}`, true]];
  // A process that begins anew never tells of what ended with the one before it.
  const rivals = data["from"] === "INIT" ? [[`split ${subject}`, false] as const] : [];
  return [[`state ${subject} ${node}`, false], ...rivals];
}

const DECISIONS = /^(role-ended|role-hung|lease-lapsed|server-panic-on)$/u;

function finish(one: Walked, lines: readonly Line[], rules: Rules): RecountedIncident {
  const { service, settings } = rules;
  const { classes } = settings;
  const decided = lines.find(
    (line) =>
      DECISIONS.test(line.kind) &&
      line.subject !== "console" &&
      concerns(line, service) &&
      line.atMs >= one.startMs - 20_000 &&
      line.atMs <= one.lastMs + 10_000,
  );
  const startMs = Math.min(one.startMs, decided?.atMs ?? Infinity);
  const detectedMs = Math.min(one.detectedMs, decided?.atMs ?? Infinity);
  const given = lines.findLast((line) => isClassOf(line, service.name, one))?.data["class"];
  const isDrill = drillAt(lines, startMs);
  const bad = [...one.asked.values()].reduce((sum, count) => sum + count, 0);
  const isNothing = bad < 3 && !one.broken && !one.slow && decided === undefined;
  const rule = service.critical ? ["", "B", "A", "accident"] : ["", "C", "C", "B"];
  let [harmMs, score, scoreFromStart] = [0, 0, 0];
  for (const { fromMs, toMs, level } of one.harm) {
    harmMs += toMs - fromMs;
    if (isDrill || (isNothing && given === undefined)) continue;
    const weight = classes[typeof given === "string" ? given : rule[level]!] ?? 0;
    scoreFromStart += ((toMs - fromMs) / 60_000) * weight;
    score += (Math.max(0, toMs - Math.max(fromMs, detectedMs)) / 60_000) * weight;
  }
  const counts = !isDrill && given !== DISMISSED && (!isNothing || given !== undefined);
  const isOver = (one.harm.at(-1)?.toMs ?? 0) + BUCKET_MS <= rules.nowMs;
  const { harm, outages } = one;
  const isRepaired = isOver && outages.every(({ toMs }) => toMs < rules.nowMs);
  const isShort = harm.length === 0 && isRepaired && one.lastMs - startMs < settings.falseStartMs;
  const isFalseStart = given === undefined && (isNothing || isShort);
  return {
    startMs,
    detectedMs,
    harmMs,
    score,
    scoreFromStart,
    counts,
    isOver,
    harm,
    isFault: given !== DISMISSED && !isFalseStart,
    ...recoveredOf(one, lines, { service, nowMs: rules.nowMs, startMs }),
  };
}

function isClassOf({ kind, data, subject }: Line, service: string, one: Walked): boolean {
  if (kind !== "incident-class-changed" || subject !== service) return false;
  const text = String(data["id"]).slice(service.length + 1);
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(text) ?? [];
  const atMs = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  return atMs >= one.startMs - 21_000 && atMs <= one.lastMs;
}
