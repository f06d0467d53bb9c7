/** The tree checked against the schema: blocks with typed values, unknown words told. */

import { closest } from "../../lib/spelling.ts";
import type { NotifyCommand } from "../../core/vrrp/settings.ts";
import type { Findings, Place } from "../diagnostic.ts";
import { type Keyword, keywordsOf, rowsNamed } from "../schema/schema.ts";
import type { Word } from "./source-line.ts";
import { describe, type Statement } from "./tree.ts";
import { readValue, type Value, type Weight } from "./value.ts";

interface Entry {
  readonly statement: Statement;
  readonly value?: Value;
  readonly block?: Block;
}

/** One block as written. Every getter gives undefined when the keyword is absent or wrong. */
export class Block {
  readonly statement: Statement;
  /** Keywords that an unknown word was probably meant to be. */
  readonly misspelt: Set<string> = new Set();
  readonly #entries = new Map<string, Entry[]>();

  constructor(statement: Statement) {
    this.statement = statement;
  }

  add(name: string, entry: Entry): void {
    const list = this.#entries.get(name) ?? [];
    list.push(entry);
    this.#entries.set(name, list);
  }

  /** First word after the keyword: the name of the block. */
  get name(): string {
    return this.statement.args[0]?.text ?? "";
  }

  get title(): string {
    return describe(this.statement);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Which of two opposites was written last: true for the first one. */
  last(yes: string, no: string): boolean | undefined {
    const written = (this.statement.block ?? []).map(({ keyword }) => keyword.text);
    if (!this.has(yes) && !this.has(no)) return undefined;
    return written.lastIndexOf(yes) > written.lastIndexOf(no);
  }

  /** Where the keyword stands, or where the block starts. */
  at(name: string): Place {
    return this.#entries.get(name)?.at(-1)?.statement.keyword ?? this.statement.keyword;
  }

  /** Where the first value of the keyword stands. */
  valueAt(name: string): Place {
    return this.#entries.get(name)?.at(-1)?.statement.args[0] ?? this.at(name);
  }

  number(name: string): number | undefined {
    const value = this.#last(name);
    return value?.kind === "number" ? value.number : undefined;
  }

  flag(name: string): boolean {
    return this.bool(name) === true;
  }

  bool(name: string): boolean | undefined {
    const value = this.#last(name);
    return value?.kind === "bool" ? value.on : undefined;
  }

  words(name: string): readonly Word[] | undefined {
    const value = this.#last(name);
    return value?.kind === "words" ? value.words : undefined;
  }

  /** Every occurrence of a keyword that may be repeated. */
  allWords(name: string): readonly (readonly Word[])[] {
    const entries = this.#entries.get(name) ?? [];
    return entries.flatMap((e) => (e.value?.kind === "words" ? [e.value.words] : []));
  }

  word(name: string): Word | undefined {
    return this.words(name)?.[0];
  }

  text(name: string): string | undefined {
    return this.word(name)?.text;
  }

  numbers(name: string): readonly number[] {
    const value = this.#last(name);
    return value?.kind === "numbers" ? value.numbers : [];
  }

  weight(name: string): Weight | undefined {
    const value = this.#last(name);
    return value?.kind === "weight" ? value.weight : undefined;
  }

  command(name: string): NotifyCommand | undefined {
    const value = this.#last(name);
    return value?.kind === "command" ? value.command : undefined;
  }

  blocks(name: string): readonly Block[] {
    return (this.#entries.get(name) ?? []).flatMap((e) => (e.block === undefined ? [] : [e.block]));
  }

  /** The lines of a block that holds no keywords, all occurrences together. */
  lines(name: string): readonly Statement[] {
    return (this.#entries.get(name) ?? []).flatMap((e) => e.statement.block ?? []);
  }

  /** Statements of a keyword, for blocks that need their own arguments (virtual_server_group). */
  statements(name: string): readonly Statement[] {
    return (this.#entries.get(name) ?? []).map((e) => e.statement);
  }

  #last(name: string): Value | undefined {
    return this.#entries.get(name)?.at(-1)?.value;
  }
}

/** Keywords that mean something each time they are written. */
const REPEATABLE = new Set(["key"]);

export interface BlockReader {
  readonly findings: Findings;
  /** Unknown keywords are skipped with a warning, as keepalived does. */
  readonly permissive: boolean;
}

/** Reads the statements of one block; `kind` names its rows in the schema. */
export function readBlock(statement: Statement, kind: string, reader: BlockReader): Block {
  const block = new Block(statement);
  const rows = keywordsOf(kind);
  for (const child of statement.block ?? []) {
    const row = rows.get(child.keyword.text);
    if (row === undefined) reportUnknown(child, block, kind, reader);
    else if (row.status === "ignored") {
      reader.findings.warn(child.keyword, `ignored: '${row.name}'`, row.meaning);
    } else readEntry(block, child, row, reader);
  }
  return block;
}

function readEntry(block: Block, child: Statement, row: Keyword, reader: BlockReader): void {
  const { findings } = reader;
  const { takes } = row;
  if (takes.kind === "block" || takes.kind === "lines") {
    if (!checkArguments(child, takes, findings)) return;
    if (takes.kind === "lines") block.add(row.name, { statement: child });
    else block.add(row.name, { statement: child, block: readBlock(child, takes.block, reader) });
    return;
  }
  if (child.block !== undefined) {
    findings.error(child.keyword, `${row.name} takes no block`, "remove the braces");
    return;
  }
  if (block.has(row.name) && !REPEATABLE.has(row.name)) {
    const before = block.at(row.name).line;
    findings.warn(
      child.keyword,
      `${row.name} was given already in line ${before}`,
      "this one counts",
    );
  }
  const value = readValue(child, row, findings);
  block.add(row.name, value === undefined ? { statement: child } : { statement: child, value });
}

function checkArguments(
  child: Statement,
  takes: { readonly least: number; readonly most: number },
  findings: Findings,
): boolean {
  const { keyword, args } = child;
  if (child.block === undefined) {
    findings.error(keyword, `${keyword.text} needs a block`, `write ${keyword.text} { … }`);
    return false;
  }
  if (args.length < takes.least) {
    findings.error(keyword, `${keyword.text} needs a name`, `write ${keyword.text} NAME { … }`);
    return false;
  }
  const extra = args[takes.most];
  if (extra !== undefined && takes.most < 2) {
    findings.warn(extra, `'${extra.text}' after ${keyword.text} is ignored`, "remove it");
  }
  return true;
}

function reportUnknown(child: Statement, parent: Block, kind: string, reader: BlockReader): void {
  const { keyword } = child;
  const where = kind === "top" ? "" : ` in ${parent.title}`;
  const meant = closest(keyword.text, keywordsOf(kind).keys());
  if (meant !== undefined) parent.misspelt.add(meant);
  const reason = `unknown keyword '${keyword.text}'${where}`;
  const next = suggestion(child, kind);
  if (reader.permissive) reader.findings.warn(keyword, `${reason}, skipped`, next);
  else reader.findings.error(keyword, reason, next);
}

function suggestion(child: Statement, kind: string): string {
  const { text } = child.keyword;
  if (/[\u00A0\u3000\u200B-\u200D\uFEFF\u201C\u201D\u2018\u2019]/u.test(text)) {
    return "it contains a special space or quote, as copied from a web page; type it again";
  }
  if (/^\$\w+$/u.test(text)) {
    return child.args[0]?.text.startsWith("=") === true
      ? `write ${text}=VALUE, without a space before the =`
      : `no line above defines it: ${text}=VALUE`;
  }
  const elsewhere = rowsNamed(text).flatMap((row) => row.blocks.filter((b) => b !== "anywhere"));
  if (elsewhere.includes("top")) {
    return child.block === undefined
      ? `it belongs outside of all blocks`
      : `it belongs outside of all blocks; is a '}' missing before it?`;
  }
  if (elsewhere.length > 0) return `it belongs in ${elsewhere.slice(0, 3).join(" or ")}`;
  const near = closest(text, keywordsOf(kind).keys());
  if (near !== undefined) return `did you mean '${near}'?`;
  if (kind === "vrrp_sync_group") return "names of instances stand in group { … }";
  return "remove it, or run with --permissive to skip it";
}
