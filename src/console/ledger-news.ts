/**
 * What a node's ledger tells the other nodes, and what they know of each other's: small enough to be
 * asked for whenever it changed.
 */

import { byOurClock, type ToldIncident } from "../core/ledger/group-incidents.ts";
import type { VantageSteps } from "../core/ledger/chart.ts";
import type { Incident } from "../core/ledger/incident.ts";
import type { Alert, BurnView } from "./api.ts";
import type { ServiceCounts } from "./ledger-summary.ts";
import type { Answer } from "./routes.ts";
import type { SeriesWish } from "./series.ts";

/** Raised when news change so that older nodes would misread them. */
export const NEWS_FORMAT = 1;
/** Older ones are asked for by name. */
export const TOLD_INCIDENTS = 50;

export interface LedgerNews {
  readonly format: number;
  /** Another one: there is something new. */
  readonly stamp: string;
  /** The latest, oldest first. Times are those of that node's clock. */
  readonly incidents: readonly Incident[];
  /** Of its budgets, and of its console. */
  readonly alerts: readonly Alert[];
  readonly burns: readonly BurnView[];
  readonly services: readonly ServiceCounts[];
}

/** Another node, as the ledger needs it. */
export interface Neighbour {
  readonly name: string;
  readonly news?: LedgerNews;
  /** How old its word is; absent: it is fresh. */
  readonly ageMs?: number;
  /** Why, then. */
  readonly reason: string;
  /** Its clock minus ours. */
  readonly aheadMs: number;
  /** Over mutually authenticated TLS; rejects with a sentence when it does not answer. */
  ask(path: string, body?: object): Promise<unknown>;
}

/** What other nodes may ask of our ledger. */
export interface LedgerDesk {
  news(): LedgerNews | undefined;
  /** Newest first, bounded. */
  incidents(): readonly Incident[];
  find(id: string): Incident | undefined;
  order(order: ForwardedOrder, node: string): Answer | Promise<Answer>;
  /** Rejects when too many charts are read at once. */
  series(wish: SeriesWish): Promise<readonly VantageSteps[]>;
}

/** What somebody says at one node of an incident that another one has, or of planned times everywhere. */
export interface ForwardedOrder {
  /** Of the incident or the drill. */
  readonly id: string;
  readonly what: IncidentWord | MaintenanceWord | DrillWord;
  readonly who: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const INCIDENT_WORDS = ["annotations", "class", "owners", "settle"] as const;
export type IncidentWord = (typeof INCIDENT_WORDS)[number];
export const MAINTENANCE_WORDS = ["maintenance-begin", "maintenance-end"] as const;
/** What a node tells the others of its own drills: they see what is broken, and it is no failure. */
export const DRILL_WORDS = [
  "drill-near-started",
  "drill-near-undone",
  "drill-near-finished",
] as const;
export type DrillWord = (typeof DRILL_WORDS)[number];
export type MaintenanceWord = (typeof MAINTENANCE_WORDS)[number];

export function toldBy(
  { name, ageMs, aheadMs }: Pick<Neighbour, "name" | "ageMs" | "aheadMs">,
  incident: Incident,
): ToldIncident {
  const age = ageMs === undefined ? {} : { ageMs };
  return { ...byOurClock(incident, aheadMs), node: name, ...age };
}
