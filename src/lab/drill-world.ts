/** Worlds in which drills can run: the demo's two directors and three web servers. */

import { existsSync } from "node:fs";
import { LabSite } from "./drill-site.ts";
import type { Host } from "./host.ts";
import { BIN, RUN_DIRECTORY, STATE_DIRECTORY } from "./peers/nines.ts";
import { FARM_FILE, Farm, runWords, webNames } from "./story/farm.ts";
import { STAGE_FILE, TRACK_EVERY_MS, VIRTUAL_ADDRESS, type Stage } from "./story/stage.ts";
import { webProgram } from "./web-program.ts";

/** Two hundred requests a second, and a thousand of the small world. */
const ASK_EVERY_MS = 5;
const STAGE_ASK_EVERY_MS = 1;
const DISK_MB = 24;

export interface DrillWorld {
  readonly farm: Farm;
  readonly site: LabSite;
}

/** lb1 has the address, a witness and a disk of its own; it is the target. */
export async function buildDrillWorld(): Promise<DrillWorld> {
  const library = FAKETIME.find((path) => existsSync(path));
  const clock = library === undefined ? {} : fakeClock(library);
  const prepare = async (host: Host): Promise<void> => {
    host.write(CLOCK_FILE, "+0\n");
    await mountDisk(host);
  };
  const farm = await Farm.build({ prepare, env: clock });
  return { farm, site: farmSite(farm, clock) };
}

const CLOCK_FILE = "/run/clock";
const FAKETIME = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

/** The clock of programs in one host can be stepped; the monotonic one goes on as it is. */
function fakeClock(library: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: CLOCK_FILE,
    FAKETIME_CACHE_DURATION: "1",
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

/** `env`: of Nines there; without any, the farm is the demo's. */
export function farmSite(farm: Farm, env?: Readonly<Record<string, string>>): LabSite {
  const { world } = farm;
  const isShown = env === undefined;
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  const directories = ["--run-dir", RUN_DIRECTORY, "--state-dir", STATE_DIRECTORY];
  return new LabSite({
    world,
    target: "lb1",
    others: ["lb2"],
    client: "client",
    address: VIRTUAL_ADDRESS,
    askEveryMs: ASK_EVERY_MS,
    configuration: FARM_FILE,
    run: ["env", ...variables, BIN, ...runWords("lb1"), ...directories],
    programs: Object.fromEntries(
      webNames.map((name) => [`web/${name}`, webProgram(world.host(name), farm.webServer)]),
    ),
    trackEveryMs: 0,
    ...(env?.["LD_PRELOAD"] === undefined ? {} : { clockFile: CLOCK_FILE }),
    ...(isShown ? { isShown } : {}),
    powerOn: (name) => (name === "lb1" || name === "lb2" ? farm.startDirector(name) : never(name)),
  });
}

/** The lesson's two servers, with the configuration that they have now. */
export function stageSite(stage: Stage): LabSite {
  const directories = ["--run-dir", RUN_DIRECTORY, "--state-dir", STATE_DIRECTORY];
  return new LabSite({
    world: stage.world,
    target: "server01",
    others: ["server03"],
    client: "client",
    address: VIRTUAL_ADDRESS,
    askEveryMs: STAGE_ASK_EVERY_MS,
    configuration: STAGE_FILE,
    run: [BIN, "run", "-f", STAGE_FILE, ...directories],
    programs: { local: webProgram(stage.host("server01"), stage.webServer) },
    trackEveryMs: TRACK_EVERY_MS,
    isShown: true,
    powerOn: (name) =>
      name === "server01" || name === "server03" ? stage.start(name) : never(name),
  });
}

function never(name: string): never {
  throw new Error(`nobody knows how to start ${name}`);
}

/** An ext4 of its own where Nines keeps its state, so that filling or freezing it hurts nobody. */
async function mountDisk(host: Host): Promise<void> {
  const image = "/tmp/state.img";
  const commands = [
    `mkdir -p ${STATE_DIRECTORY}`,
    `truncate -s ${DISK_MB}M ${image}`,
    `mkfs.ext4 -q -F -O ^has_journal ${image}`,
    `mount -o loop ${image} ${STATE_DIRECTORY}`,
    `chmod 750 ${STATE_DIRECTORY}`,
  ];
  await host.run(["sh", "-c", commands.join(" && ")]).catch(() => mountMemory(host));
}

/** Without loop devices: it can be filled, not frozen. */
async function mountMemory(host: Host): Promise<void> {
  const mount = `mount -t tmpfs -o size=${DISK_MB}m,mode=750 state ${STATE_DIRECTORY}`;
  await host.run(["sh", "-c", `mkdir -p ${STATE_DIRECTORY} && ${mount}`]).catch(() => {});
}
