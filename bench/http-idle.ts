/** Memory of 1,000 clients who were answered once and now keep their connection open. */

import type { LabProcess } from "../src/lab/process.ts";
import { pause } from "../src/lab/wait.ts";
import { formatTable } from "../src/lib/table.ts";
import { portOf, type Proxy } from "./http-peers.ts";
import { LOAD_CPU, type Stage } from "./http-stage.ts";
import { pssKiB } from "./process-cost.ts";

/** The first ones also fill what a program prepares for its work. */
const FIRST = 1000;
const MORE = { full: 4000, tls: 2000 } as const;
type IdleDoor = keyof typeof MORE;
/** Buffers are given back, garbage is collected. */
const SETTLE_MS = 3000;
const PROGRAM = `${import.meta.dirname}/idle-connections.ts`;

/** Over both doors in turn: what the first left behind is in the second one's `fresh`. */
export async function memoryPerConnection(stage: Stage): Promise<void> {
  await memoryOf(stage, "full");
  await memoryOf(stage, "tls");
}

async function memoryOf(stage: Stage, door: IdleDoor): Promise<void> {
  const lines: string[][] = [];
  for (const proxy of stage.proxies.values()) {
    const held = [pssKiB(proxy.pids())];
    const programs: LabProcess[] = [];
    for (const count of [FIRST, MORE[door]]) {
      programs.push(await openConnections(stage, proxy, { door, count }));
      await pause(SETTLE_MS);
      held.push(pssKiB(proxy.pids()));
    }
    for (const program of programs) program.stdin!.end();
    await Promise.all(programs.map((program) => program.ended));
    const [before, first, all] = held as [number, number, number];
    const further = ((all - first) / MORE[door]) * 1000;
    lines.push([proxy.name, ...[before, first - before, further].map(mebibytes)]);
  }
  const head = ["", "fresh, MiB", `first ${FIRST}, MiB`, "each further 1,000, MiB"];
  const what = door === "tls" ? "idle TLS connections" : "idle connections";
  console.log(`PSS of all its processes, and what ${FIRST + MORE[door]} ${what} add`);
  console.log(`${formatTable(head, lines).join("\n")}\n`);
}

function mebibytes(kib: number): string {
  return (kib / 1024).toFixed(1);
}

async function openConnections(
  { host }: Stage,
  proxy: Proxy,
  { door, count }: { door: IdleDoor; count: number },
): Promise<LabProcess> {
  const port = String(portOf(proxy, door));
  const argv = ["taskset", "-c", LOAD_CPU, process.execPath, PROGRAM, port, String(count), door];
  const program = await host.start(argv, { name: `idle-${door}-${count}`, talk: true });
  const said = await new Promise<string>((resolve) => {
    program
      .stdout!.setEncoding("utf8")
      .once("data", resolve)
      .once("end", () => resolve(""));
  });
  if (said.trim() !== "open") throw new Error(`connections to ${proxy.name}: ${program.log}`);
  return program;
}
