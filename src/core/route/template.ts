/** `https://${host}${uri}`: texts with variables of the request, compiled once. */

import type { RequestFacts } from "./request-facts.ts";

const VARIABLES: Readonly<Record<string, (facts: RequestFacts) => string>> = {
  scheme: (facts) => facts.scheme,
  host: (facts) => facts.host,
  path: (facts) => facts.head.pathText(),
  query: (facts) => facts.head.queryText(),
  /** The query with its question mark; nothing without one. */
  search: (facts) => {
    const query = facts.head.queryText();
    return query === "" ? "" : `?${query}`;
  },
  uri: (facts) => facts.uri,
  source: (facts) => facts.source,
};

export const VARIABLE_NAMES: readonly string[] = Object.keys(VARIABLES);

/** Unknown variables stay as they are written: the configuration has refused them before. */
export function template(text: string): (facts: RequestFacts) => string {
  if (!text.includes("${")) return () => text;
  const parts = text.split(/\$\{(\w+)\}/);
  const makers = parts.map((part, i): ((facts: RequestFacts) => string) => {
    if (i % 2 === 0) return () => part;
    const variable = VARIABLES[part];
    return variable ?? (() => `\${${part}}`);
  });
  return (facts) => makers.map((make) => make(facts)).join("");
}
