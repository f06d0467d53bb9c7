/** The words of the report in both languages; `{name}` is filled in. */

import { reasonInChinese } from "../reasons-zh.ts";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const EN = {
  title: "Availability report {month}",
  period: "Period: {from} to {to} ({zone}). Node: {node}. Made: {made}.",
  soFar: "The period is not over: figures are up to {made}.",
  knownFrom:
    "The journal begins at {at}: of the time before nothing is known, and means are of the time since then.",
  unknownAll: "The journal begins at {at}: nothing is known of this period.",
  noServices: "No services are known.",
  service: "Service {name}",
  objective: "Objective: {availability} within {window}",
  latencyObjective: "{share} of the answers within {below}",
  rtoObjective: "RTO {rto}",
  rpoObjective: "RPO {rpo}",
  critical: "core service",
  side: "side service",
  measuredTitle: "Availability",
  vantage: "measured by",
  byTime: "of the time",
  byRequests: "of the requests",
  failed: "failed / all requests",
  badTime: "bad time",
  unmeasured: "not measured",
  byIncidents: "incidents",
  available: "available, by incidents",
  together: "all together",
  nothingMeasured: "Nothing was measured; the incidents' own times count.",
  differences: "What the differences mean",
  budgetTitle: "Error budget",
  allowed: "allowed",
  used: "used",
  left: "left",
  minutes: "bad minutes",
  requests: "failed requests",
  budgetUsed: "budget used (requests, {vantage})",
  latencyTitle: "Latency",
  inTime: "answers in time",
  incidentsTitle: "Incidents",
  noIncidents: "None.",
  id: "incident",
  start: "start",
  detected: "detected after",
  switched: "switched after",
  mitigated: "service back after",
  end: "redundancy back",
  class: "class",
  scope: "failed",
  layer: "layer",
  cause: "cause",
  score: "score",
  scoreFromStart: "from start",
  rto: "RTO",
  rpo: "RPO",
  recovery: "recovered",
  open: "open",
  notes: "Notes",
  dismissedTitle: "Did not count",
  plannedTitle: "Planned maintenance (left out)",
  from: "from",
  to: "to",
  reason: "reason",
  layersTitle: "By layer",
  failures: "failures",
  downTime: "time without service",
  meansTitle: "Reliability",
  month: "period from",
  mttf: "MTTF",
  mttr: "MTTR",
  mtbf: "MTBF",
  mttd: "MTTD (detection)",
  repair: "until redundancy was back",
  coverage: "switch coverage",
  coverageText: "{switched} of {faults} faults",
  rtoTitle: "RTO reached",
  rpoTitle: "RPO reached",
  distribution: "mean {mean}, p50 {p50}, p95 {p95}, max {max} ({count})",
  switches: "Switches: {count}; {distribution} from the first bad evidence.",
  ownersTitle: "Owners",
  owner: "owner",
  allowedScore: "score allowed",
  alertsTitle: "Burn-rate alerts",
  drillsTitle: "Drills",
  drills: "{run} run, {passed} passed.",
  at: "time",
  methodTitle: "Method",
  method: [
    "Request-based: good / (good + bad) requests. A 5xx answer, a cut answer and a lost request are bad; what the client did wrong is not.",
    "Time-based: a span of 10 seconds (a minute for well-behaved spans older than a week) with 5 % or more failures is bad as a whole; spans without requests count for neither.",
    "Planned maintenance is left out of all figures but its own table.",
    "Fault score = minutes x weight ({weights}), from the detection on, as the book counts downtime; the column beside it counts from the first bad evidence.",
    "MTTF = time with service / failures; MTTR = mean time without service of a failure; MTBF = MTTF + MTTR. Incidents count in the period in which they began; drills and false starts are no failures.",
    "Switch coverage = faults after which users were served while the broken part was still missing / faults that are over; drills count.",
  ] as readonly string[],
  again: "The same figures, counted anew from the raw records by another program path:",
};

type Words = typeof EN;

