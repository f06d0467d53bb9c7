/** The eight words for a state, and what goes with each: rank, tone, and a shape of its own. */

import type { State, VerdictState } from "../api.ts";

/** Best first. A group of unlike members is judged by this order. */
const STATES: readonly State[] = [
  "UP",
  "STANDBY",
  "DRAINING",
  "MAINTENANCE",
  "GOING-DOWN",
  "DEGRADED",
  "UNKNOWN",
  "DOWN",
];

/** Names of colours in the style sheet. */
export type Tone = "good" | "warn" | "bad" | "idle" | "drain" | "maint" | "unknown";

const TONES: Readonly<Record<State, Tone>> = {
  UP: "good",
  STANDBY: "idle",
  DRAINING: "drain",
  MAINTENANCE: "maint",
  "GOING-DOWN": "warn",
  DEGRADED: "warn",
  UNKNOWN: "unknown",
  DOWN: "bad",
};

export function rankOf(state: State): number {
  return STATES.indexOf(state);
}

export function toneOf(state: State): Tone {
  return TONES[state];
}

/** Of services, in the words of everything else. */
export function stateOfVerdict(state: VerdictState): State {
  return state.toUpperCase() as State;
}

/** Nobody has to look at these. */
export function isQuiet(state: State): boolean {
  return state === "UP" || state === "STANDBY";
}

/**
 * Of many as one: what all of them are; otherwise DEGRADED as soon as one fails beside one that is up,
 * and the worst where none is up.
 */
export function groupState(states: Iterable<State>): State {
  const seen = new Set(states);
  const ranked = [...seen].toSorted((a, b) => rankOf(b) - rankOf(a));
  const worst = ranked[0] ?? "UNKNOWN";
  if (seen.size <= 1 || !seen.has("UP")) return worst;
  return rankOf(worst) >= rankOf("GOING-DOWN") ? "DEGRADED" : "UP";
}

/** How many are in which state, worst first. */
export function countStates(states: Iterable<State>): readonly (readonly [State, number])[] {
  const counts = new Map<State, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => rankOf(b) - rankOf(a));
}
