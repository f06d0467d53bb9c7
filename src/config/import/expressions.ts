/** Expressions of PCRE as expressions of ECMAScript with the flag u. */

import { KINDS } from "../service/schema/kinds.ts";

/** The text itself as an expression. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/gu, (c) => `\\${c}`);
}

/** Undefined: ECMAScript does not read it. */
export function ecmascript(pattern: string): string | undefined {
  const [, ignoreCase, body] = /^(\(\?i\))?(.*)$/su.exec(pattern)!;
  // Escapes that the flag u does not know.
  const plain = body!.replace(/\\([-/_:;,"'<>=!@#%&~` ])/gu, "$1");
  const text = ignoreCase === undefined ? plain : `(?i:${plain})`;
  return KINDS.regex.convert(text).ok ? text : undefined;
}

/** HAProxy and nginx replace the whole path when the expression is found in it. */
export function wholeText(regex: string): string {
  const isAnchored = regex.startsWith("^") && !regex.includes("|");
  const isWhole = /(?<!\\)(?:\$|\(\.\*\))$/u.test(regex) && !regex.includes("|");
  const inner = isAnchored ? regex : `^[^]*?(?:${regex})`;
  return isWhole ? inner : `${inner}[^]*$`;
}
