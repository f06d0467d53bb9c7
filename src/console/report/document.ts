/** The report's data in words: blocks of one language. */

import { percent } from "../../core/ledger/availability.ts";
import type { Incident } from "../../core/ledger/incident.ts";
import type { ReportData, ServiceReport } from "../../core/ledger/report.ts";
import type { Distribution } from "../../core/ledger/statistics.ts";
import { formatDuration } from "../../lib/duration.ts";
import type { Block } from "./blocks.ts";
import { type Month, monthText, timeText } from "./month.ts";
import { type Language, reasonOf, speech, type Speech, valueWord, type Word } from "./words.ts";

export interface Wanted {
  readonly month: Month;
  readonly lang: Language;
  /** Counts everything anew. */
  readonly command: string;
}

export function documentOf(data: ReportData, { month, lang, command }: Wanted): Block[] {
  const say = speech(lang);
  const time = (ms: number): string => timeText(ms, data.timezone);
  const made = time(data.nowMs);
  const values = { from: time(data.fromMs), to: time(data.toMs), made };
  const isOver = data.nowMs >= data.toMs;
  const weights = Object.entries(data.classes)
    .map(([name, weight]) => `${valueWord(lang, name)} ${weight}`)
    .join(", ");
  return [
    heading(1, say("title", { month: monthText(month) })),
    text(say("period", { ...values, zone: data.timezone, node: data.node })),
    ...(isOver ? [] : [text(say("soFar", { made }))]),
    ...knownBlocks(data, { say, time }),
    ...(data.services.length === 0 ? [text(say("noServices"))] : []),
    ...(data.knownFromMs >= data.toMs
      ? []
      : data.services.flatMap((one) => serviceBlocks(one, { say, time }))),
    ...alertBlocks(data, { say, time }),
    heading(2, say("drillsTitle")),
    text(say("drills", { run: data.drills.run, passed: data.drills.passed })),
    heading(2, say("methodTitle")),
    { kind: "list", items: say.method(weights) },
    text(say("again")),
    { kind: "code", text: command },
  ];
}

interface Style {
  readonly say: Speech;
  readonly time: (ms: number) => string;
}

/** A journal that is younger than the period is no witness of a good beginning. */
function knownBlocks({ fromMs, toMs, knownFromMs }: ReportData, { say, time }: Style): Block[] {
  if (knownFromMs <= fromMs) return [];
  const at = time(knownFromMs);
  return [text(knownFromMs >= toMs ? say("unknownAll", { at }) : say("knownFrom", { at }))];
}

function serviceBlocks(report: ServiceReport, style: Style): Block[] {
  const { say } = style;
  return [
    heading(2, say("service", { name: report.service.name })),
    text(objectiveText(report, say)),
    ...availabilityBlocks(report, say),
    ...budgetBlocks(report, say),
    ...latencyBlocks(report, say),
    ...incidentBlocks(report, style),
    ...plannedBlocks(report, style),
    ...meansBlocks(report, style),
    ...layerBlocks(report, say),
    ...ownerBlocks(report, say),
  ];
}

function objectiveText({ service }: ServiceReport, say: Speech): string {
  const { availability, windowMs, latency, rtoMs, rpoMs } = service.objectives;
  const window = formatDuration(windowMs);
  const parts = [
    say("objective", { availability: shareText(availability), window }),
    say(service.critical ? "critical" : "side"),
  ];
  if (latency !== undefined) {
    const { share, belowMs } = latency;
    const below = formatDuration(belowMs);
    parts.push(say("latencyObjective", { share: shareText(share), below }));
  }
  if (rtoMs !== undefined) parts.push(say("rtoObjective", { rto: formatDuration(rtoMs) }));
  if (rpoMs !== undefined) parts.push(say("rpoObjective", { rpo: formatDuration(rpoMs) }));
  return parts.join("; ");
}

