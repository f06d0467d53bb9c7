/** Words become a tree: a statement is a keyword, its arguments and perhaps a block. */

import type { Findings } from "../diagnostic.ts";
import { KEYWORDS } from "../schema/schema.ts";
import { type SourceLine, splitWords, type Word } from "./source-line.ts";

export interface Statement {
  readonly keyword: Word;
  readonly args: readonly Word[];
  /** Present when braces followed. */
  block?: Statement[];
}

/** Deeper than any block of keepalived (4); bounds the recursion of the readers. */
const DEEPEST = 32;

/** Blocks that stand outside of all others: inside one they tell that a brace is missing. */
const OUTERMOST: ReadonlySet<string> = new Set(
  KEYWORDS.filter((row) => row.blocks.includes("top") && /^(block|lines)/u.test(row.takesText))
    .map((row) => row.name)
    .filter((name) => KEYWORDS.every((row) => row.name !== name || row.blocks.includes("top"))),
);

export function parseTree(lines: readonly SourceLine[], findings: Findings): Statement[] {
  const builder = new TreeBuilder(findings);
  for (const line of lines) builder.add(splitWords(line, findings));
  return builder.end();
}

class TreeBuilder {
  readonly #findings: Findings;
  readonly #top: Statement[] = [];
  readonly #open: Statement[] = [];
  #words: Word[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** The words of one line. */
  add(words: readonly Word[]): void {
    for (const word of words) {
      if (!word.brace) this.#words.push(word);
      else if (word.text === "{") this.#openBlock(word);
      else this.#closeBlock(word);
    }
    this.#endStatement();
  }

  end(): Statement[] {
    for (const statement of this.#open) reportUnclosed(statement, this.#findings);
    return this.#top;
  }

  get #level(): Statement[] {
    return this.#open.at(-1)?.block ?? this.#top;
  }

  #endStatement(): void {
    const [keyword, ...args] = this.#words;
    if (keyword === undefined) return;
    this.#words = [];
    if (this.#open.length > 0 && OUTERMOST.has(keyword.text)) this.#recover(keyword);
    this.#level.push({ keyword, args });
  }

  /** Goes on outside of all blocks, so that one lost brace gives one message. */
  #recover(keyword: Word): void {
    const lost = this.#open.map(describe).join(" and ");
    const braces = "}".repeat(this.#open.length);
    const reason = `${keyword.text} cannot stand inside ${lost}: '}' is missing before it`;
    this.#findings.error(
      keyword,
      reason,
      `close what line ${this.#open[0]!.keyword.line} opens: ${braces}`,
    );
    this.#open.length = 0;
  }

  #openBlock(brace: Word): void {
    this.#endStatement();
    const statement = this.#level.at(-1);
    if (statement !== undefined && statement.block === undefined && this.#open.length < DEEPEST) {
      statement.block = [];
      this.#open.push(statement);
      return;
    }
    const next = "name the block or drop the brace";
    this.#findings.error(brace, "'{' without a keyword before it", next);
    this.#open.push({ keyword: brace, args: [], block: [] });
  }

  #closeBlock(brace: Word): void {
    this.#endStatement();
    if (this.#open.pop() !== undefined) return;
    const next = "a '{' is missing before it, or it is one too many";
    this.#findings.error(brace, "'}' closes nothing", next);
  }
}

function reportUnclosed(statement: Statement, findings: Findings): void {
  const title = describe(statement);
  const last = lastPlace(statement);
  const next = `add '}' after the last line of the block (it goes on to line ${last} now)`;
  findings.error(statement.keyword, `the block ${title} is never closed`, next);
}

function lastPlace(statement: Statement): number {
  const inside = statement.block?.at(-1);
  return inside === undefined ? statement.keyword.line : lastPlace(inside);
}

/** `vrrp_instance VI_1`, as messages name a block. */
export function describe(statement: Statement): string {
  return [statement.keyword, ...statement.args].map((word) => word.text).join(" ");
}
