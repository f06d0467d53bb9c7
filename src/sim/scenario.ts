/**
 * A run written down: the group, the network and every fault, as plain data. A seed draws one
 * (swarm.ts), the world plays it (world.ts), the shrinker cuts it (shrink.ts).
 */

import type { Family } from "../core/vrrp/settings.ts";

export interface Scenario {
  /** Draws of the network and of the routers during the run. */
  readonly seed: number;
  readonly group: GroupPlan;
  readonly nodes: readonly NodePlan[];
  readonly clients: number;
  /** Clients ask again only after this long: 30 s like Linux, hours like some routers. */
  readonly clientCacheMs: number;
  readonly link: { readonly delayMs: number; readonly jitterMs: number };
  /** Timers fire up to this much late even on an idle machine. */
  readonly timerLatenessMs: number;
  readonly chaosMs: number;
  readonly faults: readonly Fault[];
}

/** What all nodes of a group agree on. */
export interface GroupPlan {
  readonly version: 2 | 3;
  readonly family: Family;
  readonly unicast: boolean;
  /** 1, or 2 instances on two segments bound by a sync group. */
  readonly instances: 1 | 2;
  readonly addresses: number;
  /** `pass` and `ah` in version 2, `hmac` in version 3. */
  readonly authentication: "none" | "pass" | "ah" | "hmac";
  /** Every node must reach a witness on each segment to be master. */
  readonly witness: boolean;
  readonly checksumWithPseudoHeader: boolean;
  /** Lost adverts before the master counts as dead. */
  readonly downTimerAdverts: number;
  readonly lease: boolean;
  /** Backups answer a resignation after an eighth of the skew and up to 10 ms. */
  readonly fastHandover: boolean;
  /** Periodic re-announcement; 0 = only when something happened. */
  readonly announceRefreshMs: number;
}

export interface NodePlan {
  readonly name: string;
  /** Last byte of its addresses: decides between equal priorities. */
  readonly hostNumber: number;
  readonly priority: number;
  readonly intervalMs: number;
  readonly preempt: boolean;
  readonly preemptDelayMs: number;
  readonly startAsMaster: boolean;
  readonly startupDelayMs: number;
  readonly tracks: readonly TrackPlan[];
  /** 0.01 = its clock runs one percent fast. */
  readonly drift: number;
  readonly bootAtMs: number;
  readonly restoreRemovedAddresses: boolean;
  /** What a reload may set the priority to for a while; never for the owner of the addresses. */
  readonly otherPriority: number;
  /** After a start the scripts' and witnesses' first verdicts come this late. */
  readonly firstVerdictsMs: number;
}

export interface TrackPlan {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

export const faultKinds = [
  "crash",
  "torn-crash",
  "power-off",
  "pause",
  "hang",
  "starve",
  "freeze",
  "stop",
  "cut",
  "one-way-cut",
  "isolate",
  "block-multicast",
  "loss",
  "duplicate",
  "slow-link",
  "script-failure",
  "link-down",
  "remove-address",
  "refuse-address",
  "handover",
  "reload",
  "step-wall-clock",
  "forge",
  "claim-address",
  "lose-witness",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** World time since chaos began. */
  readonly atMs: number;
  /** It ends by itself after this long, at the latest when the chaos ends. */
  readonly durationMs: number;
  /** Index into `nodes`. */
  readonly node: number;
  /** Hits whoever holds the addresses at that moment; `node` if nobody does. */
  readonly hitsOwner: boolean;
  /** The other end of a link fault. */
  readonly other: number;
  /** 0-1; each kind says what it scales. */
  readonly strength: number;
}

/** Longest configured interval of the group, ms. */
export function slowestIntervalMs(scenario: Scenario): number {
  return Math.max(...scenario.nodes.map((node) => node.intervalMs));
}

/** No frame of an undisturbed link takes longer. */
export function slowestLinkMs(scenario: Scenario): number {
  return scenario.link.delayMs + scenario.link.jitterMs;
}

/** Skew_Time of the given priority; fractions of a second in version 2. */
export function skewMs(version: 2 | 3, priority: number, intervalMs: number): number {
  return ((256 - priority) / 256) * (version === 2 ? 1000 : intervalMs);
}

/**
 * Silence after which the slowest backup must have acted: all lost adverts at the slowest
 * interval that it may have learned, one whole interval of skew.
 */
export function longestDownMs(scenario: Scenario): number {
  const interval = slowestIntervalMs(scenario);
  return (scenario.group.downTimerAdverts + 1) * interval;
}

/** Highest priority a node can ever announce: base and every weight that adds. */
export function highestPriority(node: NodePlan): number {
  if (node.priority === 255) return 255;
  const gains = node.tracks.reduce((sum, { weight, reverse }) => {
    return sum + Math.max(0, reverse ? -weight : weight);
  }, 0);
  return Math.min(254, Math.max(node.priority, node.otherPriority) + gains);
}

/**
 * From the heal to one settled owner. Two whole silences: a node that has just started waits one
 * before it takes part, and a preempting one may sit out another beside a lower master; in
 * between come start and preemption delays and one exchange of adverts.
 */
export function convergenceMs(scenario: Scenario): number {
  const { nodes } = scenario;
  const startMs = Math.max(...nodes.map((node) => node.startupDelayMs));
  const verdictsMs = Math.max(...nodes.map((node) => node.firstVerdictsMs));
  // Each preempts the one before it, and each waits its own delay for that.
  const delayMs = nodes.reduce((sum, node) => sum + node.preemptDelayMs, 0);
  const exchange = 2 * (slowestIntervalMs(scenario) + slowestLinkMs(scenario));
  const late = 10 * scenario.timerLatenessMs;
  const known = startMs + verdictsMs + delayMs;
  return (2 * longestDownMs(scenario) + known + exchange + late) * DRIFT_MARGIN;
}

/** Twice the largest drift that a swarm draws. */
export const DRIFT_MARGIN = 1.02;
