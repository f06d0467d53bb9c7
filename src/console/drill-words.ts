/** How the console tells of drills, in the languages that it knows. */

import type { Radius } from "../core/drill/plan.ts";
import type { Sentence } from "./api.ts";
import { drillInChinese } from "./drill-reasons-zh.ts";
import type { Fields } from "./fields.ts";
import { LANGUAGES } from "./report/words.ts";
import type { Call } from "./routes.ts";
import { say } from "./verdict.ts";

export const LANG: Fields = {
  lang: { type: "string", description: "Of sentences; default: en.", choices: LANGUAGES },
};

export function tellerOf({ lang }: Call["query"]): (text: string) => string {
  return lang === "zh" ? drillInChinese : (text) => text;
}

/** A sentence of the drill's own; `node`: of another one. */
export function told(code: string, reason: string, subject: string, node?: string): Sentence {
  const args = { subject, zh: drillInChinese(reason) };
  if (node === undefined) return say(code, reason, args);
  return say(`${code}-there`, `${node}: ${reason}`, { ...args, node });
}

export function radiusOf(radius: Radius, node = "this node"): string {
  switch (radius.takes) {
    case "nothing":
      return "nothing is taken away: clients should not notice";
    case "node":
      return `${node}: its addresses must go to another one`;
    case "server":
      return `one server: ${radius.pool}/${radius.server}`;
    case "worker":
      return "one of the balance workers";
  }
}
