/**
 * `npm run bench -- checks [--seconds N] [--offered N]`: what active checks cost. The runner of the
 * check process has one core for itself, nginx (which answers) has the others.
 *
 * First as many checks as are asked for, of 10,000 targets (default 10,000 a second); then as many
 * as it can; then as many as it can with a local address, which go through node's own sockets.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { run } from "../src/lab/command.ts";
import { nginxConf, startNginx } from "../src/lab/peers/nginx.ts";
import { World } from "../src/lab/world.ts";
import { formatTable } from "../src/lib/table.ts";
import type { CheckLoad, CheckLoadResult } from "./check-load.ts";
import { positive } from "./options.ts";

const SERVER = "10.75.0.2";
const PLAN = {
  name: "checks",
  segments: ["lan"],
  hosts: {
    checker: { eth0: { segment: "lan", address: "10.75.0.1/24" } },
    server: { eth0: { segment: "lan", address: `${SERVER}/24` } },
  },
};
const TARGETS = 10_000;
/** Enough of them on their way that the runner never waits for the network. */
const FLOOD = { targets: 1000, intervalMs: 10 };

export async function checkBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "10" },
      offered: { type: "string", default: "10000" },
    },
  });
  const seconds = positive("seconds", values.seconds);
  const offered = positive("offered", values.offered);
  const steady = { targets: TARGETS, intervalMs: (TARGETS * 1000) / offered };
  const world = await World.create(PLAN);
  try {
    const server = world.host("server");
    const nginx = await startNginx(server, nginxConf(server, "reset_timedout_connection on;"));
    const own = cpus().length - 1;
    const others = own === 0 ? "0" : `0-${own - 1}`;
    for (const pid of [nginx.pid, ...server.pidsOf("nginx:")]) {
      await run(["taskset", "-a", "-p", "-c", others, String(pid)]);
      await run(["renice", "-n", "-15", "-p", String(pid)]);
    }
    const version = await run(["dpkg-query", "-W", "nginx-light"]);
    console.log(
      `answered by ${version.trim().replace("\t", " ")}; the runner alone on core ${own}\n`,
    );
    const namespace = world.host("checker").namespace;
    const rows: string[][] = [];
    for (const kind of ["tcp", "http"] as const) {
      for (const [load, words] of [
        [steady, `${values.offered} a second`],
        [FLOOD, "as many as it can"],
        [{ ...FLOOD, bind: "10.75.0.1" }, "the same, with bind"],
      ] as const) {
        const result = await measure(namespace, own, { ...load, kind, seconds, server: SERVER });
        rows.push([kind, words, ...cells(result)]);
      }
    }
    const head = [
      "kind",
      "asked for",
      "checks/s",
      "core",
      "µs/check",
      "a full core",
      "p99 late",
      "failed",
      "memory",
    ];
    console.log(formatTable(head, rows).join("\n"));
  } finally {
    world.destroy();
  }
}

function cells({ ended, wallMs, cpuMs, lateP99Ms, failed, residentMb }: CheckLoadResult): string[] {
  return [
    (ended / (wallMs / 1000)).toFixed(0),
    `${((100 * cpuMs) / wallMs).toFixed(0)} %`,
    ((1000 * cpuMs) / ended).toFixed(1),
    ((1000 * ended) / cpuMs).toFixed(0),
    `${lateP99Ms.toFixed(1)} ms`,
    String(failed),
    `${residentMb} MB`,
  ];
}

async function measure(namespace: string, core: number, load: CheckLoad): Promise<CheckLoadResult> {
  const node = [process.execPath, "bench/check-load.ts", JSON.stringify(load)];
  // Before other programs of this machine, which would otherwise be measured too.
  const alone = ["nice", "-n", "-15", "taskset", "-c", String(core)];
  const words = ["netns", "exec", namespace, ...alone, ...node];
  const child = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return JSON.parse(line) as CheckLoadResult;
}
