/**
 * `npm run sim`: thousands of seeds against the real router, in virtual time.
 *
 * Exit 0: every oracle held; 1: one bit, or a planted bug survived; 2: wrong usage.
 */

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { Router } from "../../src/core/vrrp/router.ts";
import {
  addTallies,
  KILL_SEEDS,
  killTable,
  shrinkSeed,
  type Failure,
  type Tally,
} from "../../src/sim/campaign.ts";
import { plantedBugs } from "../../src/sim/planted-bugs.ts";
import type { MakeRouter } from "../../src/sim/process.ts";
import { tell } from "../../src/sim/story.ts";
import { drawScenario } from "../../src/sim/swarm.ts";
import { oracleNames } from "../../src/sim/violation.ts";
import { play } from "../../src/sim/world.ts";
import { PROXY_USAGE, simulateProxy, simulateTcp } from "./proxy.ts";
import type { Answer, Task } from "./worker.ts";

const usage = `usage: npm run sim -- [options]
  --seeds N       how many seeds (default 2000)
  --from N        the first seed (default 1)
  --jobs N        worker threads (default: one per CPU)
  --seed N        play one seed and print its story and whole trace
  --shrink        with --seed: cut it to the smallest scenario that fails
  --kill-table    plant every known bug and write docs/sim-kill-table.md`;

const makeRouter: MakeRouter = (settings) => new Router(settings);
/** Seeds handed to a worker at once. */
const CHUNK = 100;
/** Failures of different oracles that are shrunk and told. */
const MAX_TOLD = 3;
const TABLE_PATH = "docs/sim-kill-table.md";

async function main(): Promise<number> {
  if (process.argv[2] === "proxy") return simulateProxy(process.argv.slice(3));
  if (process.argv[2] === "tcp") return simulateTcp(process.argv.slice(3));
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "2000" },
      from: { type: "string", default: "1" },
      jobs: { type: "string", default: String(availableParallelism()) },
      seed: { type: "string" },
      shrink: { type: "boolean", default: false },
      "kill-table": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(`${usage}\n\n${PROXY_USAGE}`);
    return 0;
  }
  const jobs = wholeNumber("jobs", values.jobs, 1);
  if (values["kill-table"]) return writeKillTable(jobs);
  if (values.seed !== undefined) return playOne(wholeNumber("seed", values.seed, 0), values.shrink);
  const from = wholeNumber("from", values.from, 0);
  return playMany(from, wholeNumber("seeds", values.seeds, 1), jobs);
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UsageError(`--${name}: '${text}' is not a whole number of at least ${least}`);
}

class UsageError extends Error {}

async function playMany(from: number, seeds: number, jobs: number): Promise<number> {
  const started = performance.now();
  const tasks: Task[] = [];
  for (let at = 0; at < seeds; at += CHUNK) {
    tasks.push({ kind: "seeds", from: from + at, count: Math.min(CHUNK, seeds - at) });
  }
  let done = 0;
  let said = 0;
  const tallies: Tally[] = [];
  await runTasks(tasks, jobs, (answer) => {
    if (answer.kind !== "tally") return;
    tallies.push(answer.tally);
    for (const failure of answer.tally.failures) announceFailure(failure);
    done += answer.tally.seeds;
    const tenths = Math.floor((done * 10) / seeds);
    if (tenths > said) console.log(`${done} of ${seeds} seeds, ${elapsed(started)}`);
    said = tenths;
  });
  const total = addTallies(tallies);
  const virtualHours = (total.virtualMs / 3_600_000).toFixed(1);
  console.log(
    `${seeds} seeds from ${from}: ${total.failures.length} failed; ${total.events} events, ` +
      `${virtualHours} virtual hours in ${elapsed(started)}; hash ${total.hash.toString(16)}`,
  );
  tellFailures(total.failures);
  return total.failures.length > 0 ? 1 : 0;
}

function announceFailure({ seed, oracle, message }: Failure): void {
  console.log(`SEED=${seed} ${oracle}: ${message}\n    replay: npm run sim -- --seed ${seed}`);
}

