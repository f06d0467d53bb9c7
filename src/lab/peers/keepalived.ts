/** Debian's keepalived inside a host: the peer to agree with and the yardstick to measure. */
import type { Host } from "../host.ts";
import type { LabProcess } from "../process.ts";
import { waitFor } from "../wait.ts";

export interface KeepalivedInstance {
  readonly state: "MASTER" | "BACKUP";
  /** 1-255. */
  readonly virtualRouterId: number;
  /** 1-255. */
  readonly priority: number;
  readonly addresses: readonly string[];
  /** `VI_1` by default. */
  readonly name?: string;
  /** `eth0` by default. */
  readonly interface?: string;
  /** Seconds between adverts; 1 by default, 0.01 at least (version 3). */
  readonly advertS?: number;
  /** 3 by default. */
  readonly version?: 2 | 3;
  /** More lines of the block, as they stand in the file. */
  readonly lines?: readonly string[];
}

/** The text of a keepalived.conf. `preamble` stands before the instances, as it is. */
export function keepalivedConf(instances: readonly KeepalivedInstance[], preamble = ""): string {
  return `${preamble}\n${instances.map(instanceBlock).join("\n")}`;
}

/**
 * Starts keepalived (VRRP only, in the foreground) with this configuration. Resolves when its VRRP
 * child reads packets. `process.kill()` ends children first: a parent's death makes them say
 * good-bye.
 */
export async function startKeepalived(host: Host, conf: string): Promise<LabProcess> {
  const file = host.write("/run/keepalived/keepalived.conf", conf);
  const pids = ["-p", "/run/keepalived/parent.pid", "-r", "/run/keepalived/vrrp.pid"];
  const argv = ["keepalived", "-n", "-l", "-D", "-G", "-P", "-f", file, ...pids];
  const known = host.processes.length;
  const daemon = await host.start(argv, { name: `keepalived${known === 0 ? "" : known}` });
  const isUp = (): boolean => {
    if (!daemon.isRunning) throw new Error(`keepalived ended: ${daemon.log}`);
    return /VRRP sockpool|Entering (BACKUP|MASTER|FAULT) STATE/i.test(daemon.log);
  };
  await waitFor(isUp, 10_000, `keepalived of ${host.name}`);
  return daemon;
}

function instanceBlock(instance: KeepalivedInstance): string {
  const lines = [
    `state ${instance.state}`,
    `interface ${instance.interface ?? "eth0"}`,
    `virtual_router_id ${instance.virtualRouterId}`,
    `priority ${instance.priority}`,
    `advert_int ${instance.advertS ?? 1}`,
    `version ${instance.version ?? 3}`,
    ...(instance.lines ?? []),
    `virtual_ipaddress {`,
    ...instance.addresses.map((address) => `    ${address}`),
    `}`,
  ];
  const body = lines.map((line) => `    ${line}\n`).join("");
  return `vrrp_instance ${instance.name ?? "VI_1"} {\n${body}}\n`;
}
