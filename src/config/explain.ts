/** `nines explain KEY`: what a keyword means, in the words of the schema. */

import { closest } from "../lib/spelling.ts";
import { type Keyword, KEYWORDS, keywordsOf, rowsNamed, type Takes } from "./schema/schema.ts";

export interface Explanation {
  readonly name: string;
  /** One for each meaning that the word has in different blocks. */
  readonly meanings: readonly KeywordMeaning[];
  /** Set when nothing is known: the word that was perhaps meant. */
  readonly suggestion?: string;
}

interface KeywordMeaning {
  readonly blocks: readonly string[];
  readonly meaning: string;
  readonly takes: string;
  readonly unit: string;
  readonly range: string;
  readonly default: string;
  readonly source: string;
  readonly status: string;
  /** Keywords that may stand inside, when it opens a block. */
  readonly contains: readonly string[];
}

function keywordNames(): string[] {
  return [...new Set(KEYWORDS.map((row) => row.name))].sort();
}

export function explain(name: string): Explanation {
  const rows = rowsNamed(name);
  const suggestion = rows.length === 0 ? closest(name, keywordNames()) : undefined;
  return {
    name,
    meanings: rows.map(meaningOf),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

const STATUS: Readonly<Record<Keyword["status"], string>> = {
  done: "carried out",
  later: "read and checked; carried out by the load balancer",
  ignored: "known, not carried out by Nines",
};

function meaningOf(row: Keyword): KeywordMeaning {
  return {
    blocks: row.blocks,
    meaning: row.meaning,
    takes: describeTakes(row.takes),
    unit: row.takes.kind === "seconds" ? "seconds" : "",
    range: rangeOf(row.takes),
    default: row.default,
    source: row.source,
    status: STATUS[row.status],
    contains: row.takes.kind === "block" ? [...keywordsOf(row.takes.block).keys()] : [],
  };
}

function rangeOf(takes: Takes): string {
  return "min" in takes ? `${takes.min} to ${takes.max}` : "";
}

export function describeTakes(takes: Takes): string {
  switch (takes.kind) {
    case "flag":
      return "no value";
    case "bool":
      return "on or off; alone it means on";
    case "int":
      return takes.optional ? "a whole number, or nothing" : "a whole number";
    case "ints":
      return "whole numbers";
    case "seconds":
      return "a number, fractions allowed";
    case "weight":
      return "a whole number, then perhaps 'reverse'";
    case "one-of":
      return takes.options.join(" or ");
    case "address":
      return "an IP address";
    case "script":
      return "a command (quoted with its arguments), then perhaps user and group";
    case "block":
      return takes.least > 0 ? "a name and a block { … }" : "a block { … }";
    case "lines":
      return takes.least > 0 ? "a name and a block of lines { … }" : "a block of lines { … }";
    case "words":
      return takes.most === 1 ? "a word" : takes.least === 0 ? "words, or nothing" : "words";
  }
}

/** The explanation as lines for a terminal. */
export function explainText(name: string): string {
  const { meanings, suggestion } = explain(name);
  if (meanings.length === 0) {
    const next = suggestion === undefined ? "" : ` - did you mean '${suggestion}'?`;
    return `unknown keyword '${name}'${next}`;
  }
  return meanings.map((meaning) => meaningText(name, meaning)).join("\n\n");
}

/** Words in lines of at most 80 columns; the first is named. */
function wrapped(name: string, words: readonly string[]): [string, string][] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 68) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line, i) => [i === 0 ? name : "", line]);
}

function meaningText(name: string, meaning: KeywordMeaning): string {
  const where = meaning.blocks.map((block) => (block === "top" ? "outside of all blocks" : block));
  const rows: [string, string][] = [
    ["in", where.join(", ")],
    ["takes", meaning.takes],
    ["unit", meaning.unit],
    ["range", meaning.range],
    ["default", meaning.default],
    ["source", meaning.source],
    ["status", meaning.status],
  ];
  if (meaning.contains.length > 0) rows.push(...wrapped("holds", meaning.contains));
  const lines = rows.filter(([, value]) => value !== "");
  return [`${name}: ${meaning.meaning}`, ...lines.map(([k, v]) => `  ${k.padEnd(8)}${v}`)].join(
    "\n",
  );
}
