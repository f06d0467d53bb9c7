/** `if (…)` as a condition of routes. Source: nginx, ngx_http_rewrite_module. */

import { ALWAYS, type Condition, type Term, type When } from "../conditions.ts";
import { ecmascript, literal } from "../expressions.ts";
import type { Directive } from "./parse.ts";

/** Undefined: routes have no such condition; empty: it never holds. */
export function whenOfIf({ args }: Directive, tls: boolean): When[] | undefined {
  const text = args.join(" ").replace(/^\(\s*|\s*\)$/gu, "");
  const [, name, operator = "", value = ""] =
    /^\$(\w+)(?:\s*(!?=|!?~\*?)\s*(.*))?$/su.exec(text) ?? [];
  if (name === undefined) return undefined;
  const isNot = operator.startsWith("!");
  const how = operator.replace("!", "");
  const terms = termsOf(name, how, value.replace(/^["'](.*)["']$/su, "$1"), tls);
  if (terms.includes(undefined)) return undefined;
  if (terms.includes("true")) return isNot ? [] : [ALWAYS];
  const found = terms.filter((term) => typeof term === "object");
  return isNot ? [{ all: {}, except: found }] : found.map((all) => ({ all, except: [] }));
}

/** `$1` behind it is not of the path: it is of this expression, and empty where that has no such group or was not found. */
export function setsGroups({ args }: Directive): boolean {
  const [, name = "", operator] = /^\(?\s*\$(\w+)\s*(!?~)/u.exec(args.join(" ")) ?? [];
  if (operator === undefined) return false;
  return operator === "!~" || !/^(?:uri|document_uri|request_uri)$/u.test(name);
}

/** `how`: `=`, `~`, `~*`. One of them is enough. */
export function termsOf(name: string, how: string, value: string, tls: boolean): readonly Term[] {
  const pattern = how.startsWith("~") ? ecmascript(value) : undefined;
  if (how.startsWith("~") && pattern === undefined) return [undefined];
  const regex = how === "~*" ? `(?i:${pattern})` : pattern;
  return namedTerms(name, how, { value, regex }) ?? [termOf(name, how, { value, regex }, tls)];
}

function termOf(name: string, how: string, { value, regex }: Compared, tls: boolean): Term {
  if (name === "scheme" && how === "=")
    return value === (tls ? "https" : "http") ? "true" : "false";
  if (name === "https" && how === "") return tls ? "true" : "false";
  switch (name) {
    case "host":
      // That one is in lower case, whatever the client wrote, and has no port.
      return hostTerm(how, value, regex && `(?i:${withPort(regex)})`);
    case "http_host":
      return hostTerm(how, value, regex);
    case "request_method":
      return methodTerm(how, value);
    case "request_uri":
      if (how === "=") return uriTerm(value);
      return regex === undefined || isOfQuery(value) ? undefined : pathTerm(how, value, regex);
    case "uri":
    case "document_uri":
      return pathTerm(how, value, regex);
    case "remote_addr":
      return how === "=" ? { source: [value] } : undefined;
    default:
      return undefined;
  }
}

/** $request_uri has the query, too: what may be found there is no condition of the path. */
function isOfQuery(pattern: string): boolean {
  return !pattern.startsWith("^") || /[?$|]|[.\]][*+]/u.test(pattern);
}

/** `/shop?id=7`. Without a query it is the path, whatever is asked of it. */
function uriTerm(value: string): Term {
  const [path = "", ...rest] = value.split("?");
  if (rest.length === 0) return { path: [path] };
  const pairs = rest.join("?").split("&");
  const query = new Map(
    pairs.map((pair): [string, string] => {
      const [name = "", ...text] = pair.split("=");
      return [name, text.join("=")];
    }),
  );
  if (query.size < pairs.length || query.has("") || /[%+]/u.test(value)) return undefined;
  const exact = [...query].map(([name, text]) => [name, { exact: text }]);
  return { path: [path], query: Object.fromEntries(exact) };
}

function pathTerm(how: string, value: string, regex: string | undefined): Term {
  if (how === "=") return { path: [value] };
  return regex === undefined ? undefined : { path: [`~ ${regex}`] };
}

/** An expression of a name, for the Host header. */
export function withPort(pattern: string): string {
  return pattern.replace(/(?<!\\)\$/gu, "(?::[0-9]+)?$");
}

function hostTerm(how: string, value: string, regex: string | undefined): Term {
  if (how === "=") return { host: [value.toLowerCase()] };
  return regex === undefined ? undefined : { headers: { Host: { regex } } };
}

function methodTerm(how: string, value: string): Condition | undefined {
  if (how === "=") return { method: [value] };
  const list = /^\^?\(?([A-Z]+(?:\|[A-Z]+)*)\)?\$?$/u.exec(value)?.[1];
  return list === undefined || !how.startsWith("~") ? undefined : { method: list.split("|") };
}

const SECTIONS: Readonly<Record<string, string>> = {
  arg: "query",
  cookie: "cookies",
  http: "headers",
};

interface Compared {
  readonly value: string;
  readonly regex: string | undefined;
}

/** Neither empty nor 0. */
const TRUE = "^(?!0$)[^]";

/** Undefined: it is no variable of that kind. What is missing is an empty text there. */
function namedTerms(
  variable: string,
  how: string,
  { value, regex }: Compared,
): readonly Condition[] | undefined {
  const [, kind = "", rest = ""] = /^(arg|cookie|http)_(\w+)$/u.exec(variable) ?? [];
  const section = SECTIONS[kind];
  if (section === undefined || variable === "http_host") return undefined;
  const name = kind === "http" ? rest.replaceAll("_", "-") : rest;
  const pattern = how === "" ? TRUE : (regex ?? `^${literal(value)}$`);
  const isMissing = new RegExp(pattern, "u").test("");
  return [{ regex: pattern }, ...(isMissing ? [false] : [])].map((match) => ({
    [section]: { [name]: match },
  }));
}
