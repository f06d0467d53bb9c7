/** Faults of the network: what is done to one link, to some, or to all of a group's. */

import type { Link } from "./network.ts";
import type { Node } from "./node.ts";
import type { Fault } from "./scenario.ts";
import type { World } from "./world.ts";

export function slowsDown(world: World, fault: Fault): () => void {
  const extraMs = fault.strength * 2 * Math.max(...world.nodes.map((n) => n.plan.intervalMs));
  return onAllPairs(world, true, (link) => {
    link.delayMs += extraMs * 0.5;
    link.jitterMs += extraMs * 0.5;
    return () => {
      link.delayMs -= extraMs * 0.5;
      link.jitterMs -= extraMs * 0.5;
      // What is still under way comes late: for the oracles as good as lost until then.
      link.lastLossMs = Math.max(link.lastLossMs, world.queue.now + extraMs);
    };
  });
}

export function onLinks(
  world: World,
  ends: readonly [Node, Node],
  begins: BeginOnLink,
): () => void {
  const [a, b] = [ends[0].station, ends[1].station];
  return onPairs(
    world,
    [
      [a, b],
      [b, a],
    ],
    begins,
  );
}

type BeginOnLink = (link: Link) => () => void;

export function onPairs(world: World, pairs: readonly number[][], begins: BeginOnLink): () => void {
  const ends: (() => void)[] = [];
  for (let segment = 0; segment < world.scenario.group.instances; segment++) {
    for (const [from, to] of pairs) {
      if (from !== to) ends.push(begins(world.network.link(segment, from!, to!)));
    }
  }
  return () => {
    for (const end of ends) end();
  };
}

/** Between all nodes; `clientsToo`: and to and from every client. */
export function onAllPairs(world: World, clientsToo: boolean, begins: BeginOnLink): () => void {
  const safe = clientsToo && world.scenario.group.announceRefreshMs > 0;
  const stations = (safe ? world.network.stations : world.nodes).flatMap((s) => world.stationOf(s));
  return onPairs(
    world,
    stations.flatMap((a) => stations.map((b) => [a, b])),
    begins,
  );
}

export function cutLink(link: Link): () => void {
  link.cuts++;
  return () => void link.cuts--;
}

export function swap(link: Link, key: "loss" | "duplicate", value: number): () => void {
  link[key] = value;
  return () => {
    link[key] = 0;
  };
}
