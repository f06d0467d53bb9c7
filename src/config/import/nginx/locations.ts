/** The locations of a server in the order in which nginx would choose them. */

import { type Condition, conjunction } from "../conditions.ts";
import { ecmascript, literal } from "../expressions.ts";
import type { NginxContext } from "./context.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";

export interface Location {
  readonly directive: Directive;
  readonly scope: Scope;
  /** Of its path; `{}` for all. */
  readonly when: Condition;
  /** For `proxy_pass` with a path: what is replaced. */
  readonly prefix: string | undefined;
  /** nginx sends `/files` on to `/files/`, where a location only has the latter. */
  readonly slashed?: string;
}

interface Found extends Location {
  readonly kind: "exact" | "prefix" | "regex";
  /** `^~`: expressions are not looked at. */
  readonly isFinal: boolean;
  readonly text: string;
  /** How many locations with beginnings stand around it. */
  readonly depth: number;
}

/** Exact ones, then those that shut expressions out, expressions, the longest beginning. */
export function locationsOf(scope: Scope, context: NginxContext): Location[] {
  const found = collect(scope, context, undefined);
  const exact = found.filter(({ kind }) => kind === "exact");
  // Those inside of the location that a path has are looked at before those around it.
  const regexes = found.filter(({ kind }) => kind === "regex").sort((a, b) => b.depth - a.depth);
  const prefixes = found
    .filter(({ kind }) => kind === "prefix")
    .sort((a, b) => b.text.length - a.text.length);
  const finals = prefixes.filter(({ isFinal }) => isFinal);
  const isEarly = (one: Found): boolean =>
    one.isFinal || finals.some((final) => one.text.startsWith(final.text));
  const early = prefixes.filter(isEarly);
  for (const { isFinal, directive } of early) {
    if (isFinal || regexes.length === 0) continue;
    context.draft.lost(directive.at, "its paths are taken before the locations with expressions");
  }
  return [
    ...exact,
    ...slashed(found),
    ...early,
    ...regexes,
    ...prefixes.filter((one) => !isEarly(one)),
  ];
}

function slashed(found: readonly Found[]): Location[] {
  const taken = new Set(found.map(({ text }) => text));
  return found.flatMap((one) => {
    const { kind, text, scope } = one;
    const bare = text.slice(0, -1);
    const passes = scope.own.some(({ name }) => name === "proxy_pass");
    const isMeant = kind !== "regex" && text.length > 1 && text.endsWith("/") && passes;
    if (!isMeant || taken.has(bare)) return [];
    return [{ ...one, when: { path: [bare] }, slashed: text }];
  });
}

interface Outer {
  /** Of the paths that it has. */
  readonly when: Condition;
  readonly depth: number;
}

/** Locations inside others count as if they stood beside them. */
function collect(scope: Scope, context: NginxContext, outer: Outer | undefined): Found[] {
  const all = scope
    .here("location")
    .flatMap(
      (directive) => ownLocation(directive, scope.inside(directive.block ?? []), context) ?? [],
    );
  const texts = all.flatMap(({ kind, text }) => (kind === "prefix" ? [text] : []));
  const depth = outer?.depth ?? 0;
  return all.flatMap((own) => {
    const isRegex = own.kind === "regex";
    const when = isRegex && outer !== undefined ? meet(own, outer.when, context) : own.when;
    if (when === undefined) return [];
    const inside = isRegex ? { when: own.when, depth } : ownPaths(own, texts, depth);
    return [...collect(own.scope, context, inside), { ...own, when, depth }];
  });
}

/** What no longer beginning beside it takes. */
function ownPaths({ text, when }: Found, texts: readonly string[], depth: number): Outer {
  const longer = texts.filter((one) => one.length > text.length && one.startsWith(text));
  const rest = longer.map((one) => literal(one.slice(text.length)));
  const path = [`~ ^${literal(text)}(?!${rest.join("|")})`];
  return { when: longer.length === 0 ? when : { path }, depth: depth + 1 };
}

function meet(own: Found, outer: Condition, { draft }: NginxContext): Condition | undefined {
  const both = conjunction([outer, own.when]);
  if (typeof both === "object") return both;
  draft.lost(
    own.directive.at,
    "its condition and that of the location around it exclude each other",
  );
  return undefined;
}

function ownLocation(
  directive: Directive,
  scope: Scope,
  { draft }: NginxContext,
): Found | undefined {
  const [first = "", second] = directive.args;
  const common = { directive, scope, isFinal: false, prefix: undefined, depth: 0 };
  if (first.startsWith("@")) return undefined;
  if (first === "=" || (first.startsWith("=") && second === undefined)) {
    const text = second ?? first.slice(1);
    return { ...common, kind: "exact", text, when: { path: [text] }, prefix: text };
  }
  if (first.startsWith("~")) {
    const ignoresCase = first.startsWith("~*");
    const regex = ecmascript(second ?? first.replace(/^~\*?/u, ""));
    if (regex !== undefined) {
      const path = [`~ ${ignoresCase ? `(?i:${regex})` : regex}`];
      return { ...common, kind: "regex", text: "", when: { path } };
    }
    draft.lost(directive.at, "the expression is not one of ECMAScript: the location is left out");
    return undefined;
  }
  const isFinal = first.startsWith("^~");
  const text = isFinal ? (second ?? first.slice(2)) : first;
  const when = text === "/" ? {} : { path: [`${text}*`] };
  return { ...common, kind: "prefix", text, when, isFinal, prefix: text };
}
