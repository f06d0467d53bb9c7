/**
 * A year with known failures, second by second, and what follows from it by plain counting: the
 * second opinion on everything that the ledger says. Uses nothing of the ledger but its types.
 */

import type { LedgerRecord } from "../../src/core/ledger/evidence.ts";
import type { Measure } from "../../src/core/ledger/measure.ts";
import {
  DEFAULT_CLASSES,
  DEFAULT_FALSE_START_MS,
  DEFAULT_MERGE_MS,
  type LedgerService,
  type LedgerSettings,
} from "../../src/core/ledger/settings.ts";
import { Prng } from "../../src/lib/prng.ts";

export const YEAR_START_MS: number = Date.UTC(2026, 0, 1);
export const DAY_S = 86_400;
const REQUESTS_A_SECOND = 10;
const BUCKET_S = 10;

interface KnownFault {
  /** Seconds of the year. */
  readonly fromS: number;
  readonly toS: number;
  /** Failing requests of ten. */
  readonly badOfTen: number;
  /** When a check decided; absent: nobody but the measurement noticed. */
  readonly decidedS?: number;
  /** When the broken server was back. */
  readonly repairedS?: number;
}

interface Year {
  readonly days: number;
  readonly faults: readonly KnownFault[];
  readonly maintenance: readonly { readonly fromS: number; readonly toS: number }[];
  /** Failing requests of each second. */
  readonly bad: Uint8Array;
  readonly records: readonly LedgerRecord[];
}

export const SERVICE: LedgerService = {
  name: "web",
  critical: true,
  frontends: ["www"],
  pools: ["web"],
  instances: ["VI_1"],
  probes: [],
  objectives: { availability: 0.999, windowMs: 30 * DAY_S * 1000, rtoMs: 60_000 },
  layers: [],
  owners: [
    { name: "platform", share: 60 },
    { name: "network", share: 40 },
  ],
  minEvents: 100,
};

export const SETTINGS: LedgerSettings = {
  services: [SERVICE],
  classes: DEFAULT_CLASSES,
  mergeMs: DEFAULT_MERGE_MS,
  falseStartMs: DEFAULT_FALSE_START_MS,
  timezone: "UTC",
  planned: [],
  alerts: { mail: false, webhooks: [], commands: [] },
};

/** `days` of made-up operation: a fault about each fourth day, a maintenance each month. */
export function generateYear(seed: number, days = 365): Year {
  const random = new Prng(seed);
  const bad = new Uint8Array(days * DAY_S);
  const faults: KnownFault[] = [];
  const maintenance: { fromS: number; toS: number }[] = [];
  for (let at = DAY_S; at < (days - 2) * DAY_S; at += random.between(DAY_S, 7 * DAY_S)) {
    const fromS = at + random.between(0, 3600);
    const lasts = random.pick([3, 8, 20, 60, 300, 1800]) + random.between(0, 30);
    const badOfTen = random.pick([1, 2, 3, 6, 10, 10]);
    const toS = fromS + lasts;
    const decided = random.chance(0.7) ? fromS + random.between(1, Math.min(lasts, 30)) : undefined;
    const repaired = decided === undefined ? undefined : toS + random.between(-5, 1200);
    faults.push({
      fromS,
      toS,
      badOfTen,
      ...(decided === undefined ? {} : { decidedS: decided }),
      ...(repaired === undefined ? {} : { repairedS: Math.max(decided! + 1, repaired) }),
    });
    bad.fill(badOfTen, fromS, toS);
  }
  for (let day = 15; day < days; day += 30) {
    const fromS = day * DAY_S + 7200;
    maintenance.push({ fromS, toS: fromS + 1800 });
    bad.fill(10, fromS + 60, fromS + 600);
  }
  return { days, faults, maintenance, bad, records: recordsOf(faults, maintenance) };
}

function recordsOf(faults: Year["faults"], maintenance: Year["maintenance"]): LedgerRecord[] {
  const records: LedgerRecord[] = [];
  const add = (atS: number, record: Pick<LedgerRecord, "source" | "kind" | "subject">): void => {
    const wallMs = YEAR_START_MS + atS * 1000;
    records.push({ node: "a", wallMs, reason: `${record.kind} at ${atS}`, ...record });
  };
  for (const { decidedS, repairedS } of faults) {
    if (decidedS === undefined || repairedS === undefined) continue;
    add(decidedS, { source: "balance", kind: "server-down", subject: "web/web1" });
    add(repairedS, { source: "balance", kind: "server-up", subject: "web/web1" });
  }
  for (const { fromS, toS } of maintenance) {
    add(fromS, { source: "operator", kind: "maintenance-started", subject: "web" });
    add(toS, { source: "operator", kind: "maintenance-ended", subject: "web" });
  }
  return records.sort((a, b) => a.wallMs - b.wallMs);
}

/** What a balancer would have counted. */
export function* measuresOf(year: Year): Generator<Measure> {
  for (let s = 0; s < year.bad.length; s += BUCKET_S) {
    let bad = 0;
    for (let i = s; i < s + BUCKET_S; i++) bad += year.bad[i]!;
    yield {
      service: "web",
      vantage: "balancer",
      fromMs: YEAR_START_MS + s * 1000,
      lengthMs: BUCKET_S * 1000,
      good: BUCKET_S * REQUESTS_A_SECOND - bad,
      bad,
      slow: 0,
    };
  }
}

/** By counting seconds. */
interface Totals {
  readonly good: number;
  readonly bad: number;
  readonly goodS: number;
  readonly badS: number;
  readonly plannedS: number;
}

interface CountedIncident {
  readonly startS: number;
  readonly detectedS: number;
  readonly harmS: number;
  readonly longestS: number;
  readonly score: number;
  readonly scoreFromStart: number;
}

