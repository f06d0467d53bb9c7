/**
 * `npm run bench -- http [--runs 3] [--seconds 3] [--only TEXT] [--quick] [--no-memory] [--warm 50]`
 * `[--beside DIRECTORY[,DIRECTORY]] `: other copies of Nines are measured in the same rounds.
 *
 * A backend directly, and through nginx, HAProxy and Nines, in turn: proxy on one CPU, load and
 * backend on the other. Figures are medians of the runs; ratios are medians of the ratios within
 * one round, so that a machine that is slow for a while is slow for all.
 */

import { parseArgs } from "node:util";
import { formatTable } from "../src/lib/table.ts";
import { memoryPerConnection } from "./http-idle.ts";
import { BACKEND_PORTS, contenders, portOf } from "./http-peers.ts";
import { rows, type Row } from "./http-rows.ts";
import { bodies, requireTools, startStage, versionsText, type Stage } from "./http-stage.ts";
import { wrk, type Told } from "./http-wrk.ts";
import { median } from "./median.ts";
import { named, wholeNumber } from "./options.ts";
import { cpuMs } from "./process-cost.ts";

/** A proxy's name, or `direct`. */
type Runner = string;
const DIRECT = "direct";
const PEERS: readonly Runner[] = ["nginx", "HAProxy"];
/**
 * Before the first row: for so long V8's compiler is seen working beside who runs, on the one CPU. In rounds as
 * they are measured: what accepts and closes connections runs only when a load begins and ends.
 */
const WARM_UP_SECONDS = "50";
/** Before the first row of another door. */
const DOOR_SECONDS = 10;

interface Run extends Told {
  /** Of all processes of the proxy; undefined: there is none. */
  readonly cpuUs: number | undefined;
}

type Rounds = readonly ReadonlyMap<Runner, Run>[];

export async function httpBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-memory": { type: "boolean", default: false },
      warm: { type: "string", default: WARM_UP_SECONDS },
      beside: { type: "string" },
    },
  });
  const { only, quick } = values;
  const runs = wholeNumber("runs", values.runs ?? (quick ? "1" : "3"));
  const seconds = wholeNumber("seconds", values.seconds ?? (quick ? "2" : "3"));
  const warm = wholeNumber("warm", values.warm);
  const chosen = named(rows, ["only", only]).filter(
    (row) => !quick || only !== undefined || row.quick,
  );
  requireTools("nginx", "haproxy", "wrk", "taskset", "openssl");
  console.log(versionsText());
  console.log(`${runs} runs of ${seconds} s; load and backend on a CPU of their own\n`);
  const stage = await startStage(contenders(values.beside?.split(",") ?? []));
  try {
    // Before the load, which leaves memory behind that connections would then use.
    if (!values["no-memory"]) await memoryPerConnection(stage);
    const runners = [DIRECT, ...stage.proxies.keys()];
    let door: string | undefined;
    for (const row of chosen) {
      if (row.door !== door) {
        const first = door === undefined ? warm : DOOR_SECONDS;
        await roundsOf(stage, row, { runs: Math.ceil(first / seconds), seconds });
      }
      door = row.door;
      const lines = linesOf(row, runners, await roundsOf(stage, row, { runs, seconds }));
      console.log(`${row.name}\n${formatTable(HEAD, lines).join("\n")}\n`);
    }
  } finally {
    stage.world.destroy();
  }
}

async function roundsOf(
  stage: Stage,
  row: Row,
  how: { runs: number; seconds: number },
): Promise<Rounds> {
  const rounds: Map<Runner, Run>[] = [];
  for (let i = 0; i < how.runs; i++) {
    const round = new Map<Runner, Run>();
    for (const runner of [DIRECT, ...stage.proxies.keys()]) {
      round.set(runner, await runOnce(stage, row, { runner, seconds: how.seconds }));
    }
    rounds.push(round);
  }
  return rounds;
}

async function runOnce(
  { host, proxies }: Stage,
  row: Row,
  { runner, seconds }: { runner: Runner; seconds: number },
): Promise<Run> {
  const proxy = proxies.get(runner);
  const port = proxy === undefined ? BACKEND_PORTS[0] : portOf(proxy, row.door);
  const scheme = row.door === "tls" && proxy !== undefined ? "https" : "http";
  const url = `${scheme}://127.0.0.1:${port}${bodies[row.body]}`;
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
  "of Nines'",
  "p50 ms",
  "p99 ms",
  "of the peers'",
  "p99.9 ms",
  "errors",
];

function linesOf(row: Row, runners: readonly Runner[], rounds: Rounds): string[][] {
  return runners.map((runner) => {
    const runs = rounds.map((round) => round.get(runner)!);
    const of = (figure: (run: Run) => number): number => median(runs.map(figure));
    const errors = runs.reduce((sum, run) => sum + run.errors, 0);
    return [
      runner === DIRECT && row.door === "tls" ? "direct (no TLS)" : runner,
      of((run) => run.perSecond).toFixed(0),
      runner === DIRECT ? "-" : of((run) => run.cpuUs ?? NaN).toFixed(1),
      ratio(rounds, runner, "nginx"),
      ratio(rounds, runner, "HAProxy"),
      ratio(rounds, runner, "Nines"),
      of((run) => run.p50Ms).toFixed(2),
      of((run) => run.p99Ms).toFixed(2),
      latenessRatio(rounds, runner),
      of((run) => run.p999Ms).toFixed(2),
      String(errors),
    ];
  });
}

/** CPU per request against another's, within the rounds. */
function ratio(rounds: Rounds, runner: Runner, other: Runner): string {
  if (runner === DIRECT || runner === other) return "-";
  const cost = (round: Rounds[number], name: Runner): number => round.get(name)?.cpuUs ?? NaN;
  return median(rounds.map((round) => cost(round, runner) / cost(round, other))).toFixed(2);
}

/** p99 against the later of nginx and HAProxy, within the rounds. */
function latenessRatio(rounds: Rounds, runner: Runner): string {
  if (runner === DIRECT || PEERS.includes(runner)) return "-";
  const late = (round: Rounds[number], name: Runner): number => round.get(name)?.p99Ms ?? NaN;
  return median(
    rounds.map((round) => {
      const peers = PEERS.map((peer) => late(round, peer));
      return late(round, runner) / Math.max(...peers);
    }),
  ).toFixed(2);
}
