/**
 * What differs between two overviews, and the second one again from the first and that. Server and page
 * run the same code; a change of one server among a thousand costs two hundred bytes.
 */

import type { Overview, OverviewChange, TopologyEdge, TopologyNode } from "./api.ts";

type Part = Exclude<keyof Overview, "topology" | "nowMs">;

/** Undefined when nothing but the time differs. */
export function changeBetween(before: Overview, after: Overview): OverviewChange | undefined {
  const parts: Record<string, unknown> = {};
  for (const key of Object.keys(after) as (keyof Overview)[]) {
    if (key === "topology" || key === "nowMs") continue;
    if (!isSame(before[key], after[key])) parts[key satisfies Part] = after[key];
  }
  const nodes = differing(before.topology.nodes, after.topology.nodes, (node) => node.id);
  const edges = differing(before.topology.edges, after.topology.edges, edgeId);
  const gone = [...nodes.gone, ...edges.gone];
  const size = Object.keys(parts).length + nodes.changed.length + edges.changed.length;
  if (size + gone.length === 0) return undefined;
  return { nowMs: after.nowMs, parts, nodes: nodes.changed, edges: edges.changed, gone };
}

export function applyChange(before: Overview, change: OverviewChange): Overview {
  const gone = new Set(change.gone);
  return {
    ...before,
    ...change.parts,
    nowMs: change.nowMs,
    topology: {
      nodes: patched(before.topology.nodes, change.nodes, { gone, idOf: (node) => node.id }),
      edges: patched(before.topology.edges, change.edges, { gone, idOf: edgeId }),
    },
  };
}

export function edgeId({ from, to }: TopologyEdge): string {
  return `${from} -> ${to}`;
}

function differing<T extends TopologyNode | TopologyEdge>(
  before: readonly T[],
  after: readonly T[],
  idOf: (one: T) => string,
): { readonly changed: readonly T[]; readonly gone: readonly string[] } {
  const old = new Map(before.map((one) => [idOf(one), one]));
  const changed: T[] = [];
  for (const one of after) {
    const id = idOf(one);
    if (!isSame(old.get(id), one)) changed.push(one);
    old.delete(id);
  }
  return { changed, gone: [...old.keys()] };
}

/** In place where it was known, new ones at the end. */
function patched<T extends TopologyNode | TopologyEdge>(
  before: readonly T[],
  changed: readonly T[],
  { gone, idOf }: { readonly gone: ReadonlySet<string>; readonly idOf: (one: T) => string },
): readonly T[] {
  if (changed.length === 0 && gone.size === 0) return before;
  const fresh = new Map(changed.map((one) => [idOf(one), one]));
  const result: T[] = [];
  for (const one of before) {
    const id = idOf(one);
    if (!gone.has(id)) result.push(fresh.get(id) ?? one);
    fresh.delete(id);
  }
  return [...result, ...fresh.values()];
}

/** Plain data; keys in any order, one that is undefined is not there. Runs over every server each second. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  let surplus = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    if (!isSame(left[key], right[key])) return false;
    surplus++;
  }
  for (const key in right) {
    if (right[key] !== undefined) surplus--;
  }
  return surplus === 0;
}
