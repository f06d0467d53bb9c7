/** Conditions of routes and what can be said with them: and, or, not. */

/** Keys of a route as a user writes them; `{}` always holds. Lists are alternatives. */
export type Condition = Readonly<Record<string, unknown>>;

/** Undefined: routes have no such condition. */
export type Term = Condition | "true" | "false" | undefined;

import { parseIp } from "../../lib/ip-address.ts";
import { literal } from "./expressions.ts";

/** A condition with exceptions: routes for those stand before. */
export interface When {
  readonly all: Condition;
  readonly except: readonly Condition[];
}

export const ALWAYS: When = { all: {}, except: [] };

/** `headers`, `cookies` and `query` are maps of names. */
const NAMED: readonly string[] = ["headers", "cookies", "query"];

/**
 * The opposite, where routes can say it: they know "is there" and "is not there". Everything else
 * is said by a route before, see `When`.
 */
export function negation(term: Term): Term {
  if (term === undefined) return undefined;
  if (term === "true") return "false";
  if (term === "false") return "true";
  const [[key, value] = ["", undefined], ...more] = Object.entries(term);
  if (typeof value === "boolean" && more.length === 0) return { [key]: !value };
  const [[name, match] = ["", undefined], ...others] = NAMED.includes(key)
    ? Object.entries(value as Record<string, unknown>)
    : [];
  if (more.length + others.length > 0 || (match !== "*" && match !== false)) return undefined;
  return { [key]: { [name]: match === "*" ? false : "*" } };
}

/** `/x`, `/x*` and `~ x` as expressions. */
function expressionOfPath(path: string): string {
  if (path.startsWith("~")) return path.slice(1).trim();
  return path.endsWith("*") ? `^${literal(path.slice(0, -1))}` : `^${literal(path)}$`;
}

/** One of both: only lists of the same key can say it. */
export function disjunction(a: Term, b: Term): Term {
  if (a === "true" || b === "true") return "true";
  if (a === "false") return b;
  if (b === "false") return a;
  if (a === undefined || b === undefined) return undefined;
  const [keyA, keyB] = [Object.keys(a)[0]!, Object.keys(b)[0]!];
  const [listA, listB] = [a[keyA], b[keyB]];
  const isOne = Object.keys(a).length === 1 && Object.keys(b).length === 1;
  if (!isOne || keyA !== keyB || !Array.isArray(listA) || !Array.isArray(listB)) return undefined;
  return { [keyA]: [...new Set([...(listA as unknown[]), ...(listB as unknown[])])] };
}

export function conjunction(terms: readonly Term[]): Term {
  let result: Term = "true";
  for (const term of terms) {
    if (term === undefined) return undefined;
    if (term === "false" || result === "false") result = "false";
    else if (result === "true") result = term;
    else if (term !== "true" && result !== undefined) result = both(result, term);
    if (result === undefined) return undefined;
  }
  return result;
}

export function sameCondition(a: Condition, b: Condition): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** Whoever is the first is the second as well, as far as can be told. */
export function implies(inner: Condition, outer: Condition): boolean {
  const entries = Object.entries(outer);
  // Most are told apart by what they ask for at all.
  if (entries.some(([key]) => inner[key] === undefined)) return false;
  return entries.every(([key, value]) => {
    const own = inner[key];
    if (own === value) return true;
    return JSON.stringify(bothValues(key, own, value)) === JSON.stringify(own);
  });
}

function sorted(condition: Condition): unknown {
  return Object.entries(condition).sort(([a], [b]) => (a < b ? -1 : 1));
}

function both(a: Condition, b: Condition): Term {
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const merged = result[key] === undefined ? value : bothValues(key, result[key], value);
    if (merged === undefined) return undefined;
    if (Array.isArray(merged) && merged.length === 0) return "false";
    result[key] = merged;
  }
  return hostsFit(result) ? result : "false";
}

/** Whether one of the hosts has what an expression looks for in the Host header. */
function hostsFit({ host, headers }: Record<string, unknown>): boolean {
  const [, match] =
    Object.entries((headers ?? {}) as Record<string, { regex?: string }>).find(
      ([name]) => name.toLowerCase() === "host",
    ) ?? [];
  if (!Array.isArray(host) || match?.regex === undefined) return true;
  const pattern = new RegExp(match.regex, "u");
  return (host as string[]).some((one) => one.startsWith("*") || pattern.test(one));
}

function bothValues(key: string, a: unknown, b: unknown): unknown {
  if (a === b || JSON.stringify(a) === JSON.stringify(b)) return a;
  if (NAMED.includes(key)) return bothNamed(key, a as NamedMatches, b as NamedMatches);
  if (typeof a === "boolean") return [];
  if (key === "path") return bothPaths(a as string[], b as string[]);
  if (key === "method") return (a as string[]).filter((one) => (b as string[]).includes(one));
  if (key === "host") return narrower(a as string[], b as string[], isHostIn);
  if (key === "source") return narrower(a as string[], b as string[], isSourceIn);
  const isExact = [...(a as string[]), ...(b as string[])].every((one) => !/[*/]/u.test(one));
  return isExact ? (a as string[]).filter((one) => (b as string[]).includes(one)) : undefined;
}

/** `*` and false: it is there, it is not there. */
type NamedMatches = Readonly<Record<string, unknown>>;

