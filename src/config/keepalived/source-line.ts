/** One line of a configuration on its way through the reader, and the words it consists of. */

import type { Findings, Place } from "../diagnostic.ts";

/** A line after comments were removed and parameters replaced; it still knows where it was. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Column (from 1) of each character in the file; absent: character i is at column i + 1. */
  readonly columns?: readonly number[];
}

/** A word with its quotes removed. Braces that open or close blocks are words of their own. */
export interface Word extends Place {
  readonly quoted: boolean;
  readonly brace: boolean;
}

function columnOf(line: SourceLine, index: number): number {
  if (line.columns === undefined) return index + 1;
  return line.columns[Math.min(index, line.columns.length - 1)] ?? 1;
}

/** Replaces `[from, to)` by `by`; the new characters point at where the old ones began. */
export function splice(line: SourceLine, from: number, to: number, by: string): SourceLine {
  const old = line.columns ?? Array.from({ length: line.text.length }, (_, i) => i + 1);
  const here = old[from] ?? line.text.length + 1;
  const columns = [
    ...old.slice(0, from),
    ...Array.from({ length: by.length }, () => here),
    ...old.slice(to),
  ];
  const text = line.text.slice(0, from) + by + line.text.slice(to);
  return { ...line, text, columns };
}

export function cut(line: SourceLine, from: number, to: number = line.text.length): SourceLine {
  const columns = (line.columns ?? Array.from({ length: line.text.length }, (_, i) => i + 1)).slice(
    from,
    to,
  );
  return { ...line, text: line.text.slice(from, to), columns };
}

/**
 * Where the comment starts, or the length of the text. `#` and `!` start one anywhere outside
 * double quotes, even inside a word, unless a backslash precedes (keepalived.conf(5)).
 */
export function commentStart(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "\\") i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "#" || c === "!")) return i;
  }
  return text.length;
}

/** Splits a line into words; complains about a quote that is never closed. */
export function splitWords(line: SourceLine, findings: Findings): Word[] {
  const words: Word[] = [];
  let i = 0;
  while (i < line.text.length) {
    if (isSpace(line.text[i]!)) {
      i++;
      continue;
    }
    const next = isBrace(line.text, i) ? i + 1 : wordEnd(line, i, findings);
    words.push(wordAt(line, i, next));
    i = next;
  }
  return words;
}

function wordAt(line: SourceLine, from: number, to: number): Word {
  const raw = line.text.slice(from, to);
  const brace = (raw === "{" || raw === "}") && to === from + 1;
  const quoted = raw.startsWith('"') || raw.startsWith("'") || raw.includes('"');
  const column = columnOf(line, from);
  return {
    file: line.file,
    line: line.line,
    column,
    text: quoted ? unquote(raw) : raw.replace(/\\([#!])/g, "$1"),
    quoted,
    brace,
  };
}

function isSpace(c: string): boolean {
  return c === " " || c === "\t" || c === "\r" || c === "\n" || c === "\f" || c === "\v";
}

/** A brace is one unless it belongs to a `${NAME}` that stayed because NAME is not defined. */
function isBrace(text: string, i: number): boolean {
  return text[i] === "{" || text[i] === "}";
}

function wordEnd(line: SourceLine, start: number, findings: Findings): number {
  const { text } = line;
  let quote = "";
  let parameter = false;
  for (let i = start; i < text.length; i++) {
    const c = text[i]!;
    if (c === "\\" && quote !== "'") i++;
    else if (quote !== "") quote = c === quote ? "" : quote;
    else if (c === '"' || (c === "'" && i === start)) quote = c;
    else if (c === "$" && text[i + 1] === "{") parameter = true;
    else if (c === "}" && parameter) parameter = false;
    else if (!parameter && (isSpace(c) || isBrace(text, i))) return i;
  }
  if (quote !== "") {
    const at = { file: line.file, line: line.line, column: columnOf(line, start), text: quote };
    findings.error(
      at,
      `the quote ${quote} is never closed on this line`,
      `add the second ${quote}`,
    );
  }
  return text.length;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  E: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Removes quotes and resolves the escapes of keepalived.conf(5), "Quoted strings". */
function unquote(raw: string): string {
  let out = "";
  let quote = "";
  for (let i = 0; i < raw.length; i++) {
    const c = raw[i]!;
    if (c === "\\" && quote === '"' && i + 1 < raw.length) {
      const escape = /^(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))/su.exec(raw.slice(i + 1))!;
      out += escapedCharacter(escape);
      i += escape[0].length;
    } else if (quote === "" && (c === '"' || (c === "'" && i === 0))) quote = c;
    else if (c === quote) quote = "";
    else out += c;
  }
  return out;
}

function escapedCharacter(match: RegExpExecArray): string {
  if (match[1] !== undefined) return String.fromCharCode(Number.parseInt(match[1], 16));
  if (match[2] !== undefined) return String.fromCharCode(Number.parseInt(match[2], 8) & 0xff);
  return ESCAPES[match[3]!] ?? match[3]!;
}
