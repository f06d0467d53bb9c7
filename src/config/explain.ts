/** `nines explain KEY`: what a word means in nines.yaml and keepalived.conf, as the schemas say. */

import { closest } from "../lib/spelling.ts";
import { allKeys, type Key, pathOf } from "./service/keys.ts";
import { type Keyword, KEYWORDS, keywordsOf, rowsNamed, type Takes } from "./schema/schema.ts";

export interface Explanation {
  readonly name: string;
  /** In keepalived.conf: one for each meaning that the word has in different blocks. */
  readonly meanings: readonly KeywordMeaning[];
  /** In nines.yaml: one for each map that has such a key. */
  readonly keys: readonly Key[];
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

/** `${_PWD}` and `${_ENV HOME}` as they are written. */
function withoutBraces(name: string): string {
  return /^\$\{(_[A-Z]+)[^}]*\}$/u.exec(name)?.[1] ?? name;
}

export function explain(asked: string): Explanation {
  const name = withoutBraces(asked);
  const rows = rowsNamed(name);
  const all = allKeys();
  const keys = all.filter((key) => isMeant(name, key));
  // `pools.shop` is one of what `pools` holds.
  const holder = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  if (keys.length === 0 && holder !== "") keys.push(...all.filter((key) => isNamedBy(holder, key)));
  const known = [...KEYWORDS.map((row) => row.name), ...all.map((key) => key.name)];
  const isKnown = rows.length + keys.length > 0;
  const suggestion = isKnown ? undefined : closest(name, [...new Set(known)].sort());
  return {
    name,
    meanings: rows.map(meaningOf),
    keys,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/**
 * `connect`, `timeouts.connect`, `pools.timeouts.connect` and `pools.shop.timeouts.connect` all mean one key: where
 * a name is chosen, any may stand or none.
 */
function isMeant(name: string, key: Key): boolean {
  const steps = (path: string): string[] => path.replace(/\[\d*\]/gu, "").split(".");
  return endsWith(steps(pathOf(key)), steps(name));
}

/** The key has that whole path, and its things have names that users choose. */
function isNamedBy(path: string, key: Key): boolean {
  return pathOf(key) === path && key.takes.startsWith("a map of names");
}

function endsWith(path: readonly string[], wanted: readonly string[]): boolean {
  const [step, last] = [path.at(-1), wanted.at(-1)];
  if (last === undefined) return true;
  if (step === undefined) return false;
  const shorter = path.slice(0, -1);
  if (step !== "NAME") return step === last && endsWith(shorter, wanted.slice(0, -1));
  // The first word of a question is no chosen name.
  const isName = wanted.length > 1 && endsWith(shorter, wanted.slice(0, -1));
  return isName || endsWith(shorter, wanted);
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
    contains: [...keywordsOf(row.takes.kind === "block" ? row.takes.block : row.name).keys()],
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
  const { meanings, keys, suggestion } = explain(name);
  if (meanings.length + keys.length === 0) {
    const next = suggestion === undefined ? "" : ` - did you mean '${suggestion}'?`;
    return `unknown keyword '${name}'${next}`;
  }
  const texts = [...keys.map(keyText), ...meanings.map((meaning) => meaningText(name, meaning))];
  return texts.join("\n\n");
}

function keyText(key: Key): string {
  const rows: [string, string][] = [
    ["in", `nines.yaml: ${key.within === "" ? "the top of the file" : key.within}`],
    ["takes", key.takes],
    ["range", key.range],
    ["default", key.required ? "none: it is required" : key.default],
    ["example", key.examples.join(", ")],
    ["source", key.source],
    ...wrapped("holds", key.holds),
  ];
  return rowsText(`${key.name}: ${key.meaning}`, rows);
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

const PLACES: Readonly<Record<string, string>> = {
  top: "outside of all blocks",
  anywhere: "any line",
};

function meaningText(name: string, meaning: KeywordMeaning): string {
  const where = meaning.blocks.map((block) => PLACES[block] ?? block);
  const rows: [string, string][] = [
    ["in", `keepalived.conf: ${where.join(", ")}`],
    ["takes", meaning.takes],
    ["unit", meaning.unit],
    ["range", meaning.range],
    ["default", meaning.default],
    ["source", meaning.source],
    ["status", meaning.status],
  ];
  if (meaning.contains.length > 0) rows.push(...wrapped("holds", meaning.contains));
  return rowsText(`${name}: ${meaning.meaning}`, rows);
}

function rowsText(title: string, rows: readonly (readonly [string, string])[]): string {
  const lines = rows.filter(([, value]) => value !== "");
  return [title, ...lines.map(([k, v]) => `  ${k.padEnd(8)}${v}`)].join("\n");
}
