/**
 * What journal, measurements and metrics cost the data plane: CPU of the balance worker per request, the
 * same worker with its console switched off, on, and on while somebody scrapes every second. The
 * three take turns, so that a machine whose speed wanders treats them alike. What is always on - counting - is told
 * by the engine with and without it, what is asked of the worker by one that does nothing else.
 */

import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { requireTools } from "./http-stage.ts";
import { BenchNode } from "./evidence-node.ts";
import { median } from "./median.ts";
import { cpuMs, pssKiB } from "./process-cost.ts";

const MAIN = new URL("main.ts", import.meta.url).pathname;
const PORT = 23_417;
const CONNECTIONS = 32;
const IDLE_MS = 15_000;
const MODES = ["off", "on", "scraped"] as const;
type Mode = (typeof MODES)[number];

export async function costBench(rounds: number, seconds: number): Promise<void> {
  requireTools("wrk");
  console.log(`\ncost: one worker, 1 KiB answers, ${CONNECTIONS} connections, ${seconds} s a turn`);
  const node = new BenchNode(PORT);
  try {
    await node.start();
    await load(node, 3);
    const costs: Record<Mode, number[]> = { off: [], on: [], scraped: [] };
    let memory = 0;
    let consoleMs = 0;
    for (let round = 0; round < rounds; round++) {
      // Each mode is the first one as often as the others.
      for (const mode of MODES.map((_, i) => MODES[(i + round) % MODES.length]!)) {
        await node.console(mode !== "off");
        const consoles = await node.pids("console");
        const before = cpuMs(consoles);
        costs[mode].push(await turn(node, mode, seconds));
        if (mode === "on") consoleMs += (cpuMs(consoles) - before) / rounds / seconds;
        if (mode === "on") memory = pssKiB(consoles);
      }
    }
    const off = median(costs.off);
    for (const mode of MODES) {
      const us = median(costs[mode]);
      // Of one round: what wanders slowly is the same in all three.
      const ratios = costs[mode].map((cost, i) => cost / costs.off[i]!);
      const more = `${((median(ratios) - 1) * 100).toFixed(1)} (+- ${(errorOf(ratios) * 100).toFixed(1)})`;
      const spread = [...costs[mode]].sort((a, b) => a - b).map((one) => one.toFixed(1));
      const versus =
        mode === "off"
          ? ""
          : `  ${more} % more (pairs), ${((us / off - 1) * 100).toFixed(1)} % (medians)`;
      console.log(`  console ${mode.padEnd(8)} ${us.toFixed(2)} us CPU a request${versus}`);
      console.log(`    all: ${spread.join(" ")}`);
    }
    const process = `${consoleMs.toFixed(1)} ms CPU a second, ${(memory / 1024).toFixed(0)} MiB`;
    await counting(rounds, off);
    console.log(`  the console process itself: ${process} (proportional set size)`);
    await idle(node);
  } finally {
    await node.stop();
  }
}

interface Engine {
  readonly counted: number;
  readonly blind: number;
}

/**
 * Microseconds of the engine per request, as it is and with counting taken out of it, in processes of their own that
 * take turns. The best batch of each: what else the machine does only ever adds, and far more than is looked for here.
 */
async function engine(only: string, turns: number): Promise<Engine> {
  const best = { counted: Infinity, blind: Infinity };
  const argv = ["--disable-warning=ExperimentalWarning", MAIN, "engine", "--only", only];
  for (let i = 0; i < turns; i++) {
    for (const one of ["counted", "blind"] as const) {
      const words = one === "blind" ? [...argv, "--uncounted"] : argv;
      const { stdout } = await promisify(execFile)(process.execPath, words);
      const us = Number(new RegExp(`^${only}, kept +([0-9.]+)`, "m").exec(stdout)?.[1] ?? NaN);
      if (!(us > 0)) throw new Error(`the bench of the engine said: ${stdout}`);
      best[one] = Math.min(best[one], us);
    }
  }
  return best;
}

/** What the worker spends whatever the console does: told of the engine, and as a share of the whole request. */
async function counting(turns: number, requestUs: number): Promise<void> {
  for (const door of ["lean", "full features"]) {
    const { counted, blind } = await engine(door, turns);
    const more = counted - blind;
    const share = ((more / requestUs) * 100).toFixed(1);
    console.log(
      `  engine, ${door.padEnd(13)} ${counted.toFixed(2)} us a request, without counting ${blind.toFixed(2)}: ` +
        `${more.toFixed(2)} us, ${share} % of the worker's`,
    );
  }
}

/** Standard error of a median; the middle half of the values says how wide they lie, so outliers do not. */
function errorOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
  return (1.2533 * (at(0.75) - at(0.25))) / 1.349 / Math.sqrt(sorted.length);
}

/** What a worker does for others while it does nothing else: that comes on top, whatever the load. */
async function idle(node: BenchNode): Promise<void> {
  for (const mode of MODES) {
    await node.console(mode !== "off");
    const workers = await node.pids("balance");
    const scraping = mode === "scraped" ? scrape(node) : undefined;
    const [cpu, from] = [cpuMs(workers), performance.now()];
    await sleep(IDLE_MS);
    const perSecond = ((cpuMs(workers) - cpu) * 1000) / (performance.now() - from);
    clearInterval(scraping);
    const share = (perSecond / 10).toFixed(3);
    console.log(
      `  idle, console ${mode.padEnd(8)} ${perSecond.toFixed(2)} ms a second: ${share} % of a CPU`,
    );
  }
}

function scrape(node: BenchNode): NodeJS.Timeout {
  return setInterval(() => void node.client.metrics().catch(() => {}), 1_000);
}

/** Microseconds of the worker's CPU per request. */
async function turn(node: BenchNode, mode: Mode, seconds: number): Promise<number> {
  const workers = await node.pids("balance");
  const scraping = mode === "scraped" ? scrape(node) : undefined;
  const before = cpuMs(workers);
  const requests = await load(node, seconds);
  const cost = cpuMs(workers) - before;
  clearInterval(scraping);
  return (cost * 1000) / requests;
}

async function load(node: BenchNode, seconds: number): Promise<number> {
  const words = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, node.url];
  const { stdout } = await promisify(execFile)("wrk", words);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? NaN);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`wrk said: ${stdout}`);
  return requests;
}
