/** The ledgers of all nodes as one: incidents, budgets and alerts, whoever of them is asked. */

import {
  type GroupIncident,
  groupIncidents,
  type ToldIncident,
} from "../core/ledger/group-incidents.ts";
import type { Incident } from "../core/ledger/incident.ts";
import type { LedgerService } from "../core/ledger/settings.ts";
import type { Alert, BurnView } from "./api.ts";
import { type Neighbour, toldBy } from "./ledger-news.ts";
import { type ServiceCounts, type ServiceSummary, summaryOf } from "./ledger-summary.ts";

/** Newest first. */
export function incidentsOfGroup(
  self: { readonly node: string; readonly incidents: readonly Incident[] },
  neighbours: readonly Neighbour[],
  nowMs: number,
): GroupIncident[] {
  const own = self.incidents.map((one): ToldIncident => ({ ...one, node: self.node }));
  const others = neighbours.flatMap((one) =>
    (one.news?.incidents ?? []).map((incident) => toldBy(one, incident)),
  );
  return groupIncidents([...own, ...others], nowMs).toReversed();
}

export function alertsOfOthers(neighbours: readonly Neighbour[]): Alert[] {
  return neighbours.flatMap(({ name, news, ageMs, aheadMs }) =>
    // What is said of a node that is silent is that it is silent.
    ageMs === undefined
      ? (news?.alerts ?? []).map(({ sinceMs, ...one }) => ({
          ...one,
          node: name,
          ...(sinceMs === undefined ? {} : { sinceMs: sinceMs - aheadMs }),
        }))
      : [],
  );
}

export function burnsOfOthers(neighbours: readonly Neighbour[]): BurnView[] {
  return neighbours.flatMap(({ name, news, ageMs }) =>
    ageMs === undefined ? (news?.burns ?? []).map((one) => ({ ...one, node: name })) : [],
  );
}

/** `own` in the order of `services`. */
export function summariesOfGroup(
  services: readonly LedgerService[],
  own: readonly ServiceCounts[],
  neighbours: readonly Neighbour[],
  nowMs: number,
): ServiceSummary[] {
  return services.map((service) => {
    const others = neighbours.flatMap(({ news, aheadMs }) =>
      (news?.services ?? [])
        .filter(({ name }) => name === service.name)
        .map((one) => ({ ...one, harm: moved(one.harm, aheadMs) })),
    );
    const counted = own.filter(({ name }) => name === service.name);
    return summaryOf(service, [...counted, ...others], nowMs);
  });
}

function moved(harm: ServiceCounts["harm"], aheadMs: number): ServiceCounts["harm"] {
  return harm.map(({ fromMs, toMs }) => ({ fromMs: fromMs - aheadMs, toMs: toMs - aheadMs }));
}
