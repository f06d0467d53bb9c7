/**
 * `npm run bench -- estimate [--events N] [--seed N]`: do the closed formulas of `nines estimate` and its
 * simulation say the same? They share nothing but the architecture. As Markdown, for docs/estimate.md.
 */

import { globSync } from "node:fs";
import { parseArgs } from "node:util";
import { readEstimate } from "../src/config/estimate/read-estimate.ts";
import { type Block, EXPONENTIAL } from "../src/core/estimate/architecture.ts";
import { withCommonCauses } from "../src/core/estimate/common-cause.ts";
import { stateOf } from "../src/core/estimate/formulas.ts";
import { minutesPerYear, MS_PER_YEAR } from "../src/core/estimate/nines.ts";
import { simulate } from "../src/core/estimate/simulation.ts";
import { wholeNumber } from "./options.ts";

const HOUR = 3_600_000;

export async function estimateBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      events: { type: "string", default: "20000000" },
      seed: { type: "string", default: "1" },
    },
  });
  const options = {
    events: wholeNumber("events", values.events),
    seed: wholeNumber("seed", values.seed),
  };
  console.log(`seed ${options.seed}, ${options.events} events each; minutes of downtime a year\n`);
  console.log("| architecture | formula | simulation, 95 % | outages seen | years | within | s |");
  console.log("|---|---|---|---|---|---|---|");
  for (const [name, block] of [...worked(), ...samples()]) {
    const startMs = performance.now();
    const { unavailability, halfWidth, outages, simulatedMs } = simulate(block, options);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const formula = stateOf(withCommonCauses(block)).unavailability;
    const isNear = Math.abs(formula - unavailability) <= halfWidth;
    const [wanted, seen, width] = [formula, unavailability, halfWidth].map(digits);
    const years = Math.round(simulatedMs / MS_PER_YEAR).toLocaleString("en");
    const cells = [name, wanted, `${seen} ± ${width}`, outages.toLocaleString("en"), years];
    console.log(`| ${[...cells, isNear ? "yes" : "no", seconds].join(" | ")} |`);
    await new Promise(setImmediate);
  }
}

function digits(unavailability: number): string {
  const minutes = minutesPerYear(unavailability);
  return minutes >= 10 ? minutes.toFixed(2) : minutes.toPrecision(3);
}

/** Parts of 2000 h and 4 h, as the published tables have them. */
function worked(): (readonly [string, Block])[] {
  const times = { mttfMs: 2000 * HOUR, mttrMs: 4 * HOUR, life: EXPONENTIAL, repair: EXPONENTIAL };
  const of: Block = { kind: "part", part: { name: "node", ...times } };
  const copies = (total: number, need: number, crews: number): Block => {
    return { kind: "copies", name: "nodes", of, total, need, crews };
  };
  const pair = (switchMs: number, coverage: number): Block => ({
    kind: "failover",
    name: "pair",
    of,
    total: 2,
    crews: 1,
    switchMs,
    coverage,
    manualMs: HOUR,
  });
  return [
    ["one node", of],
    ["1 of 2", copies(2, 1, 2)],
    ["1 of 2, one crew", copies(2, 1, 1)],
    ["2 of 3", copies(3, 2, 3)],
    ["2 of 3, one crew", copies(3, 2, 1)],
    ["pair, 1 s, 99 %", pair(1000, 0.99)],
    ["pair, 3 s, 99 %", pair(3000, 0.99)],
    ["pair, 30 s, 99 %", pair(30_000, 0.99)],
    ["pair, 3 s, 90 %", pair(3000, 0.9)],
  ];
}

function samples(): (readonly [string, Block])[] {
  const root = new URL("../", import.meta.url).pathname;
  return globSync("samples/estimate/*.yaml", { cwd: root })
    .sort()
    .flatMap((path) => {
      const { architecture } = readEstimate(`${root}${path}`);
      return architecture === undefined ? [] : [[path, architecture.system] as const];
    });
}
