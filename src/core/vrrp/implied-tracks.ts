/** What every instance needs without having been told to track it. */

import type { InstanceSettings, TrackReference } from "./settings.ts";

/** It has no link that could be lost. */
const LOOPBACK = "lo";

export function impliedTracks(settings: InstanceSettings): TrackReference[] {
  const needed = (kind: TrackReference["kind"], name: string): TrackReference => {
    return { kind, name, weight: 0, reverse: false };
  };
  const implied = [needed("source", settings.interface)];
  if (settings.trackPrimaryInterface) implied.push(needed("interface", settings.interface));
  for (const name of carriersOf(settings)) implied.push(needed("interface", name));
  if (settings.witnesses.length > 0) implied.push(needed("witness", "witness"));
  return implied;
}

/**
 * Other interfaces that addresses are put on: without a link there nobody reaches them, here or
 * ever, while the peer may be reached. As in keepalived; `no_track` on the line, or a
 * `track_interface` of the operator's own, says otherwise.
 */
export function carriersOf(settings: InstanceSettings): readonly string[] {
  const decided = settings.tracks.filter(({ kind }) => kind === "interface");
  const names = [...settings.addresses, ...settings.excludedAddresses]
    .filter(({ tracked }) => tracked)
    .map((address) => address.interface);
  return [...new Set(names)].filter(
    (name) =>
      name !== settings.interface &&
      name !== LOOPBACK &&
      decided.every((track) => track.name !== name),
  );
}
