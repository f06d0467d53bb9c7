/** nginx.conf as a tree of directives. Source: nginx's beginner's guide and ngx_conf_file.c's rules. */

import type { Findings, Place } from "../../diagnostic.ts";
import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import { directoryOf } from "../../keepalived/parameters.ts";

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly at: Place;
  readonly block?: readonly Directive[];
  /** Of a block: the line that closes it. */
  readonly end: number;
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
  readonly column: number;
}

const MOST_INCLUDES = 32;
/** Files that include others twice double with each level. */
const MOST_FILES = 10_000;

/** Folders of files that nginx.conf, one above, includes. */
export const PARTS: RegExp = /\/(?:sites-\w+|(?:conf|http)\.d)$/u;
const DEEPEST = 32;

export interface NginxFiles {
  readonly files: ConfigurationFiles;
  readonly findings: Findings;
  /** What no file matches, told by whoever imports. */
  readonly missing: (at: Place, why: string) => void;
}

/** `include` is followed; paths begin where the main file is. */
export function parseNginx(path: string, source: string, around: NginxFiles): Directive[] {
  return new Parser(directoryOf(path), around).file(path, source, []);
}

class Parser {
  readonly #base: string;
  readonly #around: NginxFiles;
  #files = 0;
  readonly #seen = new Set<string>();
  /** After a circle, which is told once, no file is followed again: their number explodes. */
  #isCircular = false;

  constructor(base: string, around: NginxFiles) {
    this.#base = base;
    this.#around = around;
  }

