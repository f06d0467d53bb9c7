/** May this drill begin? Every reason that speaks against it, each with the way around it. */

import { isMaster, unsteady, type SiteFacts, type View } from "./facts.ts";
import type { DrillPlan } from "./plan.ts";

export interface Circumstances {
  readonly facts: SiteFacts;
  /** Another drill at work: its name. */
  readonly running?: string;
  /** Minutes since midnight, local time. */
  readonly minute: number;
  /** Drills are allowed from then to then (minutes since midnight; it may pass midnight). */
  readonly window?: { readonly from: number; readonly to: number };
  /** `--allow-outage`: the last copy may be taken. */
  readonly allowOutage: boolean;
  /** `--allow-danger`: what harms more than the service may be done. */
  readonly allowDanger: boolean;
}

export function refusals(plan: DrillPlan, given: Circumstances): readonly string[] {
  const { facts, running, allowOutage, allowDanger } = given;
  const found: string[] = [];
  if (running !== undefined) found.push(`the drill '${running}' is at work: one at a time`);
  const { openIncidents } = facts;
  if (openIncidents.length > 0) found.push(`an incident is open: ${openIncidents.join(", ")}`);
  if (!isInside(given)) found.push("outside of the window for drills");
  const view: View = { target: facts.target, others: facts.others, seesOthers: false };
  const wrong = unsteady(view);
  if (wrong !== undefined) found.push(`not in steady state: ${wrong}`);
  const last = allowOutage ? undefined : lastCopy(plan, facts);
  if (last !== undefined) found.push(`${last} (--allow-outage does it all the same)`);
  if (plan.danger !== undefined && !allowDanger) {
    found.push(`${plan.danger} (--allow-danger does it all the same)`);
  }
  return found;
}

function isInside({ window, minute }: Circumstances): boolean {
  if (window === undefined) return true;
  const { from, to } = window;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** What nobody would be left for; undefined: a second copy is known to be there. */
function lastCopy({ radius }: DrillPlan, facts: SiteFacts): string | undefined {
  const { target } = facts;
  switch (radius.takes) {
    case "nothing":
      return undefined;
    case "node":
      return lastNode(facts);
    case "server": {
      const pool = target.pools.find(({ name }) => name === radius.pool);
      const left = pool?.servers.filter(({ name, usable }) => usable && name !== radius.server);
      if (left !== undefined && left.length > 0) return undefined;
      return `no other server of '${radius.pool}' is usable: ${radius.server} is the last copy`;
    }
    case "worker": {
      const workers = target.roles.filter(({ name }) => name === "balance");
      if (workers.length !== 1) return undefined;
      return "one worker only: requests under way would be lost; set `workers: 2`";
    }
  }
}

function lastNode({ target, others, standbys }: SiteFacts): string | undefined {
  if (target.instances.length > 0 && !isMaster(target)) return undefined;
  if (target.instances.length === 0 && target.listening.length === 0) return undefined;
  const names = target.instances.map(({ name }) => name);
  const uncovered = names.filter(
    (name) =>
      (standbys[name] ?? []).length === 0 &&
      !others.some(({ instances }) =>
        instances.some((other) => other.name === name && other.state === "BACKUP"),
      ),
  );
  if (names.length > 0 && uncovered.length === 0) return undefined;
  const what = names.length === 0 ? "its frontends" : uncovered.join(", ");
  return `nobody vouches for a second copy of ${what}; name the other node with --peer`;
}
