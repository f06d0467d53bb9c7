/**
 * What a pool's algorithm goes by, in words: for `nines explain-request`. Made of the same numbers as the
 * pick itself, and changes none of them.
 */

import { latencyText } from "./peak-latency.ts";
import type { Algorithm } from "./pool-settings.ts";
import type { Server } from "./server.ts";
import type { Tier } from "./tier.ts";

/** Servers named in one line. */
const NAMED = 8;

export interface ExplainedPick {
  readonly now: number;
  readonly hash: number;
  /** What the hash was made of, e.g. `header X-User "user0"`; "" when the algorithm needs none. */
  readonly key: string;
}

/** A line for the algorithm, and one for those that are left out, if there are any. */
export function explainPick(algorithm: Algorithm, tier: Tier, asked: ExplainedPick): string[] {
  const out = tier.members.filter((server) => !server.usable || server.full);
  const left = list(out.map(whyNot));
  return [
    `${algorithm.kind}: ${goesBy(algorithm, tier, asked)}`,
    ...(out.length === 0 ? [] : [`left out: ${left}`]),
  ];
}

function goesBy(algorithm: Algorithm, tier: Tier, asked: ExplainedPick): string {
  const of = (number: (server: Server) => string): string =>
    list(tier.usable.map((server) => `${server.name} ${number(server)}`));
  switch (algorithm.kind) {
    case "round-robin":
      return `in turn by weight: ${of(weightOf)}`;
    case "least-connections":
      return `fewest (requests + 1) / weight: ${of((s) => rounded((s.active + 1) / s.weight))}`;
    case "two-choices":
      return `of two drawn by weight the one with fewer requests / weight: ${of((s) => rounded(s.active / s.weight))}`;
    case "peak-ewma":
      return `of two drawn by weight the one with less latency x (1 + requests / weight): ${of((s) => latencyText(s, asked.now, algorithm.decayMs))}`;
    case "hash":
    case "maglev":
      return `hash of ${asked.key}: ${hexOf(asked.hash)}, ${tier.explain(asked.hash)}`;
    case "first":
      return `the first with a free place: ${of(placesOf)}`;
    case "random":
      return `drawn by weight: ${of((s) => `${rounded((100 * s.weight) / sum(tier))} %`)}`;
  }
}

function whyNot(server: Server): string {
  if (server.usable) return `${server.name} full (${placesOf(server)})`;
  const state = server.weight === 0 && server.inService ? "weight 0" : server.state;
  return `${server.name} ${state} (${server.stateReason})`;
}

function weightOf({ weight }: Server): string {
  return rounded(weight);
}

function placesOf({ active, maxConnections }: Server): string {
  return maxConnections === 0 ? `${active} of any number` : `${active} of ${maxConnections}`;
}

function sum({ usable }: Tier): number {
  return usable.reduce((all, { weight }) => all + weight, 0);
}

function list(texts: readonly string[]): string {
  if (texts.length <= NAMED) return texts.join(", ") || "nobody";
  return `${texts.slice(0, NAMED).join(", ")} and ${texts.length - NAMED} more`;
}

function hexOf(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
