/** Words become a tree: a statement is a keyword, its arguments and perhaps a block. */

import type { Findings } from "../diagnostic.ts";
import { type SourceLine, splitWords, type Word } from "./source-line.ts";

export interface Statement {
  readonly keyword: Word;
  readonly args: readonly Word[];
  /** Present when braces followed. */
  block?: Statement[];
}

/** Deeper than any block of keepalived (4); bounds the recursion of the readers. */
const DEEPEST = 32;

export function parseTree(lines: readonly SourceLine[], findings: Findings): Statement[] {
  const top: Statement[] = [];
  const open: { statement: Statement; brace: Word }[] = [];
  let level = top;
  let words: Word[] = [];
  const endStatement = (): void => {
    if (words.length > 0) level.push({ keyword: words[0]!, args: words.slice(1) });
    words = [];
  };
  const openBlock = (brace: Word): void => {
    endStatement();
    const statement = level.at(-1);
    if (statement === undefined || statement.block !== undefined || open.length >= DEEPEST) {
      findings.error(brace, "'{' without a keyword before it", "name the block or drop the brace");
      open.push({ statement: { keyword: brace, args: [], block: [] }, brace });
    } else {
      statement.block = [];
      open.push({ statement, brace });
    }
    level = open.at(-1)!.statement.block!;
  };
  const closeBlock = (brace: Word): void => {
    endStatement();
    if (open.pop() === undefined) {
      findings.error(
        brace,
        "'}' closes nothing",
        "a '{' is missing before it, or it is one too many",
      );
    }
    level = open.at(-1)?.statement.block ?? top;
  };
  for (const line of lines) {
    for (const word of splitWords(line, findings)) {
      if (!word.brace) words.push(word);
      else if (word.text === "{") openBlock(word);
      else closeBlock(word);
    }
    endStatement();
  }
  for (const { statement } of open) reportUnclosed(statement, findings);
  return top;
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
