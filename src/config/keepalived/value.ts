/** Words after a keyword become a typed value, as the schema says; what does not fit is told. */

import type { NotifyCommand } from "../../core/vrrp/settings.ts";
import type { Findings, Place } from "../diagnostic.ts";
import type { Keyword, Takes } from "../schema/schema.ts";
import type { Word } from "./source-line.ts";
import type { Statement } from "./tree.ts";

export interface Weight {
  readonly weight: number;
  readonly reverse: boolean;
}

export type Value =
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "bool"; readonly on: boolean }
  | { readonly kind: "words"; readonly words: readonly Word[] }
  | { readonly kind: "weight"; readonly weight: Weight }
  | { readonly kind: "numbers"; readonly numbers: readonly number[] }
  | { readonly kind: "command"; readonly command: NotifyCommand | undefined };

const WORD_COUNT: Readonly<Record<string, readonly [number, number]>> = {
  flag: [0, 0],
  bool: [0, 1],
  seconds: [1, 1],
  weight: [1, 2],
  ints: [1, 1000],
  "one-of": [1, 1],
  address: [1, 1],
};

const BOOLEANS: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  off: false,
  false: false,
  no: false,
};

/** Undefined: the words do not fit, and that was told. */
export function readValue(
  statement: Statement,
  row: Keyword,
  findings: Findings,
): Value | undefined {
  const { keyword, args } = statement;
  const [least, most] = wordCount(row.takes);
  if (args.length < least) {
    findings.error(keyword, `${row.name} needs a value`, `it takes: ${expected(row.takes)}`);
    return undefined;
  }
  if (args.length > most) {
    const extra = args[most]!;
    findings.warn(extra, `'${extra.text}' after ${row.name} is ignored`, "remove it");
  }
  return convert(row, args.slice(0, most), findings);
}

function wordCount(takes: Takes): readonly [number, number] {
  if (takes.kind === "words") return [takes.least, takes.most];
  if (takes.kind === "int") return [takes.optional ? 0 : 1, 1];
  if (takes.kind === "script") return [takes.optional ? 0 : 1, 3];
  return WORD_COUNT[takes.kind] ?? [0, 0];
}

function convert(row: Keyword, args: readonly Word[], findings: Findings): Value | undefined {
  const { takes } = row;
  const first = args[0];
  switch (takes.kind) {
    case "flag":
      return { kind: "bool", on: true };
    case "bool":
      return readBool(row, first, findings);
    case "int":
      if (first === undefined) return { kind: "number", number: Number(row.default) };
      return numberValue(readInteger(first, takes, row.name, findings));
    case "seconds":
      return numberValue(readSeconds(first!, takes, row.name, findings));
    case "ints":
      return readIntegers(args, takes, row.name, findings);
    case "weight":
      return readWeightValue(args, takes, row.name, findings);
    case "one-of":
      return readOption(first!, takes.options, row.name, findings);
    case "script":
      return { kind: "command", command: commandOf(args) };
    default:
      return { kind: "words", words: args };
  }
}

function numberValue(number: number | undefined): Value | undefined {
  return number === undefined ? undefined : { kind: "number", number };
}

function readBool(row: Keyword, word: Word | undefined, findings: Findings): Value | undefined {
  const on = word === undefined ? true : BOOLEANS[word.text.toLowerCase()];
  if (on !== undefined) return { kind: "bool", on };
  findings.error(word!, `${row.name} is on or off, not '${word!.text}'`, "write on or off");
  return undefined;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number in the range, or undefined after telling why not. */
export function readInteger(
  word: Word,
  range: Range,
  name: string,
  findings: Findings,
): number | undefined {
  if (!/^[+-]?\d+$/u.test(word.text)) {
    findings.error(word, `${name} must be a whole number, not '${word.text}'`, between(range));
    return undefined;
  }
  return inRange(word, Number(word.text), { ...range, name }, findings);
}

/** Seconds as written, milliseconds as result. */
export function readSeconds(
  word: Word,
  range: Range,
  name: string,
  findings: Findings,
): number | undefined {
  if (!/^(\d+\.?\d*|\.\d+)$/u.test(word.text)) {
    findings.error(word, `${name} must be a number of seconds, not '${word.text}'`, between(range));
    return undefined;
  }
  const seconds = inRange(word, Number(word.text), { ...range, name }, findings);
  return seconds === undefined ? undefined : Math.round(seconds * 1e6) / 1e3;
}

function inRange(
  word: Place,
  number: number,
  range: Range & { readonly name: string },
  findings: Findings,
): number | undefined {
  if (number >= range.min && number <= range.max) return number;
  findings.error(word, `${range.name} ${word.text} is out of range`, between(range));
  return undefined;
}

function between(range: Range): string {
  return `write a number from ${range.min} to ${range.max}`;
}

function readIntegers(
  args: readonly Word[],
  range: Range,
  name: string,
  findings: Findings,
): Value | undefined {
  const numbers = args.map((word) => readInteger(word, range, name, findings));
  if (numbers.includes(undefined)) return undefined;
  return { kind: "numbers", numbers: numbers as number[] };
}

function readWeightValue(
  args: readonly Word[],
  range: Range,
  name: string,
  findings: Findings,
): Value | undefined {
  const weight = readInteger(args[0]!, range, name, findings);
  const second = args[1];
  if (second !== undefined && second.text !== "reverse") {
    findings.error(second, `after the weight only 'reverse' may stand, not '${second.text}'`);
  }
  if (weight === undefined) return undefined;
  return { kind: "weight", weight: { weight, reverse: second?.text === "reverse" } };
}

function readOption(
  word: Word,
  options: readonly string[],
  name: string,
  findings: Findings,
): Value | undefined {
  const found = options.find((option) => option === word.text);
  if (found !== undefined) return { kind: "words", words: [word] };
  const near = options.find((option) => option.toLowerCase() === word.text.toLowerCase());
  const next = near === undefined ? `write one of: ${options.join(", ")}` : `write ${near}`;
  findings.error(word, `${name} cannot be '${word.text}'`, next);
  return undefined;
}

/** What a keyword takes, in words for a message. */
function expected(takes: Takes): string {
  switch (takes.kind) {
    case "int":
    case "ints":
      return `a whole number from ${takes.min} to ${takes.max}`;
    case "seconds":
      return `seconds from ${takes.min} to ${takes.max}`;
    case "weight":
      return `a number from ${takes.min} to ${takes.max}, perhaps 'reverse'`;
    case "one-of":
      return takes.options.join(" or ");
    case "script":
      return "a command, perhaps a user and a group";
    case "address":
      return "an IP address";
    default:
      return takes.kind === "words" && takes.least > 1 ? `${takes.least} words` : "a word";
  }
}

/**
 * `COMMAND [user [group]]`. A quoted command is split at spaces, single quotes keep a space
 * (keepalived.conf(5), Quoted strings). There never is a shell.
 */
function commandOf(args: readonly Word[]): NotifyCommand | undefined {
  const [command, user, group] = args;
  if (command === undefined) return undefined;
  return {
    argv: splitCommand(command),
    ...(user === undefined ? {} : { user: user.text.replace(/:$/u, "") }),
    ...(group === undefined ? {} : { group: group.text.replace(/^:/u, "") }),
  };
}

export function splitCommand(word: Word): string[] {
  if (!word.quoted) return [word.text];
  const parts = word.text.match(/(?:'[^']*'|[^\s'])+/gu) ?? [];
  return parts.map((part) => part.replaceAll("'", ""));
}
