/** The router's own account of itself: what `nines status`, metrics and the API show. */

import type { Family } from "./settings.ts";
import type { RouterEvent, VrrpState } from "./router-ports.ts";

export interface PeerStatus {
  readonly address: string;
  readonly priority: number;
  readonly lastHeardMs: number;
}

export interface TrackStatus {
  readonly kind: string;
  readonly name: string;
  readonly weight: number;
  readonly ok: boolean;
  /** What it adds to the priority now; `FAULT` when it forces FAULT. */
  readonly effect: number | "FAULT";
  readonly reason: string;
}

/** A decision and what was known when it was taken (`nines why`). */
export interface Decision {
  readonly atMs: number;
  readonly event: RouterEvent;
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
}

export interface InstanceStatus {
  readonly name: string;
  readonly state: VrrpState;
  /** Monotonic ms of the last state change, and why it happened. */
  readonly sinceMs: number;
  readonly reason: string;
  readonly interface: string;
  readonly family: Family;
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly basePriority: number;
  readonly effectivePriority: number;
  readonly advertIntervalMs: number;
  readonly masterDownIntervalMs: number;
  readonly addresses: readonly string[];
  readonly group?: string;
  /** The master heard last, when we are not it. */
  readonly master?: PeerStatus;
  readonly peers: readonly PeerStatus[];
  readonly tracks: readonly TrackStatus[];
  readonly witnesses: readonly { readonly address: string; readonly reachable: boolean }[];
  /** Set while two masters are heard. */
  readonly splitBrain?: {
    readonly peer: string;
    readonly sinceMs: number;
    readonly reason: string;
  };
  readonly lease: {
    readonly enabled: boolean;
    readonly durationMs: number;
    readonly renewedMs: number;
  };
  readonly counters: InstanceCounters;
}

export interface InstanceCounters {
  advertsSent: number;
  advertsReceived: number;
  becameMaster: number;
  releasedMaster: number;
  priorityZeroSent: number;
  priorityZeroReceived: number;
  splitBrains: number;
  addressRestores: number;
  leaseLapses: number;
  starvations: number;
}

export interface RouterStatus {
  readonly nowMs: number;
  readonly instances: readonly InstanceStatus[];
  readonly groups: readonly {
    readonly name: string;
    readonly state: VrrpState;
    readonly members: readonly string[];
  }[];
  /** Rejected datagrams by reason, over all interfaces. */
  readonly rejected: Readonly<Record<string, number>>;
  /** How late the router was woken, ms. */
  readonly lateness: { readonly lastMs: number; readonly maxMs: number; readonly p99Ms: number };
}

export function noCounters(): InstanceCounters {
  return {
    advertsSent: 0,
    advertsReceived: 0,
    becameMaster: 0,
    releasedMaster: 0,
    priorityZeroSent: 0,
    priorityZeroReceived: 0,
    splitBrains: 0,
    addressRestores: 0,
    leaseLapses: 0,
    starvations: 0,
  };
}
