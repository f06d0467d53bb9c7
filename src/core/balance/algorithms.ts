/** From the configured algorithm to the object that picks. */

import type { Prng } from "../../lib/prng.ts";
import { BetterOfTwo, WeightedRandom, latencyCost, loadCost } from "./pick-by-draw.ts";
import { KeyTable } from "./pick-by-table.ts";
import { FirstFree, LeastConnections, RoundRobin } from "./pick-in-turn.ts";
import type { Picker } from "./picker.ts";
import type { Algorithm } from "./pool-settings.ts";

/** Of the table behind `hash`: prime, exact to 1 % for up to 655 servers. */
const HASH_TABLE_SIZE = 65_537;

export function makePicker(algorithm: Algorithm, prng: Prng): Picker {
  switch (algorithm.kind) {
    case "round-robin":
      return new RoundRobin();
    case "least-connections":
      return new LeastConnections();
    case "two-choices":
      return new BetterOfTwo(prng, loadCost);
    case "peak-ewma":
      return new BetterOfTwo(prng, latencyCost(algorithm.decayMs));
    case "hash":
      return new KeyTable(HASH_TABLE_SIZE, algorithm.boundPercent);
    case "maglev":
      return new KeyTable(algorithm.tableSize, Infinity);
    case "first":
      return new FirstFree();
    case "random":
      return new WeightedRandom(prng);
  }
}

/** The same picking: what is only another key of the request needs no new picker. */
export function picksAlike(one: Algorithm, other: Algorithm): boolean {
  switch (one.kind) {
    case "peak-ewma":
      return other.kind === "peak-ewma" && other.decayMs === one.decayMs;
    case "hash":
      return other.kind === "hash" && other.boundPercent === one.boundPercent;
    case "maglev":
      return other.kind === "maglev" && other.tableSize === one.tableSize;
    default:
      return one.kind === other.kind;
  }
}
