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
  "trackSource",
  "restoreRemovedAddresses",
  "witnesses",
  "notify",
]);

/** True when the wire format, the timers or the identity changed: stop the old, start the new. */
export function needsRestart(before: InstanceSettings, after: InstanceSettings): boolean {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const key of keys as Set<keyof InstanceSettings>) {
    if (live.has(key) || sameValue(before[key], after[key])) continue;
    if (key === "authentication" && bothTrailers(before, after)) continue;
    if (key === "transport" && bothUnicast(before, after)) continue;
    return true;
  }
  return false;
}

/** Keys are rotated and modes tightened on a running group: only what follows the advert changes. */
function bothTrailers(before: InstanceSettings, after: InstanceSettings): boolean {
  const kinds = [before.authentication.kind, after.authentication.kind];
  return kinds.every((kind) => kind === "none" || kind === "hmac");
}

/** Peers come and go. AH counts its packets per sender, and would seem to start again. */
function bothUnicast(before: InstanceSettings, after: InstanceSettings): boolean {
  if (after.authentication.kind === "ah") return false;
  return before.transport.kind === "unicast" && after.transport.kind === "unicast";
}

/** Deep equality of plain data. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = new Map(Object.entries(b).filter(([, v]) => v !== undefined));
  return left.length === right.size && left.every(([k, v]) => sameValue(v, right.get(k)));
}
