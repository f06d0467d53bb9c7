/** Sentences about decisions: written once, shown by log, journal, CLI and page. */

import type { Instance } from "./instance.ts";
import type { Decision } from "./status.ts";
import type { TrackSum } from "./track-sum.ts";

/** Why a backup's timer fired. */
export function downReason(instance: Instance, now: number): string {
  const { state, master } = instance;
  if (state.kind !== "BACKUP" || master === undefined || state.awaiting === "nobody") {
    return `no master heard for ${ms(now - instance.sinceMs)}`;
  }
  const ago = ms(now - master.heardAtMs);
  if (state.awaiting === "resigned") return `${master.address} resigned ${ago} ago`;
  if (state.awaiting === "lower") {
    const ours = instance.effectivePriority;
    return `master ${master.address} has lower priority ${master.priority} (ours ${ours})`;
  }
  return `no advert from ${master.address} for ${ago} (limit ${ms(instance.masterDownMs)})`;
}

/** Why the priority moves to what `sum` says: tracks, or a reload that brought another one. */
export function priorityReason(instance: Instance, sum: TrackSum): string {
  const { priority } = instance.settings;
  const known = sum.tracks.filter((t) => t.effect !== "FAULT" || !sum.onlyPending);
  const moving = known.filter((t) => t.effect !== 0);
  const why = moving.map((t) => `${t.kind} ${t.name} ${signed(t.effect)}`);
  if (priority !== instance.basePriority) why.unshift(`the configuration says ${priority} now`);
  if (why.length === 0) why.push("nothing tracked changes it any more");
  return `priority ${instance.effectivePriority} -> ${sum.effectivePriority}: ${why.join(", ")}`;
}

/** What was known when a decision was taken. */
export function decisionInputs(instance: Instance, now: number): Decision["inputs"] {
  const { settings, master } = instance;
  const heard =
    master === undefined
      ? {}
      : {
          master: master.address,
          masterPriority: master.priority,
          masterHeardAgoMs: round(now - master.heardAtMs),
        };
  return {
    state: instance.state.kind,
    basePriority: settings.priority,
    effectivePriority: instance.effectivePriority,
    preempt: settings.preempt,
    advertIntervalMs: instance.activeIntervalMs,
    skewMs: round(instance.skewMs),
    masterDownMs: round(instance.masterDownMs),
    ...heard,
  };
}

function signed(effect: number | "FAULT"): string {
  return effect === "FAULT" || effect < 0 ? String(effect) : `+${effect}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** `608.9 ms` for people: tenths where they matter. */
export function ms(value: number): string {
  return `${value < 100 ? round(value) : Math.round(value)} ms`;
}
