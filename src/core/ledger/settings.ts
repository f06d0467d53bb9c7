/**
 * The ledger: what users got, measured, and what that costs.
 *
 * Rules of this folder: all times are Unix ms (wall clock), because people and other nodes must be able
 * to find them again; `now` comes in. Everything is computed from evidence that is kept - records of
 * the journal and measurements - so any order of arrival gives the same incidents, and a reader can
 * compute every figure again. Nothing here knows where evidence is stored or who is told.
 */

import type { NotifyCommand } from "../vrrp/settings.ts";

/** Which part of the way to the user an incident or an objective is about. */
export type Layer = "address" | "balancer" | "server";

export interface Owner {
  readonly name: string;
  /** Percent of what goes wrong that counts as theirs; all owners of a thing add up to 100. */
  readonly share: number;
}

export interface Objectives {
  /** Share of time and of requests that must be good, 0 to 1 exclusive. */
  readonly availability: number;
  /** Over how long, ms; ends now. */
  readonly windowMs: number;
  /** `share` (0 to 1) of the good answers take no longer than `belowMs`. */
  readonly latency?: { readonly belowMs: number; readonly share: number };
  /** Longest time without service in one incident, ms. */
  readonly rtoMs?: number;
  /** Longest span of acknowledged work that may be lost, ms. */
  readonly rpoMs?: number;
}

export interface LayerObjective {
  readonly layer: Layer;
  readonly availability: number;
  readonly rtoMs?: number;
}

/** One service as its users see it, and the parts of this system that it is made of. */
export interface LedgerService {
  readonly name: string;
  /** Whether it is the core of the site; decides the class of an incident. */
  readonly critical: boolean;
  readonly frontends: readonly string[];
  readonly pools: readonly string[];
  readonly instances: readonly string[];
  /** Names of probes that stand where users stand; empty: every one that names the service. */
  readonly probes: readonly string[];
  readonly objectives: Objectives;
  readonly layers: readonly LayerObjective[];
  readonly owners: readonly Owner[];
  /** Alerts judge a window only when it holds that many requests. */
  readonly minEvents: number;
}

/** Whose users a prober stands for that does not say it: of the service that names it, else of the only one. */
export function serviceOfProbe(
  probe: string,
  services: readonly Pick<LedgerService, "name" | "probes">[],
): string | undefined {
  const own = services.filter(({ probes }) => probes.includes(probe));
  const found = own.length > 0 ? own : services;
  return found.length === 1 ? found[0]!.name : undefined;
}

/** Weights as in the book: an accident (事故级) 100, A 20, B 5, C 1. */
export const DEFAULT_CLASSES: Readonly<Record<string, number>> = {
  accident: 100,
  A: 20,
  B: 5,
  C: 1,
};

/** The class that people give to what was none: no weight, in no statistics. */
export const DISMISSED = "none";

export interface PlannedWindow {
  /** Empty: all services. */
  readonly service: string;
  readonly fromMs: number;
  /** Infinity: not over yet. */
  readonly toMs: number;
  readonly reason: string;
}

export interface WebhookSettings {
  readonly url: string;
  /** Key of the signature (HMAC-SHA256 of the body); absent: unsigned. */
  readonly secret?: string;
}

export interface AlertSettings {
  readonly mail: boolean;
  readonly webhooks: readonly WebhookSettings[];
  readonly commands: readonly NotifyCommand[];
}

export interface LedgerSettings {
  readonly services: readonly LedgerService[];
  /** Weight of each class. */
  readonly classes: Readonly<Record<string, number>>;
  /** Harm that comes again within this after the last is the same incident, ms. */
  readonly mergeMs: number;
  /** Less than this without harm is a false start, ms. */
  readonly falseStartMs: number;
  /** IANA name; of the report's month and its times. */
  readonly timezone: string;
  readonly planned: readonly PlannedWindow[];
  readonly alerts: AlertSettings;
}

export const DEFAULT_MERGE_MS = 300_000;
export const DEFAULT_FALSE_START_MS = 5_000;

/** A bucket in which that share of requests fails is bad; in more of them, worse. */
export const BAD_SHARE = 0.05;
export const WIDE_SHARE = 0.2;
export const DOWN_SHARE = 0.9;
/** So long nobody got a good answer: down, however many did before. One look may be chance. */
export const LEAST_DARK_MS = 1_500;
/** So many slow answers are as bad as failures for many. */
export const SLOW_SHARE = 0.5;
