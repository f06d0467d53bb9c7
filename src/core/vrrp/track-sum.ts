/**
 * What the tracked things do to an instance: an effective priority, and reasons for FAULT.
 * keepalived's arithmetic (keepalived.conf(5), "track_*"): weight 0 = failure is FAULT; a positive
 * weight is added on success, a negative one on failure; a file adds its value times the weight.
 * `reverse` turns the sign of what is added; with weight 0, success and failure swap their meaning.
 */

import type { TrackReference } from "./settings.ts";
import type { TrackStatus } from "./status.ts";

const OWNER_PRIORITY = 255;
const HIGHEST_BACKUP_PRIORITY = 254;
/** A file whose effect is at or below this forces FAULT, as in keepalived. */
const FILE_FAULT = -254;

/** What is known of a tracked thing. `pending`: not heard of yet since the start. */
export interface TrackVerdict {
  readonly ok: boolean;
  readonly pending: boolean;
  /** Files only; else 0. */
  readonly value: number;
  readonly reason: string;
}

export interface TrackSum {
  readonly effectivePriority: number;
  /** Why the instance must be in FAULT; empty = it need not. */
  readonly faults: readonly string[];
  /** How many of the faults are the instance's own, not taken over from its sync group. */
  readonly ownFaults: number;
  /** True when every fault is only a verdict that has not come yet. */
  readonly onlyPending: boolean;
  /** Some verdict has not come yet. */
  readonly pending: boolean;
  readonly tracks: readonly TrackStatus[];
}

export function sumTracks(
  basePriority: number,
  references: readonly TrackReference[],
  verdictOf: (reference: TrackReference) => TrackVerdict,
): TrackSum {
  let change = 0;
  let onlyPending = true;
  let pending = false;
  const faults: string[] = [];
  const tracks: TrackStatus[] = [];
  for (const reference of references) {
    const verdict = verdictOf(reference);
    const effect = effectOf(reference, verdict);
    if (verdict.pending) pending = true;
    if (effect === "FAULT") {
      faults.push(verdict.reason);
      if (!verdict.pending) onlyPending = false;
    } else {
      change += effect;
    }
    const { kind, name, weight } = reference;
    tracks.push({ kind, name, weight, ok: verdict.ok, effect, reason: verdict.reason });
  }
  const clamped = Math.min(HIGHEST_BACKUP_PRIORITY, Math.max(1, basePriority + change));
  const effectivePriority = basePriority === OWNER_PRIORITY ? OWNER_PRIORITY : clamped;
  return { effectivePriority, faults, ownFaults: faults.length, onlyPending, pending, tracks };
}

function effectOf(reference: TrackReference, verdict: TrackVerdict): number | "FAULT" {
  const { kind, weight, reverse } = reference;
  // A file is read in no time: the first priority that others hear of has it in.
  if (verdict.pending) return weight === 0 || kind === "file" ? "FAULT" : 0;
  const ok = kind === "file" ? verdict.value === 0 : verdict.ok;
  if (weight === 0) return ok === reverse ? "FAULT" : 0;
  const change = reverse ? -changeOf(reference, verdict) : changeOf(reference, verdict);
  if (kind === "file" && change <= FILE_FAULT) return "FAULT";
  return change === 0 ? 0 : change;
}

function changeOf({ kind, weight }: TrackReference, { ok, value }: TrackVerdict): number {
  if (kind === "file") return value * weight;
  return ok === weight > 0 ? weight : 0;
}
