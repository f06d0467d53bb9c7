/** Clients that mean ill beside clients that mean well: what it costs the others, and how much memory. */

import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { Host } from "../../src/lab/host.ts";
import { untilListening } from "../../src/lab/listening.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { type NinesPeer, startBalancer } from "../../src/lab/peers/nines.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { pause } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";

const LB = "10.80.0.10";
const PLAN = {
  name: "hostile",
  segments: ["lan"],
  hosts: {
    good: { eth0: { segment: "lan", address: ["10.80.0.50/24"] } },
    bad: { eth0: { segment: "lan", address: ["10.80.0.66/24"] } },
    lb: { eth0: { segment: "lan", address: [`${LB}/24`] } },
    web: { eth0: { segment: "lan", address: ["10.80.0.1/24"] } },
  },
} as const;

const YAML = `
frontends:
  web:
    listen: ":8080"
    pool: web
    routes:
      - { path: /sink, pool: sink }
pools:
  web: { servers: ["10.80.0.1:9001"] }
  sink: { servers: ["10.80.0.1:9003"] }
`;

/** \`/big\` is a file of nothing. */
const NGINX = `
  server {
    listen 9001 backlog=4096;
    root /run/files;
    location / { default_type text/plain; return 200 "well\\n"; }
    location = /big { }
  }
`;

const PROGRAMS = `${import.meta.dirname}/../lab/programs`;
const GOOD_USERS = 8;
const GOOD_PAUSE_MS = 3;
const LOOK_MS = 200;
/** Until the attackers stand. */
const RISE_MS = 2500;

export interface Attack {
  readonly kind: string;
  readonly clients: number;
}

/** What is asked for in one row: 1,000 slow heads and the others. */
export const ATTACKS: readonly Attack[] = [
  { kind: "slow-heads", clients: 1000 },
  { kind: "slow-bodies", clients: 1000 },
  { kind: "connections", clients: 5000 },
  { kind: "head-flood", clients: 50 },
  { kind: "huge-bodies", clients: 20 },
  { kind: "no-reading", clients: 200 },
];

export interface AttackRow extends Attack {
  /** What the attackers saw. */
  readonly told: AttackTold;
  readonly calm: GoodReport;
  readonly attacked: GoodReport;
  readonly rssBeforeMiB: number;
  readonly rssPeakMiB: number;
  readonly rssAfterMiB: number;
}

interface AttackTold {
  readonly opened: number;
  readonly closed: number;
  readonly refused: number;
  readonly bytes: number;
  readonly statuses: Readonly<Record<string, number>>;
}

interface GoodReport {
  readonly good: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function attackRows(
  attacks: readonly Attack[],
  windowMs: number,
  each: (row: AttackRow) => void,
): Promise<void> {
  await withWorld(PLAN, async (world) => {
    const web = world.host("web");
    await web.run(["sh", "-c", "mkdir -p /run/files && truncate -s 50M /run/files/big"]);
    await startNginx(web, nginxConf(web, NGINX));
    const sink = [process.execPath, `${PROGRAMS}/http-count.ts`, "9003", "/run/sink.log"];
    await untilListening(await web.start(sink, { name: "sink" }), 9003);
    const lb = world.host("lb");
    const peer = await startBalancer(lb, ["run", "-f", lb.write("/run/nines.yaml", YAML)]);
    // Whatever is compiled or grown once is no part of what is measured.
    await goodUsers(world, windowMs);
    for (const attack of attacks) each(await measure(world, peer, attack, windowMs));
  });
}

async function measure(
  world: World,
  peer: NinesPeer,
  attack: Attack,
  windowMs: number,
): Promise<AttackRow> {
  const calm = await goodUsers(world, windowMs);
  const rssBeforeMiB = rssMiB(peer);
  const { kind, clients } = attack;
  const words = [kind, String(clients), LB, "8080"];
  const argv = [process.execPath, `${PROGRAMS}/http-attack.ts`, ...words];
  const attacker = await world.host("bad").start(argv, { name: kind, talk: true });
  let rssPeakMiB = rssBeforeMiB;
  const looking = setInterval(() => (rssPeakMiB = Math.max(rssPeakMiB, rssMiB(peer))), LOOK_MS);
  await pause(RISE_MS);
  const attacked = await goodUsers(world, windowMs);
  const told = await ended<AttackTold>(attacker);
  clearInterval(looking);
  await pause(RISE_MS);
  return { ...attack, told, calm, attacked, rssBeforeMiB, rssPeakMiB, rssAfterMiB: rssMiB(peer) };
}

async function goodUsers(world: World, windowMs: number): Promise<GoodReport> {
  const host: Host = world.host("good");
  const words = [LB, "8080", String(GOOD_USERS), String(GOOD_PAUSE_MS)];
  const argv = [process.execPath, `${PROGRAMS}/http-load.ts`, ...words];
  const load = await host.start(argv, { name: "load", talk: true });
  await pause(windowMs);
  return ended<GoodReport>(load);
}

async function ended<T>(program: LabProcess): Promise<T> {
  const output = text(program.stdout!);
  program.stdin!.end();
  const said = await output;
  if (said === "") throw new Error(`${program.name} ended: ${program.log}`);
  return JSON.parse(said) as T;
}

/** Of all workers. */
function rssMiB(peer: NinesPeer): number {
  const sizes = peer.pids("balance").map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? "0") / 1024;
  });
  return Math.round(sizes.reduce((sum, size) => sum + size, 0));
}