  /** `outer`: the files that include this one, the main one first. */
  file(path: string, source: string, outer: readonly string[]): Directive[] {
    this.#seen.add(path);
    const reader = new FileReader(path, source, this.#around.findings);
    const directives = reader.read();
    return this.#unfold(directives, [...outer, path]);
  }

  #unfold(directives: readonly Directive[], files: readonly string[]): Directive[] {
    return directives.flatMap((directive) => {
      if (directive.name === "include") return this.#include(directive, files);
      if (directive.block === undefined) return [directive];
      return [{ ...directive, block: this.#unfold(directive.block, files) }];
    });
  }

  #include({ args, at }: Directive, outer: readonly string[]): Directive[] {
    const { files, findings, missing } = this.#around;
    if (outer.length > MOST_INCLUDES) {
      findings.error(at, `includes are nested more than ${MOST_INCLUDES} deep`);
      return [];
    }
    const found = this.#matching(args[0] ?? "");
    if (found.length === 0) missing(at, "no file matches here");
    return found.flatMap((file) => {
      if (this.#isCircular && this.#seen.has(file)) return [];
      if (outer.includes(file)) {
        this.#isCircular = true;
        findings.error(at, `${file} includes itself`, "take it out of the files that it names");
        return [];
      }
      if (++this.#files > MOST_FILES) {
        findings.error(at, `more than ${MOST_FILES} files are included`);
        return [];
      }
      const text = files.readFile(file);
      if (text !== undefined) return this.file(file, text, outer);
      if (!/(?:mime\.types|_params)$/u.test(file)) missing(at, "the file cannot be read here");
      else missing(at, "it is for what nginx serves itself");
      return [];
    });
  }

  /** Beside the file, or above it: `sites-enabled/shop` alone names files as nginx.conf does. */
  #matching(pattern: string): readonly string[] {
    const { files } = this.#around;
    const isPattern = /[*?[]/u.test(pattern);
    const own = pattern.startsWith("/") ? pattern : `${this.#base}/${pattern}`;
    const above = `${directoryOf(this.#base)}/${pattern}`;
    const isPart = !pattern.startsWith("/") && PARTS.test(this.#base);
    for (const path of isPart ? [own, above] : [own]) {
      const found = isPattern ? files.glob(path) : [path];
      if (isPattern ? found.length > 0 : files.readFile(path) !== undefined) return found;
    }
    return isPattern ? [] : [own];
  }
}

class FileReader {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #tokens: readonly Token[];
  readonly #findings: Findings;
  #next = 0;

  constructor(file: string, source: string, findings: Findings) {
    this.#file = file;
    this.#lines = source.split(/\r?\n/u);
    this.#findings = findings;
    this.#tokens = this.#scan(source);
  }

  read(): Directive[] {
    const directives = this.#level(0);
    const left = this.#tokens[this.#next];
    if (left !== undefined) this.#error(left, "'}' closes nothing", "remove it, or open a block");
    return directives;
  }

  #place({ line, column, text }: Token): Place {
    return { file: this.#file, line, column, text };
  }

  #error(token: Token, reason: string, next: string): void {
    this.#findings.error(this.#place(token), reason, next);
  }

  #level(depth: number): Directive[] {
    const directives: Directive[] = [];
    let words: Token[] = [];
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token === undefined || (token.text === "}" && !token.quoted)) {
        const [first] = words;
        if (first !== undefined) this.#error(first, `${first.text} has no ';'`, "add ';' after it");
        return directives;
      }
      this.#next++;
      if (token.quoted || (token.text !== ";" && token.text !== "{")) words.push(token);
      else {
        const directive = this.#directive(words, token, depth);
        if (directive !== undefined) directives.push(directive);
        words = [];
      }
    }
  }

  #directive(words: readonly Token[], end: Token, depth: number): Directive | undefined {
    const [name, ...args] = words;
    if (name === undefined) {
      this.#error(end, `'${end.text}' without a directive`, "remove it, or name the directive");
      if (end.text === "{") this.#body(end, depth);
      return undefined;
    }
    const text = words.map((word) => word.text).join(" ");
    const start = { name: name.text, args: args.map((word) => word.text) };
    // A value on a line of its own after a missing ';' is the usual mistake.
    const late = args.find((word) => word.line > name.line && /^[a-z_]+$/u.test(word.text));
    if (late !== undefined && end.text === ";" && isStart(this.#lines, late)) {
      this.#error(name, `${name.text} goes on to line ${late.line}`, "is a ';' missing?");
    }
    const at = { ...this.#place(name), text };
    if (end.text === ";") return { ...start, at, end: end.line };
    return { ...start, at, ...this.#body(end, depth) };
  }

  #body(open: Token, depth: number): { block: Directive[]; end: number } {
    if (depth >= DEEPEST) this.#error(open, `blocks are nested more than ${DEEPEST} deep`, "");
    const block = depth >= DEEPEST ? [] : this.#level(depth + 1);
    const close = this.#tokens[this.#next];
    if (close === undefined) this.#error(open, "this '{' is never closed", "add '}'");
    this.#next++;
    return { block, end: close?.line ?? this.#lines.length };
  }

  #scan(source: string): Token[] {
    const tokens: Token[] = [];
    let line = 1;
    let start = 0;
    // A comment; a quoted text; a mark; a word, in which ${name} has braces.
    const pattern =
      /\n|#[^\n]*|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|[;{}]|(?:\$\{\w*\}|\\[^]|[^\s;{}"'\\])(?:\$\{\w*\}|\\[^]|[^\s;{}\\])*/gu;
    for (let match = pattern.exec(source); match !== null; match = pattern.exec(source)) {
      const { 0: text, index } = match;
      if (text === "\n") {
        line++;
        start = index + 1;
      } else if (!text.startsWith("#")) {
        const quoted = /^["']/u.test(text);
        const plain = quoted ? unquoted(text) : text;
        const isCode = text === "{" && tokens.at(-1)?.text.endsWith("_by_lua_block") === true;
        tokens.push({ text: plain, quoted, line, column: index - start + 1 });
        const breaks = text.split("\n").length - 1;
        if (breaks > 0) {
          line += breaks;
          start = index + text.lastIndexOf("\n") + 1;
        }
        if (isCode) {
          pattern.lastIndex = codeEnd(source, pattern.lastIndex);
          const code = source.slice(index, pattern.lastIndex);
          line += code.split("\n").length - 1;
          if (code.includes("\n")) start = index + code.lastIndexOf("\n") + 1;
        }
      }
    }
    return tokens;
  }
}

/** Where the brace stands that ends a program of Lua: comments and texts of it may have others. */
function codeEnd(source: string, from: number): number {
  const pattern =
    /--\[\[[^]*?\]\]|--[^\n]*|\[\[[^]*?\]\]|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|[{}]/gu;
  pattern.lastIndex = from;
  let depth = 0;
  for (let match = pattern.exec(source); match !== null; match = pattern.exec(source)) {
    if (match[0] === "{") depth++;
    else if (match[0] === "}" && depth-- === 0) return match.index;
  }
  return source.length;
}

function isStart(lines: readonly string[], { line, column }: Token): boolean {
  return (lines[line - 1] ?? "").slice(0, column - 1).trim() === "";
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\([^])/gu, (whole, c: string) => {
    return ESCAPES[c] ?? (/["'\\]/u.test(c) ? c : whole);
  });
}
