/** Many seeds: which fail, and which seed kills which planted bug. */

import { plant, type PlantedBug } from "./plant.ts";
import type { MakeRouter } from "./process.ts";
import { shrink, type Shrunk } from "./shrink.ts";
import { drawScenario } from "./swarm.ts";
import type { OracleName, Violation } from "./violation.ts";
import { play } from "./world.ts";

export interface Failure {
  readonly seed: number;
  readonly oracle: OracleName | "same-seed-same-trace";
  readonly message: string;
}

export interface Tally {
  readonly seeds: number;
  readonly events: number;
  readonly virtualMs: number;
  /** Over all runs; equal campaigns have equal hashes. */
  readonly hash: number;
  readonly failures: readonly Failure[];
}

export interface Range {
  readonly from: number;
  readonly count: number;
}

/** A planted bug must die within so many; most die in the first ones, a new one should. */
export const KILL_SEEDS = 400;
/** Every so many seeds one is played twice: the same seed must give the same trace. */
const REPLAY_EVERY = 50;

export function runSeeds(range: Range, makeRouter: MakeRouter): Tally {
  const failures: Failure[] = [];
  let events = 0;
  let virtualMs = 0;
  let hash = 0;
  for (let seed = range.from; seed < range.from + range.count; seed++) {
    const outcome = play(drawScenario(seed), makeRouter);
    events += outcome.events;
    virtualMs += outcome.durationMs;
    hash = (hash + Math.imul(outcome.hash, seed | 1)) >>> 0;
    if (outcome.violation !== undefined) failures.push(failureOf(seed, outcome.violation));
    if (seed % REPLAY_EVERY !== 0) continue;
    const again = play(drawScenario(seed), makeRouter).hash;
    if (again === outcome.hash) continue;
    const message = `hash ${outcome.hash}, then ${again}`;
    failures.push({ seed, oracle: "same-seed-same-trace", message });
  }
  return { seeds: range.count, events, virtualMs, hash, failures };
}

export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((n, t) => n + of(t), 0);
  return {
    seeds: sum((t) => t.seeds),
    events: sum((t) => t.events),
    virtualMs: sum((t) => t.virtualMs),
    hash: sum((t) => t.hash) >>> 0,
    failures: tallies.flatMap((t) => t.failures).sort((a, b) => a.seed - b.seed),
  };
}

/** The smallest scenario that makes the same oracle bite as `seed` does. */
export function shrinkSeed(seed: number, oracle: OracleName, makeRouter: MakeRouter): Shrunk {
  return shrink(drawScenario(seed), oracle, (s) => play(s, makeRouter).violation?.oracle);
}

export interface Kill {
  readonly bug: PlantedBug;
  /** The oracles that saw it, each found with all before it muted; empty: the bug survived. */
  readonly oracles: readonly OracleName[];
  /** Seeds played until it died. */
  readonly seeds: number;
}

/** So many witnesses of a bug are enough. */
const MAX_WITNESSES = 4;

/**
 * Plays seeds against one planted bug until an oracle bites; with `witnesses`, mutes that one and
 * goes on, to see who else would have noticed. Seeds that fail without the bug prove nothing and
 * are passed over.
 */
export function kill(
  bug: PlantedBug,
  makeRouter: MakeRouter,
  range: Range,
  witnesses = false,
): Kill {
  const buggy = plant(bug, makeRouter);
  const oracles: OracleName[] = [];
  let seeds = range.count;
  for (let i = 0; i < range.count; i++) {
    const scenario = drawScenario(range.from + i);
    for (;;) {
      const muted = new Set(oracles);
      const { violation } = play(scenario, buggy, { muted });
      if (violation === undefined || muted.has(violation.oracle)) break;
      if (play(scenario, makeRouter).violation !== undefined) break;
      if (oracles.length === 0) seeds = i + 1;
      oracles.push(violation.oracle);
      if (!witnesses || oracles.length >= MAX_WITNESSES) return { bug, oracles, seeds };
    }
  }
  return { bug, oracles, seeds };
}

/** Markdown, kept in docs/sim-kill-table.md. */
export function killTable(kills: readonly Kill[]): string {
  const rows = kills.map(
    (k) =>
      `| ${k.bug.name} | ${k.bug.what} | ${k.oracles[0] ?? "**survived**"} | ${k.seeds} ` +
      `| ${k.oracles.slice(1).join(", ")} |`,
  );
  const head = [
    "| planted bug | what it does | oracle that bit | seeds | with it muted |",
    "|---|---|---|---|---|",
  ];
  return `${[...head, ...rows].join("\n")}\n`;
}

function failureOf(seed: number, violation: Violation): Failure {
  return { seed, oracle: violation.oracle, message: violation.message };
}
