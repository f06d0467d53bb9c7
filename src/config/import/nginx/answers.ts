/** `return` and `rewrite`. Source: nginx, ngx_http_rewrite_module. */

import type { Place } from "../../diagnostic.ts";
import type { Data, Draft } from "../draft.ts";
import { ecmascript, wholeText } from "../expressions.ts";
import type { Condition } from "../conditions.ts";
import { patternOf, withGroupNumbers } from "./captures.ts";
import type { NginxContext } from "./context.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { templateOf } from "./variables.ts";

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface ReturnPlace {
  readonly scope: Scope;
  /** Of its requests. */
  readonly when: Condition;
}

/** Undefined: it cannot be carried over; that was told. */
export function returnTarget(
  { args, at }: Directive,
  { scope, when }: ReturnPlace,
  { draft }: NginxContext,
): Data | undefined {
  const [first = "", text] = args;
  const status = /^\d{3}$/u.test(first) ? Number(first) : 302;
  const value = /^\d{3}$/u.test(first) ? text : first;
  if (REDIRECTS.includes(status) && value !== undefined) {
    const location = templateOf(value);
    if (location !== undefined) return { redirect: { location, status } };
    const changed = capturedRedirect(value, when, status);
    if (changed !== undefined) return changed;
    draft.lost(at, "Nines does not know this address: these requests get 501");
    return { respond: 501 };
  }
  if (status === 444) {
    draft.lost(at, "the connection is not closed without an answer: these requests get 403");
    return { respond: 403 };
  }
  if (status < 200 || status > 599) return { respond: 501 };
  if (value === undefined) return { respond: status };
  const body = templateOf(value);
  if (body === undefined || body.includes("${")) {
    draft.lost(at, "an answer is a fixed text: variables stay empty");
  }
  const type = scope.value("default_type");
  return { respond: { status, body: value.replace(/\$\{?\w+\}?/gu, ""), type } };
}

export type Rewritten =
  | { readonly redirect: Data; readonly path: string }
  | { readonly rewrite: Data; readonly path: string; readonly flag: string }
  | undefined;

/** Undefined: it cannot be carried over; that was told. */
export function rewritten({ args, at }: Directive, { draft }: NginxContext): Rewritten {
  const [pattern = "", replacement = "", flag = ""] = args;
  const regex = ecmascript(pattern);
  if (regex === undefined) {
    draft.lost(at, "the expression is not one of ECMAScript");
    return undefined;
  }
  const isAddress = /^(?:https?:\/\/|\$scheme)/u.test(replacement);
  if (isAddress || flag === "permanent" || flag === "redirect") {
    const status = flag === "permanent" ? 301 : 302;
    const location = redirectText(pattern, replacement);
    if (location === undefined) {
      const changed = changedRedirect(regex, replacement, status);
      if (changed === undefined) draft.lost(at, "Nines does not know this address");
      return changed && { redirect: changed, path: `~ ${regex}` };
    }
    const redirect = { location: withQuery(location, replacement, at, draft), status };
    return { redirect: { redirect }, path: `~ ${regex}` };
  }
  const plain = replacement.replace(/\?$/u, "");
  if (/\$[a-z{]/iu.test(plain)) {
    draft.lost(at, "a rewrite knows only $1 and the like");
    return undefined;
  }
  if (plain !== replacement) draft.lost(at, "the query goes along, nginx leaves it out");
  return { rewrite: { regex: wholeText(regex), to: plain }, path: `~ ${regex}`, flag };
}

/** `$1` is of the expression that its requests are known by. */
function capturedRedirect(value: string, { path }: Condition, status: number): Data | undefined {
  const pattern = patternOf(path);
  const [, text = "", query] = /^([^?]*?)(\$is_args\$(?:args|query_string))?$/u.exec(value) ?? [];
  const to = pattern === undefined ? undefined : withGroupNumbers(text, pattern);
  if (pattern === undefined || to === undefined) return undefined;
  return changedRedirect(pattern, query === undefined ? `${to}?` : to, status);
}

/** `https://www.example/new/$1`: the path is rewritten, and the address has the rest. */
function changedRedirect(regex: string, replacement: string, status: number): Data | undefined {
  const [, before = "", to = "", isBare] =
    /^(https?:\/\/[^/$]+|\$scheme:\/\/\$(?:http_)?host)?((?:\/|\$[1-9])[^?]*?)(\?)?$/u.exec(
      replacement,
    ) ?? [];
  const base = templateOf(before);
  if (base === undefined || to === "" || /\$[a-z{]/iu.test(to)) return undefined;
  const location = `${base}\${${isBare === undefined ? "uri" : "path"}}`;
  return { redirect: { location, status }, rewrite: { regex: wholeText(regex), to } };
}

/** nginx adds the query of the request, unless the new address ends with a question mark. */
function withQuery(location: string, replacement: string, at: Place, draft: Draft): string {
  if (/\$\{(?:uri|query|search)\}/u.test(location) || replacement.endsWith("?")) return location;
  if (!location.includes("?")) return `${location}\${search}`;
  draft.lost({ ...at, text: `the query in ${at.text}` }, "it is not added to the new address");
  return location;
}

/** With all of the path taken by one group, the address is that of the request. */
function redirectText(pattern: string, replacement: string): string | undefined {
  const text = replacement.replace(/\?$/u, "");
  const all = { "^(.*)$": "$1", "(.*)": "$1", "^(.*)": "$1", "^/(.*)$": "/$1", "^/(.*)": "/$1" }[
    pattern
  ];
  const isAll = all !== undefined && text.endsWith(all) && !replacement.endsWith("?");
  return templateOf(isAll ? `${text.slice(0, -all.length)}$request_uri` : text);
}
