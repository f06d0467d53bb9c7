/**
 * `track_group`: static addresses, routes and rules that some instances cannot do without. While
 * the kernel refuses one of a group, its instances are in FAULT.
 */

import type { RouterInput } from "../core/vrrp/router-ports.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { describe, trackGroupOf, type KernelObject } from "../drivers/kernel-object.ts";

type TrackFact = Extract<RouterInput, { type: "track-changed" }>;

export class StaticGroups {
  #names: readonly string[] = [];
  readonly #told = new Map<string, string>();

  adopt({ instances }: Pick<VrrpSettings, "instances">): void {
    const tracks = instances.flatMap((instance) => instance.tracks);
    this.#names = [...new Set(tracks.filter((t) => t.kind === "static").map((t) => t.name))];
  }

  /** What is different from what was said last. */
  news(missing: readonly KernelObject[]): readonly TrackFact[] {
    return this.#names.flatMap((name) => {
      const gone = missing.filter((object) => trackGroupOf(object) === name);
      const reason =
        gone.length === 0
          ? `everything static of track_group ${name} is there`
          : `track_group ${name}: ${gone.map(describe).join(", ")} cannot be put back`;
      if (this.#told.get(name) === reason) return [];
      this.#told.set(name, reason);
      const ok = gone.length === 0;
      return [{ type: "track-changed", kind: "static", name, ok, value: 0, reason }];
    });
  }
}
