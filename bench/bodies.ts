/**
 * `npm run bench -- bodies [--runs 5] [--megabytes 100] [--only TEXT] [--beside DIRECTORY[,DIRECTORY]]`
 *
 * One large body at a time, up and down, over HTTP/1.1, TLS and HTTP/2, through nginx, HAProxy and
 * Nines in turn, and through other copies of Nines. curl and the backend are on one CPU, the proxies on
 * the other. Ratios are medians of the ratios within one round.
 */

import { parseArgs } from "node:util";
import type { Host } from "../src/lab/host.ts";
import { formatTable } from "../src/lib/table.ts";
import { contenders, portOf } from "./http-peers.ts";
import {
  BACKEND_FILES,
  LOAD_CPU,
  requireTools,
  startStage,
  UPLOADS,
  versionsText,
  type Stage,
} from "./http-stage.ts";
import { median } from "./median.ts";
import { named, wholeNumber } from "./options.ts";
import { cpuMs } from "./process-cost.ts";

interface Row {
  readonly name: string;
  readonly door: "full" | "tls";
  readonly protocol: "--http1.1" | "--http2";
  readonly upload: boolean;
}

const CARRIERS = [
  ["HTTP/1.1", "full", "--http1.1"],
  ["HTTP/1.1 over TLS", "tls", "--http1.1"],
  ["HTTP/2 over TLS", "tls", "--http2"],
] as const;

const rows: readonly Row[] = CARRIERS.flatMap(([name, door, protocol]) =>
  [true, false].map((upload): Row => {
    return { name: `${upload ? "upload" : "download"}, ${name}`, door, protocol, upload };
  }),
);

interface Run {
  readonly seconds: number;
  /** Of all processes of the proxy. */
  readonly cpuMs: number;
}

const BODY = "/run/bench/body";
const TIMEOUT_SECONDS = 120;

export async function bodiesBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string", default: "5" },
      megabytes: { type: "string", default: "100" },
      only: { type: "string" },
      beside: { type: "string" },
    },
  });
  const all = contenders(values.beside?.split(",") ?? []);
  const peers = all.map(({ name }) => name);
  const bytes = wholeNumber("megabytes", values.megabytes) * 1_000_000;
  const runs = wholeNumber("runs", values.runs);
  const chosen = named(rows, ["only", values.only]);
  requireTools("nginx", "haproxy", "curl", "taskset", "openssl");
  console.log(versionsText());
  console.log(`${values.megabytes} MB, ${runs} runs; curl and backend on one CPU\n`);
  const stage = await startStage(all);
  try {
    const { host } = stage;
    for (const file of [BODY, `${BACKEND_FILES}/large`]) {
      await host.run(["sh", "-c", `mkdir -p $(dirname ${file}) && truncate -s ${bytes} ${file}`]);
    }
    for (const row of chosen) {
      const rounds: ReadonlyMap<string, Run>[] = [];
      // The first round only warms up.
      for (let i = 0; i <= runs; i++) rounds.push(await roundOf(stage, row, bytes));
      const lines = peers.map((peer) => lineOf(peer, rounds.slice(1)));
      console.log(`${row.name}\n${formatTable(HEAD, lines).join("\n")}\n`);
    }
  } finally {
    stage.world.destroy();
  }
}

async function roundOf(
  { host, proxies }: Stage,
  row: Row,
  bytes: number,
): Promise<ReadonlyMap<string, Run>> {
  const round = new Map<string, Run>();
  for (const [name, proxy] of proxies) {
    const before = cpuMs(proxy.pids());
    const seconds = await transfer(host, row, { port: portOf(proxy, row.door), bytes });
    round.set(name, { seconds, cpuMs: cpuMs(proxy.pids()) - before });
  }
  return round;
}

/** Seconds, as curl tells them. Throws when not every byte has arrived. */
async function transfer(
  host: Host,
  { door, protocol, upload }: Row,
  { port, bytes }: { readonly port: number; readonly bytes: number },
): Promise<number> {
  const base = `${door === "tls" ? "https" : "http"}://127.0.0.1:${port}`;
  const told = ["--write-out", "%{time_total} %{http_code} %{size_upload} %{size_download}"];
  const words = ["--silent", "--show-error", "--insecure", protocol, "--output", "/dev/null"];
  const what = upload
    ? ["--upload-file", BODY, "--header", "Expect:", `${base}${UPLOADS}/${port}`]
    : [`${base}/large`];
  const limit = ["--max-time", String(TIMEOUT_SECONDS)];
  const argv = ["taskset", "-c", LOAD_CPU, "curl", ...words, ...limit, ...told, ...what];
  const output = await host.run(argv, { timeoutMs: (TIMEOUT_SECONDS + 10) * 1000 });
  const [seconds, status, up, down] = output.split(" ").map(Number);
  const isWhole = (upload ? up : down) === bytes && status! >= 200 && status! < 300;
  if (!isWhole) throw new Error(`curl to ${base} said: ${output}`);
  return seconds!;
}

const HEAD = ["", "seconds", "of nginx's", "fastest", "slowest", "CPU ms", "of nginx's"];

function lineOf(peer: string, rounds: readonly ReadonlyMap<string, Run>[]): string[] {
  const runs = rounds.map((round) => round.get(peer)!);
  const seconds = runs.map((run) => run.seconds);
  const ratio = (of: (run: Run) => number): string => {
    const ratios = rounds.map((round) => of(round.get(peer)!) / of(round.get("nginx") ?? NO_RUN));
    return peer === "nginx" ? "-" : median(ratios).toFixed(2);
  };
  return [
    peer,
    median(seconds).toFixed(2),
    ratio((run) => run.seconds),
    Math.min(...seconds).toFixed(2),
    Math.max(...seconds).toFixed(2),
    median(runs.map((run) => run.cpuMs)).toFixed(0),
    ratio((run) => run.cpuMs),
  ];
}

const NO_RUN: Run = { seconds: NaN, cpuMs: NaN };
