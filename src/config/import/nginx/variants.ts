/** Lines that speak of a map's variable: one variant for each of its values, with its condition. */

import { type Condition, conjunction } from "../conditions.ts";
import { ecmascript } from "../expressions.ts";
import { type FrontendNotes, type NginxContext, useAll } from "./context.ts";
import { mapIn, type NginxMap, withValue } from "./maps.ts";
import type { Directive } from "./parse.ts";

export interface VariantFacts {
  readonly context: NginxContext;
  readonly notes: FrontendNotes;
}

export interface Variant {
  readonly when: Condition;
  readonly line: Directive;
}

/** The first whose condition holds counts. The line alone where it speaks of none, or of one that routes cannot say. */
export function variantsOf(line: Directive, facts: VariantFacts): Variant[] {
  const { context, notes } = facts;
  const [variable, map] = mapIn(line.args, context.maps(notes.tls)) ?? [];
  if (variable === undefined || map?.choices === undefined) return [{ when: {}, line }];
  useMap(map, context);
  return map.choices.flatMap(({ when, value }) =>
    variantsOf(withValue(line, variable, value), facts).flatMap((inner) => {
      const both = conjunction([when, inner.when]);
      if (both === undefined) {
        context.draft.lost(line.at, "values of its maps depend on what cannot be said together");
      }
      return typeof both === "object" ? [{ when: both, line: inner.line }] : [];
    }),
  );
}

/** nginx looks texts up without regard to case; paths of routes know it. */
function useMap({ directive }: NginxMap, { draft, used }: NginxContext): void {
  useAll([directive], used);
  const { name, args, block = [], at } = directive;
  const isOfPath = name === "map" && /^\$(?:uri|document_uri|request_uri)$/u.test(args[0]!);
  if (!isOfPath || !block.some((line) => /^\/.*[a-z]/iu.test(line.name))) return;
  draft.lost(at, "its paths are compared with regard to case");
}

export interface IfVariant {
  readonly when: Condition;
  /** With the values inside; undefined: the condition is not true of these requests. */
  readonly line: Directive | undefined;
}

/** `if ($variable …)` of a map: each of its values, the first that holds counts. Undefined: no map's. */
export function ifVariants(line: Directive, facts: VariantFacts): IfVariant[] | undefined {
  const { context, notes } = facts;
  const text = line.args.join(" ").replace(/^\(\s*|\s*\)$/gu, "");
  const [, name, operator = "", wanted = ""] =
    /^(\$\w+)(?:\s*(!?=|!?~\*?)\s*(.*))?$/su.exec(text) ?? [];
  const map = name === undefined ? undefined : context.maps(notes.tls).get(name);
  if (name === undefined || map?.choices === undefined) return undefined;
  const isTrue = testOf(operator, wanted.replace(/^["'](.*)["']$/su, "$1"));
  if (isTrue === undefined) return undefined;
  useMap(map, context);
  const found = map.choices.map(({ when, value }): IfVariant => {
    if (!isTrue(value)) return { when, line: undefined };
    const block = (line.block ?? []).map((inner) => withValue(inner, name, value));
    return { when, line: { ...line, block } };
  });
  return found.slice(0, found.findLastIndex((one) => one.line !== undefined) + 1);
}

function testOf(operator: string, wanted: string): ((value: string) => boolean) | undefined {
  const isNot = operator.startsWith("!");
  const how = operator.replace("!", "");
  if (how === "") return (value) => value !== "" && value !== "0";
  if (how === "=") return (value) => (value === wanted) !== isNot;
  const source = ecmascript(wanted);
  if (source === undefined) return undefined;
  const pattern = new RegExp(how === "~*" ? `(?i:${source})` : source, "u");
  return (value) => pattern.test(value) !== isNot;
}