function availabilityBlocks(report: ServiceReport, say: Speech): Block[] {
  const rows = report.availability.map((one) => [
    one.vantage,
    one.byTime === undefined ? "-" : percent(one.byTime),
    one.byRequests === undefined ? "-" : percent(one.byRequests),
    `${one.bad} / ${one.good + one.bad}`,
    formatDuration(one.badMs),
    formatDuration(one.unmeasuredMs),
  ]);
  const own = [say("byIncidents"), percent(report.byIncidents), "-", "-"];
  const down = formatDuration(report.statistics.downMs);
  const words: Word[] = ["vantage", "byTime", "byRequests", "failed", "badTime", "unmeasured"];
  return [
    heading(3, say("measuredTitle")),
    ...(rows.length === 0 ? [text(say("nothingMeasured"))] : []),
    table(
      words.map((word) => say(word)),
      [...rows, [...own, down, "-"]],
    ),
    ...(report.differences.length === 0
      ? []
      : [
          text(`${say("differences")}:`),
          {
            kind: "list" as const,
            items: report.differences.map((one) => reasonOf(say.lang, one)),
          },
        ]),
  ];
}

function budgetBlocks({ budget, vantage }: ServiceReport, say: Speech): Block[] {
  const { allowedMinutes, usedMinutes, leftByTime, leftByRequests } = budget;
  const rows = [
    [say("minutes"), fixed(allowedMinutes, 2), fixed(usedMinutes, 2), percentLeft(leftByTime)],
    [
      say("requests"),
      fixed(budget.allowedRequests, 1),
      `${budget.usedRequests}`,
      leftByRequests === undefined ? "-" : percentLeft(leftByRequests),
    ],
  ];
  const meter: Block[] =
    leftByRequests === undefined || vantage === undefined
      ? []
      : [{ kind: "meter", label: say("budgetUsed", { vantage }), share: 1 - leftByRequests }];
  return [
    heading(3, say("budgetTitle")),
    table(["", say("allowed"), say("used"), say("left")], rows),
    ...meter,
  ];
}

function latencyBlocks({ latency, inTime }: ServiceReport, say: Speech): Block[] {
  if (latency.length === 0) return [];
  const rows = latency.map(({ vantage, p50, p95, p99 }) => [
    vantage,
    ...[p50, p95, p99].map((ms) => formatDuration(ms)),
  ]);
  return [
    heading(3, say("latencyTitle")),
    table([say("vantage"), "p50", "p95", "p99"], rows),
    ...(inTime === undefined ? [] : [text(`${say("inTime")}: ${percent(inTime)}`)]),
  ];
}

function incidentBlocks(report: ServiceReport, style: Style): Block[] {
  const { say } = style;
  const counted = report.incidents.filter(({ dismissed }) => dismissed === undefined);
  const rest = report.incidents.filter(({ dismissed }) => dismissed !== undefined);
  const words: Word[] = [
    "id",
    "start",
    "detected",
    "switched",
    "mitigated",
    "end",
    "class",
    "scope",
    "layer",
    "cause",
    "score",
    "scoreFromStart",
    "rto",
    "rpo",
    "recovery",
  ];
  const notes = report.incidents.flatMap(({ id, annotations }) =>
    annotations.map(({ atMs, who, text: said }) => `${id}, ${style.time(atMs)}, ${who}: ${said}`),
  );
  const head = words.map((word) => say(word));
  return [
    heading(3, say("incidentsTitle")),
    counted.length === 0
      ? text(say("noIncidents"))
      : table(
          head,
          counted.map((one) => incidentRow(one, style)),
        ),
    ...(notes.length === 0
      ? []
      : [text(`${say("notes")}:`), { kind: "list" as const, items: notes }]),
    ...(rest.length === 0
      ? []
      : [
          text(`${say("dismissedTitle")}:`),
          { kind: "list" as const, items: rest.map(({ id, dismissed }) => `${id}: ${dismissed}`) },
        ]),
  ];
}

function incidentRow(one: Incident, { say, time }: Style): string[] {
  const word = (value: string): string => valueWord(say.lang, value);
  const after = (ms: number | undefined): string =>
    ms === undefined ? "-" : formatDuration(ms - one.startMs);
  const asked = one.goodRequests + one.badRequests;
  const back = one.harmMs === 0 ? "-" : after(one.restoredMs);
  return [
    one.drill === undefined ? one.id : `${one.id} (${one.drill})`,
    time(one.startMs),
    after(one.detectedMs),
    after(one.switchedMs),
    one.harmMs > 0 && one.restoredMs === undefined ? say("open") : back,
    one.repairedMs === undefined ? say("open") : time(one.repairedMs),
    word(one.class),
    asked === 0 ? "-" : percent(one.badRequests / asked),
    word(one.layer),
    reasonOf(say.lang, one.cause),
    fixed(one.score, 1),
    fixed(one.scoreFromStart, 1),
    one.rtoMs === 0 ? "-" : formatDuration(one.rtoMs),
    one.rpoMs === undefined ? "-" : formatDuration(one.rpoMs),
    word(one.recovery),
  ];
}

