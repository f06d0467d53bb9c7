/** Two servers that run one implementation, and a client that asks them: one run of one row. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../src/lab/host.ts";
import type { LabProcess } from "../src/lab/process.ts";
import { startEchoServer, startUdpProbe, type Probe } from "../src/lab/probe.ts";
import { waitFor } from "../src/lab/wait.ts";
import { World } from "../src/lab/world.ts";
import { AdvertWatch } from "./advert-watch.ts";
import { startDaemon, type Daemon, type Implementation } from "./vrrp-daemons.ts";

export const VIRTUAL_ADDRESS = "10.77.0.200";
const PRIORITIES = { lb1: 150, lb2: 100 };
const ADDRESSES: Readonly<Record<string, string>> = { lb1: "10.77.0.11", lb2: "10.77.0.12" };
const START_TIMEOUT_MS = 30_000;
/** Nodes run for months: what one prepares after its start, such as a process in reserve, is there. */
const SETTLE_MS = 3_000;

export interface Duel {
  readonly world: World;
  readonly master: Daemon;
  readonly backup: Daemon;
  /** The service on the master. */
  readonly echo: LabProcess;
  readonly probe: Probe;
  /** What the client hears. */
  readonly adverts: AdvertWatch;
  /** Of the backup. */
  readonly masterDownMs: number;
}

export interface DuelOptions {
  readonly implementation: Implementation;
  readonly advertSeconds: number;
}

/** Everything runs, lb1 is master and answers the client. The caller destroys the world. */
export async function startDuel(options: DuelOptions): Promise<Duel> {
  const world = await World.create({
    name: "duel",
    segments: ["lan"],
    hosts: {
      client: { eth0: { segment: "lan", address: "10.77.0.50/24" } },
      lb1: { eth0: { segment: "lan", address: `${ADDRESSES["lb1"]}/24` } },
      lb2: { eth0: { segment: "lan", address: `${ADDRESSES["lb2"]}/24` } },
    },
  });
  try {
    const [lb1, lb2] = [world.host("lb1"), world.host("lb2")];
    const echo = await startEchoServer(lb1, [VIRTUAL_ADDRESS]);
    await startEchoServer(lb2, [VIRTUAL_ADDRESS]);
    const master = await startServer(lb1, options, PRIORITIES.lb1);
    await waitFor(() => lb1.holds(VIRTUAL_ADDRESS), START_TIMEOUT_MS, "lb1 to be master");
    const backup = await startServer(lb2, options, PRIORITIES.lb2);
    const adverts = await AdvertWatch.start(world.host("client"));
    const probe = await startUdpProbe(world.host("client"), VIRTUAL_ADDRESS);
    await probe.untilAnswered("lb1", START_TIMEOUT_MS);
    await sleep(SETTLE_MS);
    const skew = (256 - PRIORITIES.lb2) / 256;
    const masterDownMs = (3 + skew) * options.advertSeconds * 1000;
    return { world, master, backup, echo, probe, adverts, masterDownMs };
  } catch (error) {
    if (error instanceof Error) error.message += `\n${world.report()}`;
    world.destroy();
    throw error;
  }
}

/** When the client heard adverts of the server of that name, monotonic ms. */
export function advertsOf(duel: Duel, server: string): readonly number[] {
  const own = duel.adverts.heard.filter(({ source }) => source === ADDRESSES[server]);
  return own.map(({ atMs }) => atMs);
}

function startServer(host: Host, options: DuelOptions, priority: number): Promise<Daemon> {
  host.write("/run/check_svc.sh", "#!/bin/sh\nexec pgrep -f echo-server >/dev/null\n", 0o755);
  return startDaemon(options.implementation, host, configuration(options, priority));
}

/** The same file for both. */
function configuration(options: DuelOptions, priority: number): string {
  return `
global_defs {
    enable_script_security
    script_user root
}
vrrp_script svc {
    script /run/check_svc.sh
    interval 1
}
vrrp_instance VI_1 {
    version 3
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int ${options.advertSeconds}
    virtual_ipaddress {
        ${VIRTUAL_ADDRESS}/24
    }
    track_script {
        svc
    }
}
`;
}
