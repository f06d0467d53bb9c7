/** What `nines estimate` says, in English and Chinese. */

import type { Change } from "../core/estimate/improvements.ts";
import { formatDuration } from "../lib/duration.ts";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface EstimateWords {
  readonly availability: string;
  readonly nines: string;
  readonly minutes: string;
  /** `every` and `each` are durations in words. */
  readonly outages: (every: string, each: string) => string;
  readonly never: string;
  readonly simulation: string;
  readonly agree: string;
  readonly disagree: string;
  readonly spreads: string;
  readonly group: string;
  readonly switching: string;
  readonly uncovered: string;
  readonly allDown: string;
  readonly part: string;
  readonly alone: string;
  readonly costs: string;
  readonly birnbaum: string;
  readonly change: string;
  readonly gain: string;
  readonly afterwards: string;
  readonly nextNine: (goal: string, minutes: string) => string;
  readonly brings: string;
  readonly next: string;
  readonly together: string;
  readonly unreachable: string;
  readonly measured: string;
  readonly written: string;
  readonly samples: string;
  readonly few: string;
  readonly unfailing: (subject: string, time: string) => string;
  readonly figures: Readonly<Record<"mttf" | "mttr" | "coverage" | "switch", string>>;
  readonly changes: Readonly<Record<Change["kind"], string>>;
}

const ENGLISH: EstimateWords = {
  availability: "availability",
  nines: "nines",
  minutes: "min/year",
  outages: (every, each) => `one outage every ${every}, ${each} on average`,
  never: "never an outage",
  simulation: "Monte Carlo",
  agree: "agrees with the formulas",
  disagree: "the formulas are outside of the interval",
  spreads: "times are not all exponential: in groups the simulation counts, the formulas come near",
  group: "failover",
  switching: "switching",
  uncovered: "not switched",
  allDown: "all down",
  part: "part",
  alone: "one alone",
  costs: "costs min/year",
  birnbaum: "Birnbaum",
  change: "change",
  gain: "gains min/year",
  afterwards: "then",
  nextNine: (goal, minutes) => `what gives the next nine: ${goal} (${minutes} min/year)`,
  brings: "yes",
  next: "next nine",
  together: "together, in this order",
  unreachable: "no six of these changes bring the next nine",
  measured: "measured",
  written: "in the file",
  samples: "from",
  few: "few",
  unfailing: (subject, time) =>
    `${subject}: no failure in ${time} of watching; the figures of the file stay`,
  figures: { mttf: "MTTF", mttr: "MTTR", coverage: "coverage", switch: "switch time" },
  changes: {
    "repair-faster": "repair in half the time",
    "add-copy": "one more copy",
    "cover-more": "better switch coverage",
    "switch-faster": "faster switch",
    "switch-by-hand-faster": "faster switch by hand",
    "add-crew": "one more repair crew",
    "no-common-cause": "no common cause",
  },
};

const CHINESE: EstimateWords = {
  availability: "可用性",
  nines: "个9",
  minutes: "分钟/年",
  outages: (every, each) => `平均每 ${every} 中断一次，每次 ${each}`,
  never: "从不中断",
  simulation: "蒙特卡洛模拟",
  agree: "与公式一致",
  disagree: "公式结果在置信区间之外",
  spreads: "部分时间不是指数分布：对冗余组以模拟为准，公式只是近似",
  group: "故障切换组",
  switching: "切换中",
  uncovered: "未自动切换",
  allDown: "全部故障",
  part: "部件",
  alone: "单个",
  costs: "损失 分钟/年",
  birnbaum: "Birnbaum重要度",
  change: "改进",
  gain: "减少 分钟/年",
  afterwards: "改进后",
  nextNine: (goal, minutes) => `如何再得一个9：${goal}（${minutes} 分钟/年）`,
  brings: "是",
  next: "下一个9",
  together: "按此顺序一起做",
  unreachable: "其中任意六项也达不到下一个9",
  measured: "实测",
  written: "文件中",
  samples: "样本数",
  few: "偏少",
  unfailing: (subject, time) => `${subject}：观察 ${time} 没有故障，沿用文件中的数值`,
  figures: {
    mttf: "平均无故障时间",
    mttr: "平均修复时间",
    coverage: "切换成功率",
    switch: "切换时间",
  },
  changes: {
    "repair-faster": "修复时间减半",
    "add-copy": "增加一个副本",
    "cover-more": "提高切换成功率",
    "switch-faster": "加快切换",
    "switch-by-hand-faster": "加快人工切换",
    "add-crew": "增加一组维修人员",
    "no-common-cause": "消除共因故障",
  },
};

export function wordsOf(language: Language): EstimateWords {
  return language === "zh" ? CHINESE : ENGLISH;
}

export function changeText({ kind, subject, from, to }: Change, words: EstimateWords): string {
  const [before, after] = isTime(kind)
    ? [formatDuration(from), formatDuration(to)]
    : isShare(kind)
      ? [shareText(from), shareText(to)]
      : [String(from), String(to)];
  return `${subject}: ${words.changes[kind]} (${before} -> ${after})`;
}

export function shareText(share: number): string {
  return `${Number((share * 100).toFixed(6))} %`;
}

function isTime(kind: Change["kind"]): boolean {
  return ["repair-faster", "switch-faster", "switch-by-hand-faster"].includes(kind);
}

function isShare(kind: Change["kind"]): boolean {
  return kind === "cover-more" || kind === "no-common-cause";
}
