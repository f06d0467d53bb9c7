/** `location ~ ^/item/(\d+)$ { proxy_pass http://shop/i/$1$is_args$args; }`: the path is rewritten. */

import type { Data } from "../draft.ts";
import { wholeText } from "../expressions.ts";
import type { Condition } from "../conditions.ts";
import type { NginxContext } from "./context.ts";
import type { Directive } from "./parse.ts";

/** The line without its path, and what is done to the path. Undefined: its address is none of that kind. */
export function capturedPass(
  directive: Directive,
  { path }: Condition,
  { draft }: NginxContext,
): { readonly directive: Directive; readonly rewrite: Data } | undefined {
  const pattern = patternOf(path);
  const [, base = "", text = "", query] =
    /^(https?:\/\/[^/$?]+)(\/[^?]*?)(\?\$args|\?\$query_string|\$is_args\$args)?$/u.exec(
      directive.args[0] ?? "",
    ) ?? [];
  if (pattern === undefined || !text.includes("$")) return undefined;
  const to = withGroupNumbers(text, pattern);
  if (to === undefined || /\$[a-z{]/u.test(to)) return undefined;
  if (query === undefined) draft.lost(directive.at, "the query goes along, nginx leaves it out");
  return { directive: { ...directive, args: [base] }, rewrite: { regex: wholeText(pattern), to } };
}

/** The one expression that a path is known by, if its groups are counted from its beginning. */
export function patternOf(path: unknown): string | undefined {
  const [first, ...others] = (path ?? []) as readonly string[];
  if (first?.startsWith("~") !== true || others.length > 0) return undefined;
  const pattern = first.slice(1).trim();
  return pattern.startsWith("^(?=") ? undefined : pattern;
}

/** With numbers in place of names; $scheme and $host stay. Undefined: it asks for anything else. */
export function withGroupNumbers(text: string, pattern: string): string | undefined {
  const names = namedGroups(pattern);
  let isKnown = true;
  const to = text.replace(/\$(?:\{(\w+)\}|(\w+))/gu, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    if (/^(?:scheme|host|http_host)$/u.test(name)) return whole;
    const group = /^[1-9]$/u.test(name) ? Number(name) : names.get(name);
    if (group === undefined) isKnown = false;
    return `$${group}`;
  });
  return isKnown ? to : undefined;
}

/** Numbers of the groups that have a name. */
function namedGroups(pattern: string): Map<string, number> {
  const names = new Map<string, number>();
  let count = 0;
  const parts = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:<([A-Za-z]\w*)>|.))?/gsu;
  for (const [whole, name] of pattern.matchAll(parts)) {
    if (name !== undefined || whole === "(") count++;
    if (name !== undefined) names.set(name, count);
  }
  return names;
}
