/** Both implementations behind one handle: what the bench does to a daemon. */

import { startKeepalived } from "../src/lab/peers/keepalived.ts";
import { startNines } from "../src/lab/peers/nines.ts";
import type { Host } from "../src/lab/host.ts";
import type { LabProcess } from "../src/lab/process.ts";
import { signal, treeOf } from "../src/lab/process-table.ts";

export type Implementation = "keepalived" | "nines";
export const implementations: readonly Implementation[] = ["keepalived", "nines"];

export interface Daemon {
  /** SIGKILL to all its processes: nobody says good-bye. */
  crash(): void;
  /** SIGSTOP to all its processes, or only to the one that sends adverts. */
  hang(which: "all" | "protocol"): void;
  /** SIGTERM as systemd sends it; resolves when the daemon has ended. */
  terminate(): Promise<void>;
  /** Processes that count for CPU and memory; `protocol`: only the one that sends adverts. */
  pids(which: "all" | "protocol"): number[];
}

/** Starts an implementation with the text of a keepalived.conf. */
export async function startDaemon(
  implementation: Implementation,
  host: Host,
  configuration: string,
): Promise<Daemon> {
  return implementation === "nines"
    ? ninesDaemon(host, configuration)
    : keepalivedDaemon(host, configuration);
}

const ROLES = ["vrrp", "check", "spare", "console"] as const;

async function ninesDaemon(host: Host, configuration: string): Promise<Daemon> {
  const peer = await startNines(host, host.write("/run/keepalived.conf", configuration));
  return {
    crash: () => peer.kill(),
    hang: (which) => {
      if (which === "all") return peer.hang();
      for (const pid of peer.pids("vrrp")) signal(pid, "SIGSTOP");
    },
    terminate: () => end(peer.supervisor),
    pids: (which) =>
      which === "protocol"
        ? peer.pids("vrrp")
        : [peer.supervisor.pid, ...ROLES.flatMap((role) => peer.pids(role))],
  };
}

async function keepalivedDaemon(host: Host, configuration: string): Promise<Daemon> {
  const parent = await startKeepalived(host, configuration);
  const pids = (which: "all" | "protocol"): number[] => {
    const all = treeOf(parent.pid);
    return which === "protocol" ? all.filter((pid) => pid !== parent.pid) : all;
  };
  return {
    crash: () => parent.kill(),
    hang: (which) => {
      for (const pid of pids(which)) signal(pid, "SIGSTOP");
    },
    terminate: () => end(parent),
    pids,
  };
}

async function end(daemon: LabProcess): Promise<void> {
  daemon.signal("SIGTERM");
  await daemon.ended;
}
