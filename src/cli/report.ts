/** `nines report`: the availability report of a month, from the journal's file. */

import { writeFileSync } from "node:fs";
import type { ReportData } from "../core/ledger/report.ts";
import type { Distribution } from "../core/ledger/statistics.ts";
import { type LedgerFile, openLedgerFile, reportFrom } from "../console/ledger-reading.ts";
import { formatReport, type ReportFormat } from "../console/report/format.ts";
import { type Month, monthOf } from "../console/report/month.ts";
import type { Latencies } from "../console/report/recount-lines.ts";
import { type Recount, recount } from "../console/report/recount.ts";
import type { RecountedMeans } from "../console/report/recount-means.ts";
import type { Language } from "../console/report/words.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export interface ReportOptions {
  readonly stateDir: string;
  readonly month?: Month;
  readonly service?: string;
  readonly format: ReportFormat;
  readonly lang: Language;
  readonly output?: string;
  readonly recompute: boolean;
}

export function report(options: ReportOptions, terminal: Terminal): ExitCode {
  const file = openLedgerFile(options.stateDir);
  if (typeof file === "string") {
    terminal.err(`nines: ${file}`);
    return 1;
  }
  const { service } = options;
  const names = file.settings.services.map(({ name }) => name);
  if (service !== undefined && !names.includes(service)) {
    terminal.err(`nines: there is no service '${service}'; there are: ${names.join(" ")}`);
    return 2;
  }
  const nowMs = Date.now();
  const month = options.month ?? monthOf(nowMs, file.settings.timezone);
  const only = service === undefined ? {} : { service };
  const data = reportFrom(file, month, { nowMs, ...only });
  if (options.recompute) return recompute(file, data, terminal);
  const { format, lang, output } = options;
  const { directory } = file;
  const { body } = formatReport(data, { month, lang, format, directory, ...only });
  if (output === undefined) {
    terminal.out(body.trimEnd());
    return 0;
  }
  try {
    writeFileSync(output, body);
    terminal.err(`nines: written to ${output}`);
    return 0;
  } catch (error) {
    terminal.err(`nines: ${output}: ${(error as Error).message}`);
    return 1;
  }
}

/** Both counts side by side; anything that differs is told, and makes the exit code 1. */
function recompute(file: LedgerFile, data: ReportData, terminal: Terminal): ExitCode {
  const settings = { ...file.settings, services: data.services.map((one) => one.service) };
  const counted = recount(file.database, settings, { ...data, nowMs: data.nowMs });
  const again = figuresOfRecount(counted);
  const said = figuresOfReport(data);
  const differing = again.filter((line) => !said.includes(line));
  const missing = said.filter((line) => !again.includes(line));
  for (const line of again) terminal.out(line);
  if (differing.length + missing.length === 0) {
    terminal.out("the report says the same");
    return 0;
  }
  for (const line of missing) terminal.err(`nines: the report says: ${line}`);
  return 1;
}

/** One line a figure; the same text is the same figure. */
export function figuresOfRecount(counted: readonly Recount[]): string[] {
  return counted.flatMap(({ service, vantages, incidents, means, latencies }) => [
    ...vantages.map((one) => `${service} ${vantageFigures(one)}`),
    ...latencies.map((one) => `${service} ${latencyFigures(one)}`),
    ...incidents.map((one) => `${service} ${incidentFigures(one)}`),
    ...meanFigures({
      ...means,
      rto: distributionOf(means.rtoMs),
      rpo: distributionOf(means.rpoMs),
      switches: distributionOf(means.switchMs),
    }).map((line) => `${service} ${line}`),
  ]);
}

export function figuresOfReport(data: ReportData): string[] {
  return data.services.flatMap(({ service, availability, incidents, ...rest }) => [
    ...availability
      .filter(({ good, bad }) => good + bad > 0)
      .map((one) => `${service.name} ${vantageFigures(one)}`),
    ...rest.latency.map((one) => `${service.name} ${latencyFigures(one)}`),
    ...incidents
      .filter(({ harmMs }) => harmMs > 0)
      .map((one) => `${service.name} ${incidentFigures(one)}`),
    ...meanFigures({ ...rest.statistics, ...rest.budget, ...rest }).map(
      (line) => `${service.name} ${line}`,
    ),
  ]);
}

