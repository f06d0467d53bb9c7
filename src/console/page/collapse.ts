/**
 * What of a topology is drawn: everything while it is small; otherwise many likes become one, and those
 * that somebody has to look at stay by themselves. A thousand servers are as many boxes as they have pools.
 */

import type { Layer, State, Topology, TopologyEdge, TopologyNode } from "../api.ts";
import { groupState, isQuiet, rankOf } from "./states.ts";

export interface Shown {
  readonly id: string;
  readonly layer: Layer;
  readonly state: State;
  /** Of the one, or of the parent whose members these are; empty: of several parents. */
  readonly name: string;
  readonly parent?: string;
  /** One, or those of the group. */
  readonly members: readonly TopologyNode[];
  readonly isGroup: boolean;
}

export interface ShownEdge extends TopologyEdge {
  readonly id: string;
}

export interface Drawing {
  readonly nodes: readonly Shown[];
  readonly edges: readonly ShownEdge[];
}

/** More servers than this are drawn as groups, one for each pool. */
export const MOST_SERVERS = 24;
/** More of another layer are drawn as those with trouble and one group. */
export const MOST_OF_A_LAYER = 10;

const LAYERS: readonly Layer[] = ["client", "address", "director", "pool"];

export function collapse({ nodes, edges }: Topology): Drawing {
  const shown: Shown[] = [];
  for (const layer of LAYERS) {
    shown.push(...reduced(nodes.filter((node) => node.layer === layer)));
  }
  const ownerOf = new Map<string, string>();
  for (const one of shown) for (const member of one.members) ownerOf.set(member.id, one.id);
  const servers = nodes
    .filter((node) => node.layer === "server")
    .map((node) => {
      const parent =
        node.parent === undefined ? undefined : (ownerOf.get(node.parent) ?? node.parent);
      return { node, parent };
    });
  if (servers.length <= MOST_SERVERS) {
    shown.push(...servers.map(({ node, parent }) => single(node, parent)));
  } else {
    const nameOf = new Map(shown.map(({ id, name, isGroup }) => [id, isGroup ? "" : name]));
    for (const [parent, members] of Map.groupBy(servers, (server) => server.parent)) {
      const named = { id: `group of ${parent ?? "server"}`, name: nameOf.get(parent ?? "") ?? "" };
      shown.push(
        group(
          named,
          members.map(({ node }) => node),
          parent,
        ),
      );
    }
  }
  for (const one of shown) for (const member of one.members) ownerOf.set(member.id, one.id);
  return { nodes: shown, edges: joined(edges, ownerOf) };
}

function reduced(nodes: readonly TopologyNode[]): readonly Shown[] {
  if (nodes.length <= MOST_OF_A_LAYER) return nodes.map((node) => single(node, node.parent));
  const worst = nodes
    .filter(({ state }) => !isQuiet(state))
    .toSorted((a, b) => rankOf(b.state) - rankOf(a.state))
    .slice(0, MOST_OF_A_LAYER - 1);
  const alone = new Set(worst);
  const rest = nodes.filter((node) => !alone.has(node));
  return [
    ...worst.map((node) => single(node, node.parent)),
    group({ id: `group of ${rest[0]!.layer}`, name: "" }, rest, undefined),
  ];
}

function single(node: TopologyNode, parent: string | undefined): Shown {
  const { id, layer, state, name } = node;
  const base = { id, layer, state, name, members: [node], isGroup: false };
  return parent === undefined ? base : { ...base, parent };
}

function group(
  { id, name }: { readonly id: string; readonly name: string },
  members: readonly TopologyNode[],
  parent: string | undefined,
): Shown {
  const state = groupState(members.map((member) => member.state));
  const base = { id, name, state, layer: members[0]!.layer, members, isGroup: true };
  return parent === undefined ? base : { ...base, parent };
}

/** Between groups: the sum of what flows, and the latency of the busiest. */
function joined(
  edges: readonly TopologyEdge[],
  ownerOf: ReadonlyMap<string, string>,
): readonly ShownEdge[] {
  const all = new Map<string, ShownEdge & { readonly busiest: number }>();
  for (const edge of edges) {
    const from = ownerOf.get(edge.from);
    const to = ownerOf.get(edge.to);
    if (from === undefined || to === undefined) continue;
    const id = `${from} -> ${to}`;
    const before = all.get(id);
    const latencyMs =
      before === undefined || edge.requestsPerSecond > before.busiest
        ? edge.latencyMs
        : before.latencyMs;
    all.set(id, {
      id,
      from,
      to,
      isActive: edge.isActive || before?.isActive === true,
      requestsPerSecond: edge.requestsPerSecond + (before?.requestsPerSecond ?? 0),
      errorsPerSecond: edge.errorsPerSecond + (before?.errorsPerSecond ?? 0),
      busiest: Math.max(edge.requestsPerSecond, before?.busiest ?? 0),
      ...(latencyMs === undefined ? {} : { latencyMs }),
    });
  }
  return [...all.values()];
}
