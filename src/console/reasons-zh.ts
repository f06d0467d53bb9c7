/** Sentences of deciders, which are kept in English, told in Chinese. */

import { DRILL_PATTERNS } from "./drill-reasons-zh.ts";
import { REASON_PATTERNS } from "./reason-patterns-zh.ts";
import { TROUBLE_PATTERNS } from "./trouble-patterns-zh.ts";

/** English with places, Chinese with the same places. `{~x}`: itself a reason. The first that fits counts. */
export type Patterns = readonly (readonly [english: string, chinese: string])[];

interface Pattern {
  /** `{`: it begins with a value. */
  readonly letter: string;
  readonly match: RegExp;
  readonly chinese: string;
}

/** Places that hold a whole number: texts end before them, and not at the first comma. */
export const COUNTS: ReadonlySet<string> = new Set(["row", "of", "pid", "count", "up", "all"]);

function compiled([english, chinese]: Patterns[number]): Pattern {
  const parts = english.split(/\{~?(\w+)\}/u);
  const source = parts
    .map((part, i) =>
      i % 2 === 1
        ? `(?<${part}>${COUNTS.has(part) ? "\\d+" : ".+?"})`
        : part.replaceAll(/[()[\]{}.*+?^$|\\]/gu, "\\$&"),
    )
    .join("");
  return { letter: english[0]!, match: new RegExp(`^${source}$`, "su"), chinese };
}

/** A reason holds a few others at most. */
const DEEPEST = 4;
/** Longer ones are output of programs. */
const LONGEST = 600;

/** Those that were told last: most reasons are shown again and again. */
const MOST_KEPT = 4096;

export const PATTERNS: Patterns = [...REASON_PATTERNS, ...TROUBLE_PATTERNS, ...DRILL_PATTERNS];

const all: readonly Pattern[] = PATTERNS.map(compiled);
const open: readonly Pattern[] = all.filter(({ letter }) => letter === "{");
/** Most begin with a word: by its letter those that may fit, in order. */
const byLetter: ReadonlyMap<string, readonly Pattern[]> = new Map(
  [...new Set(all.map(({ letter }) => letter))].map((first) => [
    first,
    all.filter(({ letter }) => letter === first || letter === "{"),
  ]),
);
const kept = new Map<string, string>();

/** As it was told where no pattern knows it. */
export function reasonInChinese(reason: string): string {
  const known = kept.get(reason);
  if (known !== undefined) return known;
  const chinese = told(reason, 0);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(reason, chinese);
  return chinese;
}

function told(reason: string, depth: number): string {
  if (depth > DEEPEST || reason.length > LONGEST) return reason;
  for (const { match, chinese } of byLetter.get(reason[0] ?? "") ?? open) {
    const found = match.exec(reason);
    if (found === null) continue;
    return chinese.replaceAll(/\{(~?)(\w+)\}/gu, (_all, mark: string, name: string) => {
      const value = found.groups?.[name] ?? "";
      return mark === "" ? value : told(value, depth + 1);
    });
  }
  return toldByName(reason, depth);
}

/** `web: no answer`: of whom a sentence is told. */
function toldByName(reason: string, depth: number): string {
  const [, name = "", rest = ""] = /^([\w./@-]+): (.+)$/su.exec(reason) ?? [];
  const chinese = rest === "" ? rest : told(rest, depth + 1);
  return chinese === rest ? reason : `${name}：${chinese}`;
}