function plannedBlocks({ planned }: ServiceReport, { say, time }: Style): Block[] {
  if (planned.length === 0) return [];
  const rows = planned.map(({ fromMs, toMs, reason }) => [
    time(fromMs),
    Number.isFinite(toMs) ? time(toMs) : say("open"),
    reason,
  ]);
  return [heading(3, say("plannedTitle")), table([say("from"), say("to"), say("reason")], rows)];
}

function meansBlocks(report: ServiceReport, { say, time }: Style): Block[] {
  const duration = (ms: number | undefined): string =>
    ms === undefined ? "-" : formatDuration(ms);
  const rows = report.trend.map(({ fromMs, byIncidents, statistics }) => [
    time(fromMs).slice(0, 10),
    `${statistics.failures}`,
    percent(byIncidents),
    ...[statistics.mttfMs, statistics.mttrMs, statistics.mtbfMs, statistics.mttdMs].map(duration),
    duration(statistics.repairMs),
    statistics.coverage === undefined ? "-" : percent(statistics.coverage),
  ]);
  const words: Word[] = ["month", "failures", "available", "mttf", "mttr", "mtbf", "mttd"];
  const { rto, rpo, switched, faults, coverage } = report.statistics;
  const lines = [
    ...(coverage === undefined
      ? []
      : [`${say("coverage")}: ${percent(coverage)}, ${say("coverageText", { switched, faults })}`]),
    ...(rto === undefined ? [] : [`${say("rtoTitle")}: ${distributionText(rto, say)}`]),
    ...(rpo === undefined ? [] : [`${say("rpoTitle")}: ${distributionText(rpo, say)}`]),
    ...(report.switches === undefined ? [] : [switchText(report.switches, say)]),
  ];
  return [
    heading(3, say("meansTitle")),
    table([...words.map((word) => say(word)), say("repair"), say("coverage")], rows),
    ...(lines.length === 0 ? [] : [{ kind: "list" as const, items: lines }]),
  ];
}

function switchText(switches: Distribution, say: Speech): string {
  const distribution = distributionText(switches, say);
  return say("switches", { count: switches.count, distribution });
}

function distributionText({ count, mean, p50, p95, max }: Distribution, say: Speech): string {
  const [m, a, b, c] = [mean, p50, p95, max].map((ms) => formatDuration(ms));
  return say("distribution", { count, mean: m!, p50: a!, p95: b!, max: c! });
}

function layerBlocks({ layers }: ServiceReport, say: Speech): Block[] {
  if (layers.length === 0) return [];
  const rows = layers.map(({ layer, objective, failures, downMs, availability }) => [
    valueWord(say.lang, layer),
    objective === undefined ? "-" : shareText(objective),
    percent(availability),
    `${failures}`,
    formatDuration(downMs),
  ]);
  const head = [say("layer"), say("allowed"), say("available"), say("failures"), say("downTime")];
  return [heading(3, say("layersTitle")), table(head, rows)];
}

function ownerBlocks({ owners, score, budget }: ServiceReport, say: Speech): Block[] {
  const rows = owners.map((one) => [one.name, fixed(one.allowedScore, 1), fixed(one.score, 1)]);
  const all = [say("together"), fixed(budget.allowedScore, 1), fixed(score, 1)];
  const head = [say("owner"), say("allowedScore"), say("score")];
  return [heading(3, say("ownersTitle")), table(head, [...rows, all])];
}

function alertBlocks({ burnAlerts }: ReportData, { say, time }: Style): Block[] {
  if (burnAlerts.length === 0) return [];
  const rows = burnAlerts.map(({ atMs, reason }) => [time(atMs), reasonOf(say.lang, reason)]);
  return [heading(2, say("alertsTitle")), table([say("at"), say("reason")], rows)];
}

function heading(level: 1 | 2 | 3, words: string): Block {
  return { kind: "heading", level, text: words };
}

function text(words: string): Block {
  return { kind: "text", text: words };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Block {
  return { kind: "table", head, rows };
}

/** Of an objective: as it was written, 99.95 %. */
function shareText(share: number): string {
  return `${Number((share * 100).toFixed(9))} %`;
}

function percentLeft(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}
