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
  /** SIGSTOP to all its processes. */
  hang(): void;
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

async function ninesDaemon(host: Host, configuration: string): Promise<Daemon> {
  const peer = await startNines(host, host.write("/run/keepalived.conf", configuration));
  return {
    crash: () => peer.kill(),
    hang: () => peer.hang(),
    terminate: () => end(peer.supervisor),
    pids: (which) =>
      which === "protocol"
        ? peer.pids("vrrp")
        : [peer.supervisor.pid, ...peer.pids("vrrp"), ...peer.pids("check")],
  };
}

async function keepalivedDaemon(host: Host, configuration: string): Promise<Daemon> {
  const parent = await startKeepalived(host, configuration);
  return {
    crash: () => parent.kill(),
    hang: () => {
      for (const pid of treeOf(parent.pid)) signal(pid, "SIGSTOP");
    },
    terminate: () => end(parent),
    pids: (which) => {
      const all = treeOf(parent.pid);
      return which === "protocol" ? all.filter((pid) => pid !== parent.pid) : all;
    },
  };
}

async function end(daemon: LabProcess): Promise<void> {
  daemon.signal("SIGTERM");
  await daemon.ended;
}
