/**
 * `npm run sim -- proxy` and `-- tcp`: thousands of worlds of clients and servers around the real
 * proxy engine.
 *
 * Exit 0: every oracle held; 1: one bit, or a planted bug lived; 2: wrong usage.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { PLANTED_BUGS, type PlantedBug } from "../../src/sim/proxy/planted-bugs.ts";
import type { MakeEngine } from "../../src/sim/proxy/stage.ts";
import { drawScenario } from "../../src/sim/proxy/swarm.ts";
import { TCP_PLANTED_BUGS } from "../../src/sim/proxy/tcp-planted-bugs.ts";
import { drawTcpScenario } from "../../src/sim/proxy/tcp-scenario.ts";
import { playTcp } from "../../src/sim/proxy/tcp-world.ts";
import { ProxyViolation } from "../../src/sim/proxy/violation.ts";
import { playProxy } from "../../src/sim/proxy/world.ts";

/** Failures that are told one by one. */
const MAX_TOLD = 10;
const KILL_SEEDS = 300;
const TABLE_PATH = "docs/sim-kill-table-proxy.md";

export const PROXY_USAGE = `usage: npm run sim -- proxy|tcp [options]
  --seeds N       how many seeds (default 5000)
  --from N        the first seed (default 1)
  --kill-table    plant every known bug of both and write ${TABLE_PATH}`;

interface Played {
  /** Requests, or connections: all, and those that went well. */
  readonly all: number;
  readonly well: number;
  readonly events: number;
  readonly virtualMs: number;
}

interface Kind {
  readonly word: "proxy" | "tcp";
  readonly title: string;
  /** What `all` and `well` are. */
  readonly told: readonly [string, string];
  readonly play: (seed: number, makeEngine?: MakeEngine) => Played;
  readonly bugs: readonly PlantedBug[];
}

const REQUESTS: Kind = {
  word: "proxy",
  title: "Requests",
  told: ["requests", "answered by a server"],
  play: (seed, makeEngine) => {
    const { entries, events, virtualMs } = playProxy(drawScenario(seed), makeEngine);
    const well = entries.filter((entry) => entry.fromServer).length;
    return { all: entries.length, well, events, virtualMs };
  },
  bugs: PLANTED_BUGS,
};

const CONNECTIONS: Kind = {
  word: "tcp",
  title: "Connections that are carried as bytes",
  told: ["connections", "whole both ways"],
  play: (seed, makeEngine) => {
    const { sessions, whole, events, virtualMs } = playTcp(drawTcpScenario(seed), makeEngine);
    return { all: sessions, well: whole, events, virtualMs };
  },
  bugs: TCP_PLANTED_BUGS,
};

export function simulateProxy(words: readonly string[]): number {
  return simulate(REQUESTS, words);
}

export function simulateTcp(words: readonly string[]): number {
  return simulate(CONNECTIONS, words);
}

function simulate(kind: Kind, words: readonly string[]): number {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { type: "string", default: "5000" },
      from: { type: "string", default: "1" },
      "kill-table": { type: "boolean", default: false },
    },
  });
  if (values["kill-table"]) return writeKillTable();
  const [seeds, from] = [Number(values.seeds), Number(values.from)];
  if (!Number.isInteger(seeds) || !Number.isInteger(from) || seeds < 1 || from < 0) {
    console.error(PROXY_USAGE);
    return 2;
  }
  const started = performance.now();
  const sums = { failed: 0, events: 0, all: 0, well: 0, virtualMs: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const { all, well, events, virtualMs } = kind.play(seed);
      sums.events += events;
      sums.virtualMs += virtualMs;
      sums.all += all;
      sums.well += well;
    } catch (error) {
      if (++sums.failed > MAX_TOLD) continue;
      const replay = `npm run sim -- ${kind.word} --from ${seed} --seeds 1`;
      console.log(`SEED=${seed} ${String(error)}\n    replay: ${replay}`);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const hours = (sums.virtualMs / 3_600_000).toFixed(1);
  const [all, well] = kind.told;
  console.log(
    `${seeds} seeds from ${from}: ${sums.failed} failed; ${sums.all} ${all}, ` +
      `${sums.well} ${well}, ${sums.events} events, ${hours} virtual hours in ${seconds} s`,
  );
  return sums.failed > 0 ? 1 : 0;
}

function writeKillTable(): number {
  let survivors = 0;
  const tables = [REQUESTS, CONNECTIONS].map((kind) => {
    const rows = kind.bugs.map((bug) => {
      const death = killed(kind, bug);
      if (death === undefined) survivors++;
      const { oracle, seed } = death ?? { oracle: "SURVIVED", seed: KILL_SEEDS };
      return `| ${bug.name} | ${oracle} | ${seed} |`;
    });
    return [`## ${kind.title}`, "", "| planted bug | oracle | seeds |", "|---|---|---|", ...rows];
  });
  const text = [PREFACE, ...tables.flatMap((lines) => [...lines, ""])].join("\n");
  writeFileSync(TABLE_PATH, text);
  console.log(`written to ${TABLE_PATH}`);
  return survivors > 0 ? 1 : 0;
}

function killed(kind: Kind, bug: PlantedBug): { oracle: string; seed: number } | undefined {
  for (let seed = 1; seed <= KILL_SEEDS; seed++) {
    try {
      kind.play(seed, bug.make);
    } catch (error) {
      if (error instanceof ProxyViolation) return { oracle: error.oracle, seed };
      throw error;
    }
  }
  return undefined;
}

const PREFACE = `# Kill table of the balancer's simulator

Written by \`npm run sim -- tcp --kill-table\`. Every bug is planted around the real engine
(\`src/sim/proxy/planted-bugs.ts\`, \`tcp-planted-bugs.ts\`); seeds 1, 2, 3 ... are played until an oracle bites.
"seeds" is how many that took.
`;