const ZH: Words = {
  title: "可用性月报 {month}",
  period: "周期：{from} 至 {to}（{zone}）。节点：{node}。生成于：{made}。",
  soFar: "本周期尚未结束：数据截至 {made}。",
  knownFrom: "日志始于 {at}：此前情况未知，各均值只计此后的时间。",
  unknownAll: "日志始于 {at}：本周期没有任何记录。",
  noServices: "没有已知的服务。",
  service: "服务 {name}",
  objective: "目标：{window} 内 {availability}",
  latencyObjective: "{share} 的应答不超过 {below}",
  rtoObjective: "RTO（恢复时间目标）{rto}",
  rpoObjective: "RPO（恢复点目标）{rpo}",
  critical: "核心服务",
  side: "非核心服务",
  measuredTitle: "可用性",
  vantage: "测量点",
  byTime: "按时间",
  byRequests: "按请求",
  failed: "失败 / 全部请求",
  badTime: "不可用时间",
  unmeasured: "未测量",
  byIncidents: "按事故",
  available: "可用率（按事故）",
  together: "合计",
  nothingMeasured: "没有测量数据；以事故本身的时间为准。",
  differences: "差异说明",
  budgetTitle: "错误预算",
  allowed: "允许",
  used: "已用",
  left: "剩余",
  minutes: "不可用分钟",
  requests: "失败请求",
  budgetUsed: "预算已用（请求，{vantage}）",
  latencyTitle: "延迟",
  inTime: "按时应答",
  incidentsTitle: "故障",
  noIncidents: "无。",
  id: "故障",
  start: "开始",
  detected: "发现用时",
  switched: "切换用时",
  mitigated: "恢复用时",
  end: "冗余恢复",
  class: "级别",
  scope: "失败比例",
  layer: "层",
  cause: "原因",
  score: "故障分",
  scoreFromStart: "自开始计",
  rto: "RTO",
  rpo: "RPO",
  recovery: "恢复方式",
  open: "未结束",
  notes: "备注",
  dismissedTitle: "不计入",
  plannedTitle: "计划内维护（不计入）",
  from: "从",
  to: "到",
  reason: "原因",
  layersTitle: "按层",
  failures: "故障次数",
  downTime: "不可用时间",
  meansTitle: "可靠性",
  month: "周期起",
  mttf: "MTTF 平均无故障时间",
  mttr: "MTTR 平均修复时间",
  mtbf: "MTBF 平均故障间隔",
  mttd: "MTTD 平均发现时间",
  repair: "冗余恢复用时",
  coverage: "自动切换覆盖率",
  coverageText: "{faults} 次中 {switched} 次",
  rtoTitle: "实际 RTO",
  rpoTitle: "实际 RPO",
  distribution: "平均 {mean}，p50 {p50}，p95 {p95}，最大 {max}（{count} 次）",
  switches: "切换：{count} 次；自首个异常证据起 {distribution}。",
  ownersTitle: "责任分摊",
  owner: "责任方",
  allowedScore: "允许故障分",
  alertsTitle: "燃烧率告警",
  drillsTitle: "演练",
  drills: "执行 {run} 次，通过 {passed} 次。",
  at: "时间",
  methodTitle: "计算方法",
  method: [
    "按请求：好 /（好 + 坏）请求。5xx 应答、被截断的应答和丢失的请求为坏；客户端自身的错误不算。",
    "按时间：10 秒区间（一周前的良好区间为 1 分钟）失败达 5 % 则整段为坏；没有请求的区间不计。",
    "计划内维护除其自身表格外不计入任何数字。",
    "故障分 = 分钟 × 权重（{weights}），自发现时起（书中停机时间的定义）；旁列自首个异常证据起。",
    "MTTF = 有服务的时间 / 故障次数；MTTR = 每次故障平均无服务时间；MTBF = MTTF + MTTR。故障计入其开始的周期；演练和误报不算故障。",
    "自动切换覆盖率 = 故障部件仍未恢复时用户已得到服务的故障 / 已结束的故障；演练计入。",
  ],
  again: "由原始记录经另一条程序路径重新计算同样的数字：",
};

export type Word = Exclude<keyof Words, "method">;

export interface Speech {
  readonly lang: Language;
  (word: Word, values?: Readonly<Record<string, string | number>>): string;
  readonly method: (weights: string) => readonly string[];
}

/** Values of the data that are words, too. */
const VALUES: Readonly<Record<string, string>> = {
  accident: "事故级",
  none: "不计",
  address: "地址",
  balancer: "负载均衡",
  server: "服务器",
  unknown: "未知",
  harmless: "无影响",
  "by itself": "自动",
  "by people": "人工",
  "by repair": "修复后",
  "not yet": "尚未",
};

export function speech(lang: Language): Speech {
  const words = lang === "zh" ? ZH : EN;
  const say = (word: Word, values: Readonly<Record<string, string | number>> = {}): string =>
    fill(words[word], values);
  const method = (weights: string): string[] => words.method.map((line) => fill(line, { weights }));
  return Object.assign(say, { lang, method });
}

/** A word of the data in that language: `accident` is 事故级. */
export function valueWord(lang: Language, value: string): string {
  return lang === "zh" ? (VALUES[value] ?? value) : value;
}

/** The sentence of whoever decided; in Chinese where it is a usual one. */
export function reasonOf(lang: Language, reason: string): string {
  return lang === "zh" ? reasonInChinese(reason) : reason;
}

function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/gu, (whole, name: string) => String(values[name] ?? whole));
}
