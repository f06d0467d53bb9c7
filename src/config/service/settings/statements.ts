/**
 * The VRRP part of nines.yaml as statements of keepalived's language. One builder with all its
 * checks and defaults serves both languages; the words keep their places in the YAML file.
 */

import type { Place } from "../../diagnostic.ts";
import type { Word } from "../../keepalived/source-line.ts";
import type { Statement } from "../../keepalived/tree.ts";
import type { CommandDocument, KeywordKey, KeywordValues } from "../schema/keyword-schema.ts";
import type { BuildContext } from "./context.ts";

export function word(at: Place, text: string, quoted = false): Word {
  return { ...at, text, quoted, brace: false };
}

/** `keyword arg arg`; everything stands at one place. */
export function statement(at: Place, keyword: string, ...args: readonly string[]): Statement {
  return { keyword: word(at, keyword), args: args.map((arg) => word(at, arg)) };
}

export function blockStatement(at: Place, words: readonly string[], block: Statement[]): Statement {
  const [keyword = "", ...args] = words;
  return { ...statement(at, keyword, ...args), block };
}

/** Lines of text: the first word of each is the keyword, the others are its arguments. */
export function lineStatements(
  at: (index: number) => Place,
  lines: readonly string[],
): Statement[] {
  return lines.flatMap((line, index) => {
    const [first, ...rest] = line.trim().split(/\s+/u);
    return first === undefined || first === "" ? [] : [statement(at(index), first, ...rest)];
  });
}

/** The keys of a document that keepalived has, too. */
export function keywordStatements(
  document: object,
  keys: readonly KeywordKey[],
  context: BuildContext,
): Statement[] {
  const values = document as KeywordValues;
  return keys.flatMap(({ key, row }) => {
    const value = values[key];
    if (value === undefined) return [];
    return keywordStatement({ document, key, row, value }, context) ?? [];
  });
}

interface KeyValue extends KeywordKey {
  readonly document: object;
  readonly value: NonNullable<KeywordValues[string]>;
}

function keywordStatement(given: KeyValue, context: BuildContext): Statement | undefined {
  const { document, key, row, value } = given;
  const { places } = context;
  const at = places.at(document, key);
  const keyword = word(places.key(document, key), row.name);
  if (typeof value === "boolean") return booleanStatement(keyword, given, at);
  if (row.takes.kind === "seconds") return { keyword, args: [word(at, `${Number(value) / 1000}`)] };
  if (row.takes.kind === "lines") {
    const lines = value as readonly string[];
    const block = lineStatements((i) => places.at(lines, i), lines);
    return { keyword, args: [], block };
  }
  if (Array.isArray(value)) return { keyword, args: value.map((one) => word(at, String(one))) };
  if (typeof value === "object") {
    return { keyword, args: commandArguments(at, value as CommandDocument, context) };
  }
  // `use_vmac: true` is the keyword alone, `use_vmac: vrrp.51` has a word after it.
  if (row.takes.kind === "words" && row.takes.least === 0) {
    if (value === "false") return undefined;
    if (value === "true") return { keyword, args: [] };
  }
  const texts =
    row.takes.kind === "words" && row.takes.most > 1
      ? `${value}`.trim().split(/\s+/u)
      : [`${value}`];
  return { keyword, args: texts.map((text) => word(at, text)) };
}

/** A flag that is off is not written; a switch is written as on or off. */
function booleanStatement(
  keyword: Word,
  { row, value }: KeyValue,
  at: Place,
): Statement | undefined {
  if (row.takes.kind === "bool")
    return { keyword, args: [word(at, value === true ? "on" : "off")] };
  return value === true ? { keyword, args: [] } : undefined;
}

/** `"COMMAND 'WITH SPACE'" user group`, as notifications take it. */
export function commandArguments(
  at: Place,
  { command, user, group }: CommandDocument,
  { findings }: BuildContext,
): Word[] {
  if (command.some((part) => part.includes("'"))) {
    findings.error(at, "a command cannot hold single quotes", "put it into a script of its own");
  }
  const text = command.map((part) => (/\s/u.test(part) ? `'${part}'` : part)).join(" ");
  if (text === "") return [];
  const names = [user, ...(user === undefined ? [] : [group])];
  return [
    word(at, text, true),
    ...names.flatMap((name) => (name === undefined ? [] : [word(at, name)])),
  ];
}
