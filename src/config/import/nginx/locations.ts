/** The locations of a server in the order in which nginx would choose them. */

import { type Condition, conjunction } from "../conditions.ts";
import { ecmascript } from "../expressions.ts";
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
}

/** Exact ones, then those that shut expressions out, expressions, the longest beginning. */
export function locationsOf(scope: Scope, context: NginxContext): Location[] {
  const found = collect(scope, context, undefined);
  const exact = found.filter(({ kind }) => kind === "exact");
  const regexes = found.filter(({ kind }) => kind === "regex");
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
    const isMeant = kind === "prefix" && text.length > 1 && text.endsWith("/") && passes;
    if (!isMeant || taken.has(bare)) return [];
    return [{ ...one, when: { path: [bare] }, slashed: text }];
  });
}

/** Locations inside others count as if they stood beside them. */
function collect(scope: Scope, context: NginxContext, outer: Condition | undefined): Found[] {
  return scope.here("location").flatMap((directive) => {
    const inner = scope.inside(directive.block ?? []);
    const own = ownLocation(directive, inner, context);
    if (own === undefined) return [];
    const when = own.kind === "regex" && outer !== undefined ? meet(own, outer, context) : own.when;
    if (when === undefined) return [];
    return [...collect(inner, context, own.when), { ...own, when }];
  });
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
  const common = { directive, scope, isFinal: false, prefix: undefined };
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
