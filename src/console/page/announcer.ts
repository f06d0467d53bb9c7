/** What changed between two overviews, in words for whoever cannot watch the picture. Pure. */

import type { Overview, State } from "../api.ts";

export interface Flip {
  readonly name: string;
  readonly from: State;
  readonly to: State;
}

/** Of the same nodes; what appears or goes away is told by the records. */
export function flipsBetween(before: Overview | undefined, after: Overview): readonly Flip[] {
  if (before === undefined || before.topology.nodes === after.topology.nodes) return [];
  const states = new Map(before.topology.nodes.map(({ id, state }) => [id, state]));
  const flips: Flip[] = [];
  for (const { id, state, name } of after.topology.nodes) {
    const from = states.get(id);
    if (from !== undefined && from !== state) flips.push({ name, from, to: state });
  }
  return flips;
}