/** What holds in each second; 0 or 1, but `level`: 0 well, 1 partial, 2 wide, 3 down. */
interface Flags {
  readonly planned: Uint8Array;
  readonly broken: Uint8Array;
  readonly level: Uint8Array;
  /** Belongs to an incident. */
  readonly on: Uint8Array;
}

function flagsOf(year: Year): Flags {
  const size = year.bad.length;
  const [planned, broken] = [new Uint8Array(size), new Uint8Array(size)];
  const [level, on] = [new Uint8Array(size), new Uint8Array(size)];
  for (const { fromS, toS } of year.maintenance) planned.fill(1, fromS, toS);
  for (const { decidedS, repairedS } of year.faults) {
    if (decidedS !== undefined) broken.fill(1, decidedS, repairedS);
  }
  for (let s = 0; s < size; s += BUCKET_S) {
    let sum = 0;
    for (let i = s; i < s + BUCKET_S; i++) sum += year.bad[i]!;
    const share = sum / (BUCKET_S * REQUESTS_A_SECOND);
    const rank = share >= 0.9 ? 3 : share >= 0.2 ? 2 : share >= 0.05 ? 1 : 0;
    level.fill(rank, s, s + BUCKET_S);
  }
  for (let s = 0; s < size; s++) {
    on[s] = planned[s] === 0 && (level[s]! > 0 || broken[s] === 1) ? 1 : 0;
  }
  return { planned, broken, level, on };
}

/** The rules of docs/ledger.md, applied to every second. */
export class SecondCount {
  readonly #year: Year;
  readonly #flags: Flags;

  constructor(year: Year) {
    this.#year = year;
    this.#flags = flagsOf(year);
  }

  totals(fromS: number, toS: number): Totals {
    const { planned, level } = this.#flags;
    const totals = { good: 0, bad: 0, goodS: 0, badS: 0, plannedS: 0 };
    for (let s = fromS; s < toS; s++) {
      const bad = this.#year.bad[s]!;
      if (planned[s] === 1) {
        totals.plannedS++;
        continue;
      }
      totals.bad += bad;
      totals.good += REQUESTS_A_SECOND - bad;
      if (level[s]! > 0) totals.badS++;
      else totals.goodS++;
    }
    return totals;
  }

  /** Those that hurt somebody. */
  incidents(): CountedIncident[] {
    const { on } = this.#flags;
    const found: CountedIncident[] = [];
    for (let s = 0; s < on.length; s++) {
      if (on[s] === 0) continue;
      let end = s;
      for (let quiet = 0, i = s; i < on.length && quiet <= MERGE_S; i++) {
        quiet++;
        if (on[i] === 0) continue;
        end = i + 1;
        quiet = 0;
      }
      found.push(countOne(this.#flags, s, end));
      s = end;
    }
    return found.filter(({ harmS }) => harmS > 0);
  }
}

const WEIGHT_OF_LEVEL = [0, 5, 20, 100];
const MERGE_S = 300;

function countOne({ planned, level, broken }: Flags, start: number, end: number): CountedIncident {
  const isHarm = (at: number): boolean => planned[at] === 0 && level[at]! > 0;
  let detected = end;
  let firstHarm = -1;
  for (let s = start; s < end; s++) {
    if (firstHarm === -1 && isHarm(s)) firstHarm = s;
    if (broken[s] === 1 && planned[s] === 0) {
      detected = s;
      break;
    }
  }
  if (firstHarm !== -1) detected = Math.min(detected, firstHarm - (firstHarm % 10) + 10);
  const result = { startS: start, detectedS: detected, harmS: 0, longestS: 0 };
  let [score, scoreFromStart, run] = [0, 0, 0];
  for (let s = start; s < end; s++) {
    run = isHarm(s) ? run + 1 : 0;
    if (run === 0) continue;
    result.harmS++;
    result.longestS = Math.max(result.longestS, run);
    const points = WEIGHT_OF_LEVEL[level[s]!]! / 60;
    scoreFromStart += points;
    if (s >= detected) score += points;
  }
  return { ...result, score, scoreFromStart };
}

/** Every change of the three alerts, minute by minute, by running sums. */
export function countBurns(year: Year, availability: number): string[] {
  const rules = [
    ["fast", 14.4, 60, 5],
    ["steady", 6, 360, 30],
    ["slow", 1, 4320, 360],
  ] as const;
  const minutes = year.bad.length / 60;
  const until = new Float64Array(minutes + 1);
  for (let m = 0; m < minutes; m++) {
    let bad = 0;
    for (let s = m * 60; s < m * 60 + 60; s++) bad += year.bad[s]!;
    until[m + 1] = until[m]! + bad;
  }
  const changes: { readonly m: number; readonly text: string }[] = [];
  for (const [name, burn, long, short] of rules) {
    let [firing, belowFor] = [false, 0];
    for (let m = 0; m < minutes; m++) {
      const rate = (window: number): number => {
        const from = Math.max(0, m + 1 - window);
        const asked = (m + 1 - from) * 600;
        return (until[m + 1]! - until[from]!) / asked / (1 - availability);
      };
      if (!firing && rate(long) >= burn && rate(short) >= burn) {
        [firing, belowFor] = [true, 0];
        changes.push({ m, text: `${name} on ${m}` });
      } else if (firing) {
        belowFor = rate(short) < burn * 0.75 ? belowFor + 1 : 0;
        // Below at two looks that are a minute apart.
        if (belowFor < 2) continue;
        firing = false;
        changes.push({ m, text: `${name} off ${m}` });
      }
    }
  }
  return changes.map(({ text }) => text);
}
