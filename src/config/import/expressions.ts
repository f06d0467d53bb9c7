/** Expressions of PCRE as expressions of ECMAScript with the flag u. */

import { KINDS } from "../service/schema/kinds.ts";

/** `[[:digit:]]` */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  blank: " \\t",
  digit: "0-9",
  lower: "a-z",
  space: "\\s",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

/** The text itself as an expression. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/gu, (c) => `\\${c}`);
}

/** Undefined: ECMAScript does not read it. */
export function ecmascript(pattern: string): string | undefined {
  // PCRE's `(?i)` at the beginning holds for all that follows.
  const [, flags, body] = /^(?:\(\?([ims]+)\))?(.*)$/su.exec(pattern)!;
  const plain = body!
    // Escapes that the flag u does not know. A bare hyphen would be a range within a class.
    .replace(/\\([^])/gu, (pair, c: string) => {
      if (c === "-") return "\\x2d";
      return "/_:;,\"'<>=!@#%&~` ".includes(c) ? c : pair;
    })
    .replace(/\[:(\w+):\]/gu, (posix, name: string) => CLASSES[name] ?? posix);
  const text = flags === undefined ? plain : `(?${flags}:${plain})`;
  return KINDS.regex.convert(text).ok ? text : undefined;
}

/** HAProxy and nginx replace the whole path when the expression is found in it. */
export function wholeText(regex: string): string {
  const isAnchored = regex.startsWith("^") && !regex.includes("|");
  const isWhole = /(?<!\\)(?:\$|\(\.\*\))$/u.test(regex) && !regex.includes("|");
  const inner = isAnchored ? regex : `^[^]*?(?:${regex})`;
  return isWhole ? inner : `${inner}[^]*$`;
}
