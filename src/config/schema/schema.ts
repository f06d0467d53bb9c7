/**
 * Every keyword of the language, as data. Parsing, defaults, did-you-mean, `nines explain` and
 * the generated reference all read this one table.
 *
 * A table is text, one keyword a line, because the eye has to compare hundreds of them:
 *
 *     [block …]                                   where the keywords below are allowed
 *     MARK name | takes | default | meaning | source
 *
 * MARK: `+` carried out; `~` read and checked now, carried out by the load balancer; `-` known and
 * accepted, but Nines does not carry it out and says so.
 */

import { assert } from "../../lib/assert.ts";
import { GLOBAL_KEYWORDS } from "./global-keywords.ts";
import { GLOBAL_RARE_KEYWORDS } from "./global-rare-keywords.ts";
import { LINE_KEYWORDS } from "./line-keywords.ts";
import { LVS_KEYWORDS } from "./lvs-keywords.ts";
import { VRRP_KEYWORDS } from "./vrrp-keywords.ts";

type KeywordStatus = "done" | "later" | "ignored";

/** How the words after a keyword are read. Times in a configuration are seconds. */
export type Takes =
  | { readonly kind: "flag" }
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly min: number; readonly max: number; readonly optional: boolean }
  | { readonly kind: "seconds"; readonly min: number; readonly max: number }
  | { readonly kind: "weight"; readonly min: number; readonly max: number }
  | { readonly kind: "ints"; readonly min: number; readonly max: number }
  | { readonly kind: "one-of"; readonly options: readonly string[] }
  | { readonly kind: "address" }
  | { readonly kind: "words"; readonly least: number; readonly most: number }
  | { readonly kind: "script"; readonly optional: boolean }
  | {
      readonly kind: "block";
      readonly block: string;
      readonly least: number;
      readonly most: number;
    }
  /** A block whose lines are not keywords. */
  | { readonly kind: "lines"; readonly least: number; readonly most: number };

export interface Keyword {
  readonly name: string;
  /** Blocks in which it may stand; `top` is outside of all blocks. */
  readonly blocks: readonly string[];
  readonly takes: Takes;
  readonly takesText: string;
  /** As an operator would write it; empty: none. */
  readonly default: string;
  readonly meaning: string;
  readonly source: string;
  readonly status: KeywordStatus;
}

/** More words than any keyword takes. */
const ANY = 1000;

const STATUS: Readonly<Record<string, KeywordStatus>> = {
  "+": "done",
  "~": "later",
  "-": "ignored",
};

function parseTable(table: string): Keyword[] {
  const rows: Keyword[] = [];
  let blocks: readonly string[] = [];
  for (const line of table.split("\n").map((text) => text.trim())) {
    if (line === "") continue;
    if (line.startsWith("[")) {
      blocks = line.slice(1, -1).split(" ");
      continue;
    }
    const status = STATUS[line[0]!];
    const [name, takes, standard, meaning, source] = line
      .slice(1)
      .split("|")
      .map((t) => t.trim());
    assert(status !== undefined && source !== undefined, `a row of the schema is broken: ${line}`);
    const takesText = takes!;
    const row = { name: name!, blocks, takes: parseTakes(takesText), takesText };
    rows.push({
      ...row,
      default: standard!,
      meaning: meaning!,
      source: longSource(source),
      status,
    });
  }
  return rows;
}

function longSource(source: string): string {
  return source.replace(/\bman\b/u, "keepalived.conf(5)");
}

function parseTakes(text: string): Takes {
  const [kind = "", ...rest] = text.split(" ");
  const [low = "0", high = "0"] = (rest[0] ?? "").split("..");
  const range = { min: Number(low), max: Number(high) };
  switch (kind) {
    case "flag":
    case "bool":
    case "address":
      return { kind };
    case "int":
    case "int?":
      return { kind: "int", ...range, optional: kind === "int?" };
    case "seconds":
    case "weight":
    case "ints":
      return { kind, ...range };
    case "one-of":
      return { kind, options: rest[0]!.split(",") };
    case "word":
      return { kind: "words", least: 1, most: 1 };
    case "words":
      return { kind, least: range.min, most: range.max === 0 ? ANY : range.max };
    case "script":
    case "script?":
      return { kind: "script", optional: kind === "script?" };
    case "block":
      return { kind, block: rest[0]!, ...argumentCount(rest[1]) };
    case "lines":
      return { kind, ...argumentCount(rest[0]) };
    default:
      assert(kind === "any", `the schema has no type '${text}'`);
      return { kind: "words", least: 0, most: ANY };
  }
}

function argumentCount(text: string | undefined): { least: number; most: number } {
  if (text === undefined) return { least: 0, most: 0 };
  return text === "NAME" ? { least: 1, most: 1 } : { least: 1, most: 2 };
}

export const KEYWORDS: readonly Keyword[] = parseTable(
  [GLOBAL_KEYWORDS, GLOBAL_RARE_KEYWORDS, VRRP_KEYWORDS, LVS_KEYWORDS, LINE_KEYWORDS].join("\n"),
);

const BY_BLOCK = new Map<string, Map<string, Keyword>>();
for (const row of KEYWORDS) {
  for (const block of row.blocks) {
    const rows = BY_BLOCK.get(block) ?? new Map<string, Keyword>();
    rows.set(row.name, row);
    BY_BLOCK.set(block, rows);
  }
}

/** The keywords allowed in a block, by name. */
export function keywordsOf(block: string): ReadonlyMap<string, Keyword> {
  return BY_BLOCK.get(block) ?? new Map<string, Keyword>();
}

/** Every row of that name: a word may mean different things in different blocks. */
export function rowsNamed(name: string): readonly Keyword[] {
  return KEYWORDS.filter((row) => row.name === name);
}
