/** All that the page knows. Views read it; the connection, the keyboard and the dialogs write it. */

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { ActionRequest, Overview, StateAt, Topology, TopologyNode } from "../api.ts";
import { routeOf, type Route } from "./routes.ts";
import { ServerClock } from "./server-clock.ts";

/** Our line to the console. */
export type Link =
  | { readonly phase: "connecting" }
  | { readonly phase: "live" }
  /** Nothing comes any more, or nothing came yet. Monotonic times. */
  | {
      readonly phase: "lost";
      readonly reason: string;
      readonly sinceMs: number;
      readonly failures: number;
    }
  /** The console wants to know who we are. */
  | { readonly phase: "refused"; readonly reason: string };

/** A look at the past. */
export interface Cursor {
  readonly atMs: number;
  /** Absent while it is on its way. */
  readonly state?: StateAt;
  readonly trouble?: string;
}

export type Dialog =
  | { readonly kind: "action"; readonly request: ActionRequest }
  | { readonly kind: "sign-in" }
  | { readonly kind: "help" }
  | { readonly kind: "search" };

export const overview: Signal<Overview | undefined> = signal(undefined);
export const link: Signal<Link> = signal({ phase: "connecting" });
export const route: Signal<Route> = signal(routeOf(globalThis.location?.hash ?? ""));
export const cursor: Signal<Cursor | undefined> = signal(undefined);
export const dialog: Signal<Dialog | undefined> = signal(undefined);
/** Told to people who see and to those who listen, for a while. */
export const notice: Signal<{ readonly text: string; readonly isBad: boolean } | undefined> =
  signal(undefined);
/** Counts seconds, so that ages grow while nothing comes. */
export const tick: Signal<number> = signal(0);

const NOTHING: Topology = { nodes: [], edges: [] };

export const clock: ServerClock = new ServerClock();

/** Unix ms of the node that answers, whatever the browser's clock says. */
export const serverNow: ReadonlySignal<number> = computed(() => {
  void tick.value;
  return clock.now(performance.now()) ?? 0;
});

const parts = new Map<keyof Overview, ReadonlySignal<unknown>>();

/** One part of the overview: whoever reads it is drawn again only when that part differs. */
export function told<K extends keyof Overview>(key: K): Overview[K] | undefined {
  let part = parts.get(key);
  if (part === undefined) {
    part = computed(() => overview.value?.[key]);
    parts.set(key, part);
  }
  return part.value as Overview[K] | undefined;
}

/** Now, or then. */
export const shownTopology: ReadonlySignal<Topology> = computed(
  () => cursor.value?.state?.topology ?? told("topology") ?? NOTHING,
);

export const nodesById: ReadonlySignal<ReadonlyMap<string, TopologyNode>> = computed(
  () => new Map(shownTopology.value.nodes.map((node) => [node.id, node])),
);

export const mayOperate: ReadonlySignal<boolean> = computed(
  () => told("viewer")?.role === "operate",
);

/** ms since the last sign of life; undefined: it is live. */
export const silentForMs: ReadonlySignal<number | undefined> = computed(() => {
  void tick.value;
  const now = link.value;
  return now.phase === "lost" ? performance.now() - now.sinceMs : undefined;
});
