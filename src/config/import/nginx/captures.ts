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
  const [first, ...others] = (path ?? []) as readonly string[];
  const [, base = "", text = "", query] =
    /^(https?:\/\/[^/$?]+)(\/[^?]*?)(\?\$args|\?\$query_string|\$is_args\$args)?$/u.exec(
      directive.args[0] ?? "",
    ) ?? [];
  if (first?.startsWith("~") !== true || others.length > 0 || !text.includes("$")) return undefined;
  const pattern = first.slice(1).trim();
  const names = namedGroups(pattern);
  let isKnown = true;
  const to = text.replace(/\$(?:\{(\w+)\}|(\w+))/gu, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    const group = /^[1-9]$/u.test(name) ? Number(name) : names.get(name);
    if (group === undefined) isKnown = false;
    return `$${group}`;
  });
  if (!isKnown) return undefined;
  if (query === undefined) draft.lost(directive.at, "the query goes along, nginx leaves it out");
  return { directive: { ...directive, args: [base] }, rewrite: { regex: wholeText(pattern), to } };
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