/** The first failure of each oracle, cut to its shortest story. */
function tellFailures(failures: readonly Failure[]): void {
  const firsts = new Map<string, Failure>();
  for (const failure of failures) {
    if (!firsts.has(failure.oracle)) firsts.set(failure.oracle, failure);
  }
  for (const { seed, oracle } of [...firsts.values()].slice(0, MAX_TOLD)) {
    if (oracle === "same-seed-same-trace") continue;
    const { scenario, runs } = shrinkSeed(seed, oracle, makeRouter);
    const message = play(scenario, makeRouter).violation?.message ?? "";
    console.log(`\nseed ${seed} shrunk in ${runs} runs, ${oracle}: ${message}\n${tell(scenario)}`);
  }
  for (const [oracle, { seed }] of firsts) {
    const count = failures.filter((failure) => failure.oracle === oracle).length;
    console.log(`${oracle}: ${count} seeds, the first is ${seed}`);
  }
}

function playOne(seed: number, shrunk: boolean): number {
  let scenario = drawScenario(seed);
  const first = play(scenario, makeRouter);
  if (shrunk && first.violation !== undefined) {
    scenario = shrinkSeed(seed, first.violation.oracle, makeRouter).scenario;
  }
  const outcome = play(scenario, makeRouter, { trace: true });
  console.log(tell(scenario));
  console.log(outcome.lines.join("\n"));
  const { hash, events, violation } = outcome;
  console.log(`seed ${seed}: ${events} events, hash ${hash.toString(16)}`);
  if (!shrunk && hash !== first.hash) {
    console.log(`played twice, hash ${first.hash.toString(16)} the other time: not deterministic`);
    return 1;
  }
  if (violation === undefined) return 0;
  console.log(`${violation.oracle}: ${violation.message}`);
  return 1;
}

async function writeKillTable(jobs: number): Promise<number> {
  const rows = new Map<string, string>();
  const survivors: string[] = [];
  const bitten = new Set<string>();
  const tasks = plantedBugs.map((bug): Task => ({
    kind: "kill",
    bug: bug.name,
    count: KILL_SEEDS,
  }));
  await runTasks(tasks, jobs, (answer) => {
    if (answer.kind !== "kill") return;
    const { oracles, seeds } = answer;
    const bug = plantedBugs.find((b) => b.name === answer.bug)!;
    if (oracles.length === 0) survivors.push(bug.name);
    for (const oracle of oracles) bitten.add(oracle);
    rows.set(bug.name, killTable([{ bug, oracles, seeds }]));
    console.log(`${bug.name}: ${oracles[0] ?? "SURVIVED"} after ${seeds} seeds`);
  });
  const kills = plantedBugs.map((bug) => rows.get(bug.name)!.trimEnd().split("\n"));
  const head = kills[0]!.slice(0, 2);
  const table = [...head, ...kills.map((lines) => lines[2]!)].join("\n");
  const idle = oracleNames.filter((name) => !bitten.has(name));
  const rest =
    idle.length === 0 ? "" : `\nOracles that no planted bug needed: ${idle.join(", ")}.\n`;
  writeFileSync(TABLE_PATH, `${preface}\n${table}\n${rest}`);
  console.log(`written to ${TABLE_PATH}`);
  if (survivors.length > 0) console.log(`survived ${KILL_SEEDS} seeds: ${survivors.join(", ")}`);
  return survivors.length > 0 ? 1 : 0;
}

const preface = `# Kill table of the simulator

Written by \`npm run sim -- --kill-table\`. Every bug is planted around the real router
(\`src/sim/planted-bugs.ts\`); seeds 1, 2, 3 ... are played until an oracle bites. "seeds" is how
many that took. The last column shows which oracles see the bug when those before them are muted:
it proves that more than one stands in its way.
`;

/** Hands tasks to workers, one at a time each, until none is left. */
async function runTasks(
  tasks: readonly Task[],
  jobs: number,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url));
    try {
      while (next < tasks.length) onAnswer(await ask(worker, tasks[next++]!));
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
}

function ask(worker: Worker, task: Task): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const answered = (answer: Answer): void => {
    worker.off("error", reject);
    resolve(answer);
  };
  worker.once("message", answered);
  worker.once("error", reject);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  worker.postMessage(task);
  return promise;
}

function elapsed(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

try {
  process.exitCode = await main();
} catch (error) {
  const wrongUsage =
    error instanceof UsageError ||
    (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE"));
  if (!wrongUsage) throw error;
  console.error(`${error.message}\n${usage}`);
  process.exitCode = 2;
}
