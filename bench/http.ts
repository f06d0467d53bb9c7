/**
 * `npm run bench -- http [--runs 3] [--seconds 3] [--only TEXT] [--quick] [--no-memory]`
 *
 * A backend directly, and through nginx, HAProxy and Nines, in turn: proxy on one CPU, load and
 * backend on the other. Figures are medians of the runs; ratios are medians of the ratios within
 * one round, so that a machine that is slow for a while is slow for all.
 */

import { parseArgs } from "node:util";
import { formatTable } from "../src/lib/table.ts";
import { memoryPerConnection } from "./http-idle.ts";
import { BACKEND_PORTS, implementations, portOf, type Implementation } from "./http-peers.ts";
import { rows, type Row } from "./http-rows.ts";
import { bodies, requireTools, startStage, versionsText, type Stage } from "./http-stage.ts";
import { wrk, type Told } from "./http-wrk.ts";
import { median } from "./median.ts";
import { cpuMs } from "./process-cost.ts";

type Runner = "direct" | Implementation;
const RUNNERS: readonly Runner[] = ["direct", ...implementations];
const WARM_UP_SECONDS = 2;

interface Run extends Told {
  /** Of all processes of the proxy; undefined: there is none. */
  readonly cpuUs: number | undefined;
}

type Rounds = readonly Readonly<Record<Runner, Run>>[];

export async function httpBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-memory": { type: "boolean", default: false },
    },
  });
  const { only, quick } = values;
  const runs = Number(values.runs ?? (quick ? 1 : 3));
  const seconds = Number(values.seconds ?? (quick ? 2 : 3));
  const chosen = rows.filter((row) =>
    only === undefined ? !quick || row.quick : named(row, only),
  );
  requireTools("nginx", "haproxy", "wrk", "taskset", "openssl");
  console.log(versionsText());
  console.log(`${runs} runs of ${seconds} s; load and backend on a CPU of their own\n`);
  const stage = await startStage(implementations);
  try {
    // Before the load, which leaves memory behind that connections would then use.
    if (!values["no-memory"]) await memoryPerConnection(stage);
    const warm = new Set<string>();
    for (const row of chosen) {
      const lines = linesOf(row, await roundsOf(stage, row, { runs, seconds, warm }));
      console.log(`${row.name}\n${formatTable(HEAD, lines).join("\n")}\n`);
    }
  } finally {
    stage.world.destroy();
  }
}

function named(row: Row, only: string): boolean {
  return row.name.includes(only);
}

async function roundsOf(
  stage: Stage,
  row: Row,
  how: { runs: number; seconds: number; warm: Set<string> },
): Promise<Rounds> {
  if (!how.warm.has(row.door)) {
    how.warm.add(row.door);
    for (const runner of RUNNERS) await runOnce(stage, row, { runner, seconds: WARM_UP_SECONDS });
  }
  const rounds: Record<Runner, Run>[] = [];
  for (let i = 0; i < how.runs; i++) {
    const round: Partial<Record<Runner, Run>> = {};
    for (const runner of RUNNERS) {
      round[runner] = await runOnce(stage, row, { runner, seconds: how.seconds });
    }
    rounds.push(round as Record<Runner, Run>);
  }
  return rounds;
}

async function runOnce(
  { host, proxies }: Stage,
  row: Row,
  { runner, seconds }: { runner: Runner; seconds: number },
): Promise<Run> {
  const port = runner === "direct" ? BACKEND_PORTS[0] : portOf(runner, row.door);
  const scheme = row.door === "tls" && runner !== "direct" ? "https" : "http";
  const url = `${scheme}://127.0.0.1:${port}${bodies[row.body]}`;
  const proxy = runner === "direct" ? undefined : proxies.get(runner);
  const pids = proxy?.pids();
  const before = pids === undefined ? 0 : cpuMs(pids);
  const told = await wrk(host, { url, connections: row.connections, seconds, fresh: row.fresh });
  const cpuUs = pids && ((cpuMs(pids) - before) * 1000) / told.requests;
  return { ...told, cpuUs };
}

const HEAD = [
  "",
  "req/s",
  "CPU us/req",
  "of nginx's",
  "of HAProxy's",
  "p50 ms",
  "p99 ms",
  "p99.9 ms",
  "errors",
];

function linesOf(row: Row, rounds: Rounds): string[][] {
  return RUNNERS.map((runner) => {
    const runs = rounds.map((round) => round[runner]);
    const of = (figure: (run: Run) => number): number => median(runs.map(figure));
    const errors = runs.reduce((sum, run) => sum + run.errors, 0);
    return [
      runner === "direct" && row.door === "tls" ? "direct (no TLS)" : runner,
      of((run) => run.perSecond).toFixed(0),
      runner === "direct" ? "-" : of((run) => run.cpuUs ?? NaN).toFixed(1),
      ratio(rounds, runner, "nginx"),
      ratio(rounds, runner, "HAProxy"),
      of((run) => run.p50Ms).toFixed(2),
      of((run) => run.p99Ms).toFixed(2),
      of((run) => run.p999Ms).toFixed(2),
      String(errors),
    ];
  });
}

/** CPU per request against another's, within the rounds. */
function ratio(rounds: Rounds, runner: Runner, other: Runner): string {
  if (runner === "direct" || runner === other) return "-";
  return median(rounds.map((r) => (r[runner].cpuUs ?? NaN) / (r[other].cpuUs ?? NaN))).toFixed(2);
}
