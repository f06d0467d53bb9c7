/** What a changed configuration means for a running instance. */

import type { InstanceSettings } from "./settings.ts";

/** Settings that a running instance takes over without leaving its state. */
const live: ReadonlySet<keyof InstanceSettings> = new Set<keyof InstanceSettings>([
  "priority",
  "startAsMaster",
  "preempt",
  "preemptDelayMs",
  "excludedAddresses",
  "routes",
  "rules",
  "lowerPriorityNoAdvert",
  "higherPrioritySendAdvert",
  "fastHandover",
  "announce",
  "tracks",
  "trackPrimaryInterface",
  "restoreRemovedAddresses",
  "witnesses",
  "notify",
]);

/** True when the wire format, the timers or the identity changed: stop the old, start the new. */
export function needsRestart(before: InstanceSettings, after: InstanceSettings): boolean {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const key of keys as Set<keyof InstanceSettings>) {
    if (!live.has(key) && !sameValue(before[key], after[key])) return true;
  }
  return false;
}

/** Deep equality of plain data. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = new Map(Object.entries(b).filter(([, v]) => v !== undefined));
  return left.length === right.size && left.every(([k, v]) => sameValue(v, right.get(k)));
}
