/** haproxy.cfg as sections of lines of words. Source: HAProxy's configuration manual, section 2. */

import { parseDuration } from "../../service/schema/kinds.ts";
import type { Place } from "../../diagnostic.ts";
import { currentWords } from "./old-words.ts";

export interface Line {
  readonly at: Place;
  readonly words: readonly string[];
}

export interface Section {
  /** `frontend`, `backend`, `listen`, `defaults`, `global` and rarer ones. */
  readonly kind: string;
  readonly name: string;
  /** Words after the name. */
  readonly words: readonly string[];
  readonly at: Place;
  readonly lines: Line[];
}

const KINDS: ReadonlySet<string> = new Set([
  "backend",
  "cache",
  "crt-store",
  "defaults",
  "fcgi-app",
  "frontend",
  "global",
  "http-errors",
  "listen",
  "log-forward",
  "log-profile",
  "mailers",
  "peers",
  "program",
  "resolvers",
  "ring",
  "traces",
  "userlist",
]);

/** `outside`: lines before the first section, which HAProxy refuses. */
export function parseSections(
  file: string,
  source: string,
): { readonly sections: Section[]; readonly outside: Line[] } {
  const sections: Section[] = [];
  const outside: Line[] = [];
  const variables = new Map<string, string>();
  for (const [index, text] of source.split(/\r?\n/u).entries()) {
    const words = splitWords(text, variables);
    const [first, name = "", ...rest] = words;
    if (first === undefined) continue;
    if (first === "setenv" || (first === "presetenv" && !variables.has(name))) {
      variables.set(name, rest[0] ?? "");
    }
    const column = text.length - text.trimStart().length + 1;
    const at = { file, line: index + 1, column, text: text.trim() };
    if (KINDS.has(first)) sections.push({ kind: first, name, words: rest, at, lines: [] });
    else (sections.at(-1)?.lines ?? outside).push({ at, words: currentWords(words) });
  }
  return { sections, outside };
}

/** Other backslashes stay what they are: those of expressions. */
const ESCAPES: Readonly<Record<string, string>> = {
  " ": " ",
  '"': '"',
  "#": "#",
  $: "$",
  "'": "'",
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
};

const VARIABLE = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:-([^}]*))?\})/u;

/** Quotes, backslashes and `$NAME` as in section 2.2; `#` starts a comment between words. */
export function splitWords(text: string, variables: ReadonlyMap<string, string>): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "\\" && quote !== "'") {
      const next = text[++i] ?? "";
      word = (word ?? "") + (ESCAPES[next] ?? `\\${next}`);
    } else if (quote !== "") {
      if (c === quote) quote = "";
      else if (c === "$" && quote === '"') {
        const [whole, bare, braced, other] = VARIABLE.exec(text.slice(i)) ?? ["$"];
        const name = bare ?? braced;
        const open = `\${${name}${other === undefined ? "" : `:-${other}`}}`;
        word = (word ?? "") + (name === undefined ? "$" : (variables.get(name) ?? open));
        i += whole.length - 1;
      } else word = (word ?? "") + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= "";
    } else if (c === "#") break;
    else if (/\s/u.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + c;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The lines of one proxy, those of its defaults first. Whoever uses a line takes it. */
export class Bag {
  readonly lines: readonly Line[];
  readonly #taken: Set<Line>;
  readonly #inherited: number;

  /**
   * `taken` is shared by all bags: a line of `defaults` is used when one proxy uses it. `inherited`: so many of
   * the lines are from there.
   */
  constructor(lines: readonly Line[], taken: Set<Line>, inherited = 0) {
    this.lines = lines;
    this.#taken = taken;
    this.#inherited = inherited;
  }

  /** Every line that begins with these words, in order. */
  all(...start: readonly string[]): Line[] {
    const found = this.lines.filter(({ words }) => start.every((word, i) => words[i] === word));
    for (const line of found) this.#taken.add(line);
    return found;
  }

  /** Those of the proxy itself, which replace those of its defaults. */
  allOwn(...start: readonly string[]): Line[] {
    const isSuch = ({ words }: Line): boolean => start.every((word, i) => words[i] === word);
    const own = this.lines.slice(this.#inherited).filter(isSuch);
    const found = own.length > 0 ? own : this.lines.filter(isSuch);
    for (const line of found) this.#taken.add(line);
    return found;
  }

  /** The last line that begins with these words; undefined when there is none, or a `no` after it. */
  lastLine(...start: readonly string[]): Line | undefined {
    const yes = this.all(...start).at(-1);
    const no = this.all("no", ...start).at(-1);
    if (yes === undefined) return undefined;
    const isOff = no !== undefined && this.lines.indexOf(no) > this.lines.indexOf(yes);
    return isOff ? undefined : yes;
  }

  /** Its words after the start. */
  last(...start: readonly string[]): readonly string[] | undefined {
    return this.lastLine(...start)?.words.slice(start.length);
  }

  has(...start: readonly string[]): boolean {
    return this.last(...start) !== undefined;
  }

  isTaken(line: Line): boolean {
    return this.#taken.has(line);
  }
}

/** Milliseconds of `2000`, `5s`, `1m`, `100us` (section 2.5). */
export function timeMs(text: string | undefined): number | undefined {
  const [whole, unit] = /^\d+(us|ms|s|m|h|d)?$/u.exec(text ?? "") ?? [];
  if (whole === undefined) return undefined;
  return unit === undefined ? Number(whole) : parseDuration(whole);
}

/** `50000`, `200k`, `1m` (stick tables). */
export function countOf(text: string | undefined): number | undefined {
  const [, number, unit = ""] = /^(\d+)([kmg]?)$/iu.exec(text ?? "") ?? [];
  if (number === undefined) return undefined;
  return Number(number) * ({ "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? 1);
}
