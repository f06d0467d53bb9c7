/** CPU and memory of a master and a backup that only send and hear adverts, and false failovers. */

import { readFileSync } from "node:fs";
import * as faults from "../src/lab/faults.ts";
import { pause, waitFor } from "../src/lab/wait.ts";
import { World } from "../src/lab/world.ts";
import { formatTable } from "../src/lib/table.ts";
import { cpuMs, pssKiB } from "./process-cost.ts";
import { implementations, startDaemon, type Daemon, type Implementation } from "./vrrp-daemons.ts";

const ADVERTS: readonly number[] = [1, 0.1];
const WINDOW_MS = 10_000;
/** What is done once is done: the compiler is through with what 255 adverts a second make hot. */
const SETTLE_MS = 150_000;
const FALSE_FAILOVER_MS = 60_000;
const BUSY_LOOPS = 8;

/** `counts`: of instances; of `adverts` only those that CPU is counted at. */
export async function idleCost(
  counts: readonly number[],
  adverts: readonly number[],
): Promise<void> {
  const rows: string[][] = [];
  for (const count of counts) {
    for (const advert of ADVERTS.filter((one) => adverts.includes(one))) {
      for (const implementation of implementations) {
        const row = await measure(implementation, count, advert);
        console.error(row.join("  "));
        rows.push(row);
      }
    }
  }
  const head = [
    "instances",
    "advert",
    "implementation",
    "master CPU %",
    "us per advert sent: all processes / the one that sends",
    "backup CPU %",
    "heard: all / the one",
    "PSS master, backup",
    "processes",
  ];
  console.log(`\nidle cost over ${WINDOW_MS / 1000} s`);
  console.log(formatTable(head, rows).join("\n"));
  console.log(
    `\nfalse failovers in ${FALSE_FAILOVER_MS / 1000} s at 10 ms adverts, ${BUSY_LOOPS} busy loops`,
  );
  for (const implementation of implementations) {
    console.log(`${implementation}: ${await falseFailovers(implementation)}`);
  }
}

async function pairOf(
  implementation: Implementation,
  count: number,
  advert: number,
): Promise<{ world: World; master: Daemon; backup: Daemon }> {
  const host = (n: number): object => ({
    eth0: { segment: "lan", address: `10.78.0.${n}/16` },
  });
  const world = await World.create({
    name: "idle",
    segments: ["lan"],
    hosts: { lb1: host(11), lb2: host(12) } as never,
  });
  const daemons: Daemon[] = [];
  for (const [name, priority] of [
    ["lb1", 150],
    ["lb2", 100],
  ] as const) {
    const server = world.host(name);
    daemons.push(
      await startDaemon(
        implementation,
        server,
        instances({ count, advertSeconds: advert, priority }),
      ),
    );
    const last = `10.78.1.${count}`;
    if (name === "lb1") await waitFor(() => server.holds(last), 60_000, "lb1 to be master");
  }
  return { world, master: daemons[0]!, backup: daemons[1]! };
}

async function measure(
  implementation: Implementation,
  count: number,
  advert: number,
): Promise<string[]> {
  const { world, master, backup } = await pairOf(implementation, count, advert);
  try {
    await pause(SETTLE_MS);
    const accounts = [master, backup].map((daemon) => ({
      all: account(daemon, "all"),
      protocol: account(daemon, "protocol"),
    }));
    await pause(WINDOW_MS);
    const adverts = (count * WINDOW_MS) / (advert * 1000);
    const costs = accounts.flatMap(({ all, protocol }) => {
      const usedMs = all();
      const us = [usedMs, protocol()].map((ms) => ((ms / adverts) * 1000).toFixed(1));
      return [((usedMs / WINDOW_MS) * 100).toFixed(2), us.join(" / ")];
    });
    return [
      String(count),
      `${advert} s`,
      implementation,
      ...costs,
      `${pssKiB(master.pids("all"))} KiB, ${pssKiB(backup.pids("all"))} KiB`,
      String(master.pids("all").length),
    ];
  } finally {
    world.destroy();
  }
}

/** Starts to count; what it returns tells the ms until then. */
function account(daemon: Daemon, which: "all" | "protocol"): () => number {
  const before = cpuMs(daemon.pids(which));
  return () => cpuMs(daemon.pids(which)) - before;
}

/**
 * The backup's kernel itself tells when an address came: one listener that was started before the
 * load. To look again and again would be one more load, and would miss a short possession.
 */
async function falseFailovers(implementation: Implementation): Promise<string> {
  const { world } = await pairOf(implementation, 1, 0.01);
  try {
    const lb2 = world.host("lb2");
    const log = `${lb2.state.directory}/log/addresses.log`;
    await lb2.start(["ip", "-o", "monitor", "address"], { name: "addresses", log });
    await pause(1000);
    const undo = await faults.cpuHog(world.host("lb1"), BUSY_LOOPS);
    await pause(FALSE_FAILOVER_MS);
    await undo();
    await pause(1000);
    const events = readFileSync(log, "utf8").split("\n");
    // A renewed lifetime is told like a new address: only the first after a removal is a take-over.
    let held = false;
    let seen = 0;
    for (const event of events.filter((line) => line.includes(" 10.78.1.1/"))) {
      const gone = event.startsWith("Deleted");
      if (!gone && !held) seen++;
      held = !gone;
    }
    return seen === 0 ? "none" : `lb2 took the address ${seen} times`;
  } finally {
    world.destroy();
  }
}

/** A configuration of `count` instances with one address each, `10.78.1.N`. */
export function instances(what: {
  readonly count: number;
  readonly advertSeconds: number;
  readonly priority: number;
}): string {
  const { count, advertSeconds, priority } = what;
  const blocks = Array.from(
    { length: count },
    (_, i) => `
vrrp_instance VI_${i + 1} {
    version 3
    state BACKUP
    interface eth0
    virtual_router_id ${i + 1}
    priority ${priority}
    advert_int ${advertSeconds}
    virtual_ipaddress {
        10.78.1.${i + 1}/16
    }
}`,
  );
  return blocks.join("\n");
}
