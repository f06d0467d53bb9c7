/** `https://${host}${uri}`: texts with variables of the request, compiled once. */

import { octetText } from "./letters.ts";
import type { RequestFacts } from "./request-facts.ts";

/** `target`: path and query, where they are no longer those of the request. */
type Variable = (facts: RequestFacts, target?: string) => string;

const VARIABLES: Readonly<Record<string, Variable>> = {
  scheme: (facts) => facts.scheme,
  host: (facts) => facts.host,
  path: (facts, target) => (target === undefined ? facts.head.pathText() : pathOf(target)),
  query: (facts) => facts.head.queryText(),
  /** The query with its question mark; nothing without one. */
  search: (facts) => {
    const query = facts.head.queryText();
    return query === "" ? "" : `?${query}`;
  },
  uri: (facts, target) => target ?? facts.uri,
  source: (facts) => facts.source,
  request_id: (facts) => facts.requestId(),
  client_subject: (facts) => octetText(facts.clientSubject ?? ""),
};

export const VARIABLE_NAMES: readonly string[] = Object.keys(VARIABLES);

/** Unknown variables stay as they are written: the configuration has refused them before. */
export function template(text: string): Variable {
  if (!text.includes("${")) return () => text;
  const parts = text.split(/\$\{(\w+)\}/);
  const makers = parts.map((part, i): Variable => {
    if (i % 2 === 0) return () => part;
    const variable = VARIABLES[part];
    return variable ?? (() => `\${${part}}`);
  });
  return (facts, target) => makers.map((make) => make(facts, target)).join("");
}

function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? target : target.slice(0, mark);
}
