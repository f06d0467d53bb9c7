/**
 * Files in, logical lines out: comments, continuation, `include`, `@id`, definitions, sequences
 * and parameters are all resolved here, so that the tree above sees words only.
 */

import type { Findings, Place } from "../diagnostic.ts";
import { directoryOf, Parameters, type Surroundings } from "./parameters.ts";
import { parseSequence } from "./sequence.ts";
import { commentStart, cut, type SourceLine } from "./source-line.ts";

/** The disk as the reader sees it; tests hand in a map. */
export interface ConfigurationFiles {
  /** Why a file cannot be read; absent: nobody knows. */
  trouble?(path: string): string | undefined;
  /** Text of the file, or undefined when it cannot be read. */
  readFile(path: string): string | undefined;
  /** Paths that match a shell pattern, sorted. */
  glob(pattern: string): readonly string[];
}

/** Deeper nesting than any real configuration has. */
const MOST_INCLUDES = 32;
/** Files that include others twice double with each level. */
const MOST_FILES = 10_000;
const MOST_LINES = 500_000;
/** Lines looked at while sequences and parameters unfold, also those that come to nothing. */
const MOST_STEPS = 3_000_000;
const DEEPEST_UNFOLDING = 100;

export class LineReader {
  readonly lines: SourceLine[] = [];
  /** Raw lines of every file read, for diagnostics. */
  readonly sources: Map<string, readonly string[]> = new Map();
  /** The same files as they are on disk. */
  readonly texts: Map<string, string> = new Map();
  readonly #files: ConfigurationFiles;
  readonly #around: Surroundings;
  readonly #findings: Findings;
  readonly #parameters: Parameters;
  readonly #open: string[] = [];
  #entered = 0;
  /** After a circle, which is told once, no file is entered again: their number explodes. */
  #isCircular = false;
  #definition: { name: string; values: string[] } | undefined;
  #steps = 0;
  #depth = 0;
  #full = false;

  constructor(files: ConfigurationFiles, around: Surroundings, findings: Findings) {
    this.#files = files;
    this.#around = around;
    this.#findings = findings;
    this.#parameters = new Parameters(around);
  }

  /** Reads a file and what it includes. False when the file itself cannot be read. */
  read(path: string): boolean {
    const text = this.#files.readFile(path);
    if (text === undefined) return false;
    this.texts.set(path, text);
    const raw = text.replace(/^\uFEFF/u, "").split(/\r?\n/u);
    this.sources.set(path, raw);
    this.#open.push(path);
    let pending: SourceLine | undefined;
    for (const [index, source] of raw.entries()) {
      const end = commentStart(source);
      const line = { file: path, line: index + 1, text: source.slice(0, end) };
      this.#warnAboutComment(line, source, end);
      pending = this.#physical(pending === undefined ? line : joined(pending, line));
    }
    if (pending !== undefined) this.#logical(cut(pending, 0, pending.text.trimEnd().length - 1));
    this.#endDefinition();
    this.#open.pop();
    return true;
  }

