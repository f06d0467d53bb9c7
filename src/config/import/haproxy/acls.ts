/** Conditions of HAProxy as conditions of routes. Source: configuration manual, section 7. */

import {
  ALWAYS,
  type Condition,
  conjunction,
  disjunction,
  negation,
  type Term,
  type When,
} from "../conditions.ts";
import { criterion } from "./criteria.ts";
import type { Line } from "./lines.ts";

export interface AclContext {
  readonly acls: ReadonlyMap<string, readonly Line[]>;
  /** Names of those that a rule used. */
  readonly used: Set<string>;
  /** Whether the frontend has TLS. */
  readonly tls: boolean;
  /** Which of its clients show a certificate. */
  readonly certificates: "none" | "some" | "all";
  /** Ports that it listens on. */
  readonly ports: readonly number[];
  /** Lists of patterns. */
  readonly readFile: (path: string) => string | undefined;
}

/** An alternative (`or`) is a conjunction of names or anonymous terms. */
export interface RawTerm {
  readonly negated: boolean;
  readonly words: readonly string[];
  readonly anonymous: boolean;
}

export interface Conditions {
  /** One for each alternative. An empty list is never true. */
  readonly whens: readonly When[];
  /** False: routes cannot say the other alternatives. */
  readonly isWhole: boolean;
}

/** What stands after `if` or `unless`, or undefined when routes cannot say it. */
export function conditionsOf(
  words: readonly string[],
  context: AclContext,
): Conditions | undefined {
  const [keyword, ...rest] = words;
  if (keyword === undefined) return { whens: [ALWAYS], isWhole: true };
  if (keyword !== "if" && keyword !== "unless") return undefined;
  const alternatives = alternativesOf(rest).flatMap((terms) => withParts(terms, context));
  const found = alternatives.map((terms) => whenOf(terms, context));
  const isWhole = !found.includes(undefined);
  const whens = found.filter((when) => typeof when === "object");
  if (keyword === "if") return isWhole || whens.length > 0 ? { whens, isWhole } : undefined;
  const others = isWhole ? opposite(whens) : undefined;
  return others && { whens: others, isWhole };
}

/** More of them help nobody. */
const MOST_ALTERNATIVES = 64;

/** Lines of one ACL that no single condition says are alternatives, or exceptions each. */
function withParts(terms: readonly RawTerm[], context: AclContext): RawTerm[][] {
  let all: RawTerm[][] = [[]];
  for (const term of terms) {
    const parts = partsOf(term, context);
    all = term.negated
      ? all.map((one) => [...one, ...parts])
      : all.flatMap((one) => parts.map((part) => [...one, part]));
  }
  return all.length > MOST_ALTERNATIVES ? [[...terms]] : all;
}

function partsOf(term: RawTerm, context: AclContext): readonly RawTerm[] {
  const { negated, anonymous, words } = term;
  const lines = anonymous ? [] : (context.acls.get(words[0]!) ?? []);
  if (lines.length < 2 || namedTerm(words[0]!, context) !== undefined) return [term];
  return lines.map((line) => ({ negated, anonymous: true, words: line.words.slice(2) }));
}

/** Fetches of the criteria that a condition asks. */
export function fetchesIn(words: readonly string[], { acls }: AclContext): string[] {
  return alternativesOf(words.slice(1)).flatMap((terms) =>
    terms.flatMap(({ anonymous, words: [name = ""] }) =>
      anonymous ? [name] : (acls.get(name) ?? []).map((line) => line.words[2] ?? ""),
    ),
  );
}

/** "false": it never holds. */
function whenOf(terms: readonly RawTerm[], context: AclContext): When | "false" | undefined {
  const positive: Term[] = [];
  const except: Condition[] = [];
  for (const { negated, anonymous, words } of terms) {
    const term = anonymous ? criterion(words, context) : namedTerm(words[0]!, context);
    const opposite = negated ? negation(term) : term;
    if (term === undefined) return undefined;
    if (opposite === undefined) except.push(term as Condition);
    else positive.push(opposite);
  }
  const all = conjunction(positive);
  if (all === undefined || all === "false") return all;
  return { all: all === "true" ? {} : all, except };
}

/** Everything but these: of each what it asks for does not hold, or one of its exceptions does. */
function opposite(whens: readonly When[]): When[] | undefined {
  let found: When[] = [ALWAYS];
  for (const { all, except } of whens) {
    const next: When[] = [];
    for (const one of found) {
      if (Object.keys(all).length > 0) next.push({ ...one, except: [...one.except, all] });
      for (const exception of except) {
        const both = conjunction([one.all, exception]);
        if (both === undefined) return undefined;
        if (typeof both === "object") next.push({ ...one, all: both });
      }
    }
    if (next.length > MOST_ALTERNATIVES) return undefined;
    found = next;
  }
  return found;
}

export function alternativesOf(given: readonly string[]): RawTerm[][] {
  const alternatives: RawTerm[][] = [[]];
  let negated = false;
  for (let i = 0; i < given.length; i++) {
    let word = given[i]!;
    if (word === "or" || word === "||") alternatives.push([]);
    else if (word === "!") negated = !negated;
    else if (word !== "and" && word !== "&&") {
      if (word.startsWith("!")) {
        negated = !negated;
        word = word.slice(1);
      }
      const anonymous = word === "{";
      const end = anonymous ? given.indexOf("}", i) : i;
      const words = anonymous ? given.slice(i + 1, end < 0 ? given.length : end) : [word];
      alternatives.at(-1)!.push({ negated, words, anonymous });
      if (anonymous) i = end < 0 ? given.length : end;
      negated = false;
    }
  }
  return alternatives;
}

const PREDEFINED: Readonly<Record<string, Term>> = {
  TRUE: "true",
  FALSE: "false",
  HTTP: "true",
  LOCALHOST: { source: ["127.0.0.0/8", "::1"] },
  METH_CONNECT: { method: ["CONNECT"] },
  METH_DELETE: { method: ["DELETE"] },
  METH_GET: { method: ["GET", "HEAD"] },
  METH_HEAD: { method: ["HEAD"] },
  METH_OPTIONS: { method: ["OPTIONS"] },
  METH_POST: { method: ["POST"] },
  METH_PUT: { method: ["PUT"] },
  WAIT_END: "true",
};

/** Lines of one name are alternatives: their values come together. */
function namedTerm(name: string, context: AclContext): Term {
  const lines = context.acls.get(name);
  if (lines === undefined) return PREDEFINED[name];
  context.used.add(name);
  const terms = lines.map((line) => criterion(line.words.slice(2), context));
  return terms.reduce((a, b) => disjunction(a, b));
}