interface MeanFigures extends Omit<RecountedMeans, "rtoMs" | "rpoMs" | "switchMs"> {
  readonly rto?: Distribution | undefined;
  readonly rpo?: Distribution | undefined;
  readonly switches?: Distribution | undefined;
}

function meanFigures(one: MeanFigures): string[] {
  const seconds = (ms: number | undefined): string =>
    ms === undefined ? "-" : `${Number((ms / 1000).toFixed(3))} s`;
  const percent = (share: number | undefined): string =>
    share === undefined ? "-" : `${(100 * share).toFixed(4)} %`;
  const spread = (all: Distribution | undefined): string =>
    `mean ${seconds(all?.mean)}, p50 ${seconds(all?.p50)}, p95 ${seconds(all?.p95)}, max ${seconds(all?.max)}`;
  const { failures, downMs, mttfMs, mttrMs, mttdMs } = one;
  return [
    `failures: ${failures}, ${seconds(downMs)} without service, MTTF ${seconds(mttfMs)}, ` +
      `MTTR ${seconds(mttrMs)}, MTTD ${seconds(mttdMs)}`,
    `RTO: ${spread(one.rto)}`,
    `RPO: ${spread(one.rpo)}`,
    `switches: ${one.switched} of ${one.faults} faults by themselves, coverage ${percent(one.coverage)}; ` +
      `until another one served: ${spread(one.switches)}`,
    `quick enough: ${percent(one.inTime)}`,
    `budget: ${one.usedMinutes.toFixed(2)} of ${one.allowedMinutes.toFixed(2)} minutes, ` +
      `${one.usedRequests} of ${one.allowedRequests.toFixed(1)} requests; score ${score(one.score)}`,
  ];
}

/** Nearest rank, of values that are sorted, the greatest first. */
function distributionOf(values: readonly number[]): Distribution | undefined {
  const [max] = values;
  if (max === undefined) return undefined;
  const count = values.length;
  const rank = (percent: number): number => values[count - Math.ceil((percent * count) / 100)]!;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return { count, mean, p50: rank(50), p95: rank(95), max };
}

interface VantageFigures {
  readonly vantage: string;
  readonly good: number;
  readonly bad: number;
  readonly goodMs: number;
  readonly badMs: number;
}

function vantageFigures({ vantage, good, bad, goodMs, badMs }: VantageFigures): string {
  const requests = ((100 * good) / (good + bad)).toFixed(6);
  const time = ((100 * goodMs) / (goodMs + badMs)).toFixed(6);
  return (
    `${vantage}: ${good} good and ${bad} bad requests, ${requests} %; ` +
    `${goodMs / 1000} s good and ${badMs / 1000} s bad, ${time} %`
  );
}

function latencyFigures({ vantage, p50, p95, p99 }: Latencies): string {
  return `${vantage}: answers within p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`;
}

interface IncidentFigures {
  readonly startMs: number;
  readonly detectedMs: number;
  readonly harmMs: number;
  readonly score: number;
  readonly scoreFromStart: number;
}

function incidentFigures(one: IncidentFigures): string {
  const at = (ms: number): string => new Date(ms).toISOString();
  return (
    `incident ${at(one.startMs)}: detected ${at(one.detectedMs)}, ${one.harmMs / 1000} s of harm, ` +
    `score ${score(one.score)}, from start ${score(one.scoreFromStart)}`
  );
}

/**
 * Four digits. Whole milliseconds make scores that end exactly between two of them (14.379 s at weight 5: 1.19825);
 * the last bit of a sum, which depends on the order of adding, must not choose which.
 */
function score(minutes: number): string {
  return Number(minutes.toFixed(9)).toFixed(4);
}
