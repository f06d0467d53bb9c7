/** Memory of 1,000 clients who were answered once and now keep their connection open. */

import type { LabProcess } from "../src/lab/process.ts";
import { pause } from "../src/lab/wait.ts";
import { formatTable } from "../src/lib/table.ts";
import { portOf, type Proxy } from "./http-peers.ts";
import { LOAD_CPU, type Stage } from "./http-stage.ts";
import { pssKiB } from "./process-cost.ts";

/** The first ones also fill what a program prepares for its work. */
const FIRST = 1000;
const MORE = 4000;
/** Buffers are given back, garbage is collected. */
const SETTLE_MS = 3000;
const PROGRAM = `${import.meta.dirname}/idle-connections.ts`;

export async function memoryPerConnection(stage: Stage): Promise<void> {
  const lines: string[][] = [];
  for (const proxy of stage.proxies.values()) {
    const held = [pssKiB(proxy.pids())];
    const programs: LabProcess[] = [];
    for (const count of [FIRST, MORE]) {
      programs.push(await openConnections(stage, proxy, count));
      await pause(SETTLE_MS);
      held.push(pssKiB(proxy.pids()));
    }
    for (const program of programs) program.stdin!.end();
    await Promise.all(programs.map((program) => program.ended));
    const [before, first, all] = held as [number, number, number];
    const further = ((all - first) / MORE) * 1000;
    lines.push([proxy.name, ...[before, first - before, further].map(mebibytes)]);
  }
  const head = ["", "fresh, MiB", `first ${FIRST}, MiB`, "each further 1,000, MiB"];
  console.log(`PSS of all its processes, and what ${FIRST + MORE} idle connections add`);
  console.log(`${formatTable(head, lines).join("\n")}\n`);
}

function mebibytes(kib: number): string {
  return (kib / 1024).toFixed(1);
}

async function openConnections({ host }: Stage, proxy: Proxy, count: number): Promise<LabProcess> {
  const port = String(portOf(proxy.name, "full"));
  const argv = ["taskset", "-c", LOAD_CPU, process.execPath, PROGRAM, port, String(count)];
  const program = await host.start(argv, { name: `idle-${count}`, talk: true });
  const said = await new Promise<string>((resolve) => {
    program
      .stdout!.setEncoding("utf8")
      .once("data", resolve)
      .once("end", () => resolve(""));
  });
  if (said.trim() !== "open") throw new Error(`connections to ${proxy.name}: ${program.log}`);
  return program;
}
