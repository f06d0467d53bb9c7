/** Memory of 1,000 clients who were answered once and now keep their connection open. */

import type { LabProcess } from "../src/lab/process.ts";
import { pause } from "../src/lab/wait.ts";
import { formatTable } from "../src/lib/table.ts";
import { portOf, type Proxy } from "./http-peers.ts";
import { LOAD_CPU, type Stage } from "./http-stage.ts";
import { pssKiB } from "./process-cost.ts";

const CONNECTIONS = 4000;
/** Buffers are given back, garbage is collected. */
const SETTLE_MS = 3000;
const PROGRAM = `${import.meta.dirname}/idle-connections.ts`;

export async function memoryPerConnection(stage: Stage): Promise<void> {
  const lines: string[][] = [];
  for (const proxy of stage.proxies.values()) {
    const before = pssKiB(proxy.pids());
    const program = await openConnections(stage, proxy);
    await pause(SETTLE_MS);
    const held = pssKiB(proxy.pids());
    program.stdin!.end();
    await program.ended;
    const each = ((held - before) / CONNECTIONS) * 1000;
    lines.push([proxy.name, ...[before, held, each].map((kib) => (kib / 1024).toFixed(1))]);
  }
  const head = ["", "before, MiB", `with ${CONNECTIONS}, MiB`, "per 1,000, MiB"];
  console.log(`PSS of all its processes, fresh, with ${CONNECTIONS} idle connections`);
  console.log(`${formatTable(head, lines).join("\n")}\n`);
}

async function openConnections({ host }: Stage, proxy: Proxy): Promise<LabProcess> {
  const port = String(portOf(proxy.name, "full"));
  const argv = ["taskset", "-c", LOAD_CPU, process.execPath, PROGRAM, port, String(CONNECTIONS)];
  const program = await host.start(argv, { name: "idle", talk: true });
  const said = await new Promise<string>((resolve) => {
    program
      .stdout!.setEncoding("utf8")
      .once("data", resolve)
      .once("end", () => resolve(""));
  });
  if (said.trim() !== "open") throw new Error(`connections to ${proxy.name}: ${program.log}`);
  return program;
}
