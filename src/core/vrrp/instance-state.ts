/** The states of an instance: each carries exactly what it needs. */

import type { Reign } from "./reign.ts";

/** How long a node that resigned for lack of CPU or a fight does not preempt. */
export const HOLD_MS = 30_000;

export type InstanceState =
  | { readonly kind: "FAULT" | "STOPPED" }
  | InitState
  | BackupState
  | MasterState;

export interface InitState {
  readonly kind: "INIT";
  /** Of the process before this one, as long as it may be gone on with. */
  readonly reign?: Reign;
}

export interface BackupState {
  readonly kind: "BACKUP";
  downAtMs: number;
  /** In a sync group: the timer fired, the other members are waited for. */
  ready: boolean;
  /** What the timer waits out; the reason if it fires. */
  awaiting: "master" | "resigned" | "lower" | "nobody";
  /** When a lower-priority master may be preempted (`preempt_delay`). */
  preemptAtMs: number | undefined;
  /** More than the skew to wait before a lower-priority master is preempted; see `keepApart`. */
  apartMs: number;
  /** How long before the takeover its addresses are to be got ready; 0 = not, or done already. */
  prepareAheadMs: number;
  /** They wait in the kernel, and answer nobody. */
  prepared: boolean;
}

/** The beginning of a wait. */
export function backupUntil(downAtMs: number, awaiting: BackupState["awaiting"]): BackupState {
  const preparation = { prepareAheadMs: 0, prepared: false };
  const preemption = { preemptAtMs: undefined, apartMs: 0 };
  return { kind: "BACKUP", downAtMs, ready: false, awaiting, ...preemption, ...preparation };
}

export interface MasterState {
  readonly kind: "MASTER";
  advertAtMs: number;
  leaseUntilMs: number;
  /** When a lower-priority advert was answered last. */
  repliedAtMs: number;
  /** What the backup that it was had waited out. */
  readonly awaited?: BackupState["awaiting"];
}

/** The beginning of a reign. */
export function masterAfter(before: InstanceState, advertAtMs: number): MasterState {
  const state = { kind: "MASTER", advertAtMs, leaseUntilMs: 0, repliedAtMs: -Infinity } as const;
  return before.kind === "BACKUP" ? { ...state, awaited: before.awaiting } : state;
}

/** Who was master last, as far as we heard. */
export interface HeardMaster {
  address: string;
  priority: number;
  heardAtMs: number;
}
