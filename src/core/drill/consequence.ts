/** Has happened what the plan expects? */

import { ownersOf, serverOf, type View } from "./facts.ts";
import type { DrillPlan } from "./plan.ts";
import type { Told } from "./run.ts";

export interface Seen {
  readonly view: View;
  readonly before: View;
  readonly told: readonly Told[];
}

/** `missing`: what has not happened, in one sentence; undefined: all of it has. */
export function consequence(plan: DrillPlan, seen: Seen): { readonly missing: string | undefined } {
  return { missing: missingHolding(plan, seen) ?? missingServer(plan, seen) ?? untold(plan, seen) };
}

function missingHolding({ expect, target }: DrillPlan, seen: Seen): string | undefined {
  const { holding } = expect;
  const { view, before } = seen;
  if (holding === "either") return undefined;
  const held = before.target?.instances.filter(({ state }) => state === "MASTER") ?? [];
  for (const { name } of held) {
    const owners = ownersOf(view, name);
    const others = owners.filter((owner) => owner !== target);
    const isOurs = owners.includes(target);
    const said = `${name} is with ${owners.join(" and ") || "nobody who can be asked"}`;
    // A target that cannot be asked has lost nothing as long as nobody else has it.
    if (holding === "stays" && others.length > 0) return `${said}: it was to stay`;
    if (holding !== "stays" && view.seesOthers && others.length === 0) {
      return `${said}: nobody took it over`;
    }
    if (holding === "moves" && isOurs) return `${said}: ${target} did not let go`;
  }
  return undefined;
}

function missingServer({ expect }: DrillPlan, { view }: Seen): string | undefined {
  if (expect.server === undefined) return undefined;
  const { name, is } = expect.server;
  // What is done on one director's way to a server, only that director sees.
  const server = view.target === undefined ? undefined : serverOf(view.target, name);
  if (server === undefined || server.usable === (is === "serving")) return undefined;
  return `${name} is ${server.state}`;
}

function untold({ expect }: DrillPlan, { told }: Seen): string | undefined {
  const { told: kinds } = expect;
  if (kinds.length === 0 || told.some(({ kind }) => kinds.includes(kind))) return undefined;
  return `nobody told of it (${kinds.join(" or ")})`;
}
