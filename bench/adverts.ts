/**
 * `npm run bench -- adverts [--instances 100] [--advert 0.1] [--rounds 3] [--against TREE]`
 *
 * CPU per advert of the one process that speaks VRRP, all of its threads. Received: adverts come
 * evenly spread, so that each wakes the process alone. Sent: a master of as many instances.
 * `--against` measures another checkout of Nines in the same world at the same time.
 */

import { readFileSync, readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Host } from "../src/lab/host.ts";
import { startNines } from "../src/lab/peers/nines.ts";
import { pause, waitFor } from "../src/lab/wait.ts";
import { World } from "../src/lab/world.ts";
import { formatTable } from "../src/lib/table.ts";
import { positive, wholeNumber } from "./options.ts";
import { startDaemon } from "./vrrp-daemons.ts";
import { cpuMs, pssKiB } from "./process-cost.ts";
import { instances } from "./vrrp-idle.ts";

const ROUND_MS = 10_000;
/** Until the just-in-time compiler has seen enough. */
const WARM_UP_MS = 10_000;
const TREE = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** A subject starts with a configuration's text; returns the process that speaks VRRP. */
type Start = (host: Host, configuration: string) => Promise<() => readonly number[]>;

interface Load {
  readonly count: number;
  readonly advertSeconds: number;
}

export async function advertBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      instances: { type: "string", default: "100" },
      advert: { type: "string", default: "0.1" },
      rounds: { type: "string", default: "3" },
      against: { type: "string" },
    },
  });
  const load = {
    count: wholeNumber("instances", values.instances),
    advertSeconds: positive("advert", values.advert),
  };
  const subjects = new Map<string, Start>([
    ["keepalived", startPeer],
    ["nines", starterOf(startNines)],
  ]);
  if (values.against !== undefined) {
    const other: { startNines: typeof startNines } = await import(
      resolve(values.against, "src/lab/peers/nines.ts")
    );
    subjects.set(values.against, starterOf(other.startNines));
  }
  const rounds = wholeNumber("rounds", values.rounds);
  const heard = await receiving(subjects, load, rounds);
  const sent = await sending(subjects, load, rounds);
  const perSecond = load.count / load.advertSeconds;
  console.log(`\nus of CPU per advert, ${perSecond} adverts/s, rounds of ${ROUND_MS / 1000} s`);
  const rows = [...subjects.keys()].map((name) => [
    name,
    heard.get(name)!.join(" / "),
    sent.get(name)!.join(" / "),
  ]);
  console.log(formatTable(["implementation", "received", "sent"], rows).join("\n"));
}

function starterOf(start: typeof startNines): Start {
  return async (host, configuration) => {
    const peer = await start(host, host.write("/run/keepalived.conf", configuration));
    return () => peer.pids("vrrp");
  };
}

async function startPeer(host: Host, configuration: string): Promise<() => readonly number[]> {
  const daemon = await startDaemon("keepalived", host, configuration);
  return () => daemon.pids("protocol");
}

/** All subjects are backups on one segment and hear the very same adverts. */
async function receiving(
  subjects: ReadonlyMap<string, Start>,
  load: Load,
  rounds: number,
): Promise<Map<string, string[]>> {
  const names = [...subjects.keys()];
  const world = await worldOf([1, ...names.map((_, i) => i + 2)], () => "lan");
  try {
    const script = `${TREE}/bench/advert-source.ts`;
    const what = ["eth0", "10.78.0.1", "10.78.1", load.count, load.advertSeconds * 1000];
    // As a master's process is scheduled: a source that comes late makes masters of them all.
    const argv = ["chrt", "--rr", "20", process.execPath, script, ...what.map(String)];
    const source = await world.host("h1").start(argv, { name: "source" });
    await waitFor(() => source.log.includes("sending"), 10_000, "the adverts");
    const find = new Map<string, () => readonly number[]>();
    for (const [i, name] of names.entries()) {
      const configuration = instances({ ...load, priority: 100 - i });
      find.set(name, await subjects.get(name)!(world.host(`h${i + 2}`), configuration));
    }
    return await account(find, load, rounds);
  } finally {
    world.destroy();
  }
}

/** Each subject is the master of a segment of its own. */
async function sending(
  subjects: ReadonlyMap<string, Start>,
  load: Load,
  rounds: number,
): Promise<Map<string, string[]>> {
  const names = [...subjects.keys()];
  const world = await worldOf([...names.keys()], (n) => `lan${n}`);
  try {
    const find = new Map<string, () => readonly number[]>();
    for (const [i, name] of names.entries()) {
      const host = world.host(`h${i}`);
      find.set(name, await subjects.get(name)!(host, instances({ ...load, priority: 100 })));
      await waitFor(() => host.holds(`10.78.1.${load.count}`), 60_000, `${name} to be master`);
    }
    return await account(find, load, rounds);
  } finally {
    world.destroy();
  }
}

async function worldOf(
  numbers: readonly number[],
  segmentOf: (n: number) => string,
): Promise<World> {
  const hosts = numbers.map(
    (n) => [`h${n}`, { eth0: { segment: segmentOf(n), address: `10.78.0.${n}/16` } }] as const,
  );
  const segments = [...new Set(numbers.map(segmentOf))];
  return World.create({ name: "adverts", segments, hosts: Object.fromEntries(hosts) });
}

async function account(
  find: ReadonlyMap<string, () => readonly number[]>,
  load: Load,
  rounds: number,
): Promise<Map<string, string[]>> {
  await pause(WARM_UP_MS);
  // Only now: keepalived starts a process beside the others for a moment.
  const pids = new Map([...find].map(([name, all]) => [name, all()]));
  const figures = new Map([...pids.keys()].map((name) => [name, [] as string[]]));
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const before = new Map([...pids].map(([name, all]) => [name, cpuMs(all)]));
    await pause(ROUND_MS);
    const adverts = ((performance.now() - startMs) / 1000 / load.advertSeconds) * load.count;
    for (const [name, all] of pids) {
      const us = ((cpuMs(all) - before.get(name)!) * 1000) / adverts;
      figures.get(name)!.push(us.toFixed(1));
    }
  }
  for (const [name, all] of pids) {
    const threads = all.reduce((n, pid) => n + readdirSync(`/proc/${pid}/task`).length, 0);
    const resident = all.reduce((kib, pid) => kib + residentKiB(pid), 0);
    console.error(`${name}: ${resident} KiB resident, PSS ${pssKiB(all)} KiB, ${threads} threads`);
  }
  return figures;
}

function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}
