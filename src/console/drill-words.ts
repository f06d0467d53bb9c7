/** How the console tells of drills. */

import type { Radius } from "../core/drill/plan.ts";
import type { Sentence } from "./api.ts";
import { say } from "./verdict.ts";

/** A sentence of the drill's own; `node`: of another one. */
export function told(code: string, reason: string, subject: string, node?: string): Sentence {
  const args = { subject, reason };
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