/** An empty list: no request is both. Undefined: routes ask once for a name, of which a request may have two values. */
function bothNamed(
  key: string,
  a: NamedMatches,
  b: NamedMatches,
): NamedMatches | readonly [] | undefined {
  const result: Record<string, unknown> = { ...a };
  for (const [name, match] of Object.entries(b)) {
    const own = Object.hasOwn(a, name) ? a[name] : undefined;
    if (own === undefined || (own === "*" && match !== false)) result[name] = match;
    else if (own === false || match === false) {
      if (own !== match) return [];
    } else if (match !== "*") {
      const both = bothMatches(own as TextMatch, match as TextMatch);
      if (both === "none" && comesOnce(key, name)) return [];
      if (both === undefined || both === "none") return undefined;
      result[name] = both;
    }
  }
  return result;
}

/** A request with two of them is refused. */
function comesOnce(key: string, name: string): boolean {
  return key === "headers" && name.toLowerCase() === "host";
}

/**
 * With those before it the condition asks for one value that is both. Of a request with two values of the name each
 * may be one of both.
 */
export function missesSecondValue(before: Condition, condition: Condition): boolean {
  return NAMED.some((key) => {
    const own = (before[key] ?? {}) as NamedMatches;
    return Object.entries((condition[key] ?? {}) as NamedMatches).some(([name, match]) => {
      const { regex } = match as TextMatch;
      if (regex === undefined || comesOnce(key, name)) return false;
      const other = Object.hasOwn(own, name) ? (own[name] as TextMatch).regex : undefined;
      const isKnown = other === undefined || other === regex || other.includes(ahead(regex));
      return regex.startsWith(BOTH) || !isKnown;
    });
  });
}

interface TextMatch {
  readonly exact?: string;
  readonly regex?: string;
}

/** "none": no text is both. Of what else is in a request with several values nothing is said. */
function bothMatches(a: TextMatch, b: TextMatch): TextMatch | "none" | undefined {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  const [exact, other] = a.exact === undefined ? [b.exact, a] : [a.exact, b];
  if (exact !== undefined) {
    if (other.exact !== undefined) return "none";
    if (other.regex === undefined) return undefined;
    return new RegExp(other.regex, "u").test(exact) ? { exact } : "none";
  }
  if (a.regex === undefined || b.regex === undefined) return undefined;
  if (a.regex.includes(ahead(b.regex))) return a;
  return {
    regex: a.regex.startsWith(BOTH)
      ? a.regex + ahead(b.regex)
      : `^${ahead(a.regex)}${ahead(b.regex)}`,
  };
}

/** How an expression begins that is made of two. */
const BOTH = "^(?=[^]*?";

function ahead(regex: string): string {
  return `(?=[^]*?(?:${regex}))`;
}

/** What is in both lists: of two of which one holds the other the smaller one. */
function narrower(
  a: readonly string[],
  b: readonly string[],
  isIn: (one: string, other: string) => boolean,
): string[] {
  const both = a.flatMap((one) =>
    b.flatMap((other) => (isIn(one, other) ? [one] : isIn(other, one) ? [other] : [])),
  );
  return [...new Set(both)];
}

/** `*.example.com` holds all below it. */
function isHostIn(host: string, other: string): boolean {
  return host === other || (other.startsWith("*") && host.endsWith(other.slice(1)));
}

function isSourceIn(source: string, other: string): boolean {
  if (source === other) return true;
  const [inner, outer] = [networkOf(source), networkOf(other)];
  if (inner === undefined || outer === undefined) return false;
  return inner.length >= outer.length && inner.startsWith(outer);
}

/** The bits that its addresses begin with, after the family. */
function networkOf(text: string): string | undefined {
  const [address = "", length] = text.split("/");
  const bytes = parseIp(address);
  if (bytes === undefined) return undefined;
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return `${bytes.length}:${bits.slice(0, length === undefined ? bits.length : Number(length))}`;
}

/** What is on both lists, else both looked for from the start. */
function bothPaths(a: readonly string[], b: readonly string[]): string[] {
  const met = a.flatMap((one) => b.map((other) => bothOf(one, other)));
  if (!met.includes(undefined)) return [...new Set(met.filter((one) => one !== ""))] as string[];
  if (a.every((one) => b.some((other) => isWithin(one, other)))) return [...a];
  if (b.every((one) => a.some((other) => isWithin(one, other)))) return [...b];
  const ahead = (paths: readonly string[]): string => {
    const all = paths
      .map(expressionOfPath)
      .map((one) => (one.startsWith("^") ? one.slice(1) : `[^]*(?:${one})`));
    return `(?=${all.length === 1 ? all[0] : `(?:${all.join("|")})`})`;
  };
  return [`~ ^${ahead(a)}${ahead(b)}`];
}

/** "": no path is both. Undefined: only the request tells. */
function bothOf(a: string, b: string): string | undefined {
  if (isWithin(a, b)) return a;
  if (isWithin(b, a)) return b;
  const [pattern, other] = a.startsWith("~") ? [a, b] : [b, a];
  if (!pattern.startsWith("~")) return "";
  const isExact = !other.startsWith("~") && !other.endsWith("*");
  if (!isExact) return undefined;
  return new RegExp(expressionOfPath(pattern), "u").test(other) ? other : "";
}

function isWithin(inner: string, outer: string): boolean {
  if (inner === outer) return true;
  if (!outer.endsWith("*") || outer.startsWith("~")) return false;
  const start = outer.slice(0, -1);
  if (!inner.startsWith("~")) return inner.replace(/\*$/u, "").startsWith(start);
  const expression = expressionOfPath(inner);
  return expression.startsWith(`^${literal(start)}`) && !expression.includes("|");
}