  /** `auth_pass ab#cd` loses its end without a word in keepalived. */
  #warnAboutComment(line: SourceLine, source: string, end: number): void {
    const value = /^\s*(?:auth_pass|key|script|misc_path|path|regex|notify\w*|password)\s+.*\S$/u;
    if (end === source.length || !value.test(line.text)) return;
    const at = { file: line.file, line: line.line, column: end + 1, text: source.slice(end) };
    const next = "put the value in double quotes, or a space before the comment";
    this.#findings.warn(at, `'${source[end]}' starts a comment in the middle of a word`, next);
  }

  /** One line of a file. Returns the line when it continues on the next one. */
  #physical(line: SourceLine): SourceLine | undefined {
    if (this.#definition !== undefined) {
      this.#addToDefinition(line);
      return undefined;
    }
    if (this.#startsDefinition(line)) return undefined;
    if (/\\\s*$/u.test(line.text)) return line;
    this.#logical(line);
    return undefined;
  }

  #startsDefinition(line: SourceLine): boolean {
    const text = this.#condition(line)?.text ?? "";
    const start = /^\s*\$([A-Za-z_]\w*)=(.*)\\\s*$/u.exec(text);
    if (start === null) return false;
    // Not in its manual, but keepalived takes text on the first line, as a line of its own.
    const first = start[2]!.trim();
    this.#definition = { name: start[1]!, values: first === "" ? [] : [first] };
    return true;
  }

  #addToDefinition(line: SourceLine): void {
    const goesOn = /\\\s*$/u.test(line.text);
    this.#definition!.values.push(line.text.replace(/\\\s*$/u, "").trim());
    if (!goesOn) this.#endDefinition();
  }

  #endDefinition(): void {
    if (this.#definition === undefined) return;
    const { name, values } = this.#definition;
    this.#parameters.define(name, values);
    this.#definition = undefined;
  }

  /** A line whose text is complete; whatever it unfolds into is bounded. */
  #logical(line: SourceLine): void {
    if (this.#full || line.text.trim() === "") return;
    this.#steps++;
    if (this.lines.length >= MOST_LINES || this.#steps > MOST_STEPS) {
      this.#full = true;
      this.#findings.error(whole(line), `the configuration has more than ${MOST_LINES} lines`);
    } else if (this.#depth >= DEEPEST_UNFOLDING) {
      this.#full = true;
      const reason = `parameters are nested more than ${DEEPEST_UNFOLDING} deep`;
      this.#findings.error(whole(line), reason, "does one contain itself?");
    } else {
      this.#depth++;
      this.#unfold(line);
      this.#depth--;
    }
  }

  /** Conditions, definitions, sequences, parameters, includes, in this order. */
  #unfold(line: SourceLine): void {
    const kept = this.#condition(line);
    if (kept === undefined) return;
    const definition = /^\s*\$([A-Za-z_]\w*)=(.*)$/su.exec(kept.text);
    if (definition !== null) {
      this.#parameters.define(definition[1]!, [definition[2]!.trim()]);
      return;
    }
    if (this.#sequence(kept)) return;
    const replaced = this.#parameters.replace(kept);
    if (replaced.kind === "lines") {
      for (const part of replaced.lines) this.#logical(part);
    } else if (replaced.changed && /^\s*[@~]/u.test(replaced.line.text)) {
      this.#logical(replaced.line);
    } else if (!this.#include(replaced.line) && replaced.line.text.trim() !== "") {
      this.lines.push(replaced.line);
    }
  }

  /** `@id` and `@^id`: the rest of the line, or undefined when it is not for this node. */
  #condition(line: SourceLine): SourceLine | undefined {
    const match = /^\s*@(\^?)(\S*)\s*/u.exec(line.text);
    if (match === null) return line;
    const wanted = (match[2] === this.#around.configId) !== (match[1] === "^");
    return wanted ? cut(line, match[0].length) : undefined;
  }

  #sequence(line: SourceLine): boolean {
    if (!/^\s*~[A-Z]/u.test(line.text)) return false;
    const end = line.text.indexOf(")") + 1;
    const head = this.#parameters.replace(cut(line, 0, end));
    const sequence = head.kind === "line" ? parseSequence(head.line.text) : undefined;
    if (typeof sequence === "string" || sequence === undefined) {
      const why = typeof sequence === "string" ? sequence : "this is not a known sequence";
      this.#findings.error(whole(line), why, "write ~SEQ(VAR, START, STEP, END) or ~LST(VAR, …)");
      return true;
    }
    for (const round of sequence.rounds) {
      for (const [name, value] of round) this.#parameters.define(name, [value]);
      this.#logical(cut(line, end));
    }
    return true;
  }

  #include(line: SourceLine): boolean {
    const match = /^(\s*)(include[rmwba]?)\s+(.*\S)\s*$/u.exec(line.text);
    if (match === null) return false;
    const pattern = match[3]!.replace(/^"(.*)"$/u, "$1");
    const index = line.text.lastIndexOf(match[3]!);
    const column = line.columns?.[index] ?? index + 1;
    const at = { file: line.file, line: line.line, column, text: match[3]! };
    const path = pattern.startsWith("/") ? pattern : `${directoryOf(line.file)}/${pattern}`;
    const isPattern = /[*?[{]/u.test(pattern);
    const found = isPattern ? this.#files.glob(path) : [path];
    const mustMatch = pattern.includes("{") ? /[wba]$/u : /[wa]$/u;
    if (found.length === 0 && mustMatch.test(match[2]!)) {
      this.#findings.error(at, `no file matches ${pattern}`, "check the path");
    }
    for (const file of found) this.#enter(file, at);
    return true;
  }

  #enter(file: string, at: Place): void {
    if (this.#isCircular && this.sources.has(file)) return;
    if (this.#open.includes(file)) {
      this.#isCircular = true;
      const chain = [...this.#open, file].join(" -> ");
      this.#findings.error(at, `${file} includes itself`, `the chain is ${chain}`);
    } else if (this.#open.length >= MOST_INCLUDES) {
      this.#findings.error(at, `includes are nested more than ${MOST_INCLUDES} deep`);
    } else if (++this.#entered > MOST_FILES) {
      this.#isCircular = true;
      this.#findings.error(at, `more than ${MOST_FILES} files are included`);
    } else if (!this.read(file)) {
      const next = "keepalived goes on without it; correct the path or drop the line";
      const severity = this.#around.permissive ? "warning" : "error";
      this.#findings.add(severity, at, `the included file ${file} cannot be read`, next);
    }
  }
}

/** `first` ends with a backslash: `second` goes on where it ends. */
function joined(first: SourceLine, second: SourceLine): SourceLine {
  const head = first.text.replace(/\\\s*$/u, " ");
  const columns = [
    ...Array.from(head, (_, i) => first.columns?.[i] ?? i + 1),
    ...Array.from(second.text, () => first.text.length),
  ];
  return { ...first, text: head + second.text, columns };
}

function whole(line: SourceLine): Place {
  const text = line.text.trim();
  const index = line.text.length - line.text.trimStart().length;
  return { file: line.file, line: line.line, column: line.columns?.[index] ?? index + 1, text };
}
