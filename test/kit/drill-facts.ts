/** Two directors and two web servers, as drills see them. */

import type { InstanceFacts, NodeFacts, SiteFacts, View } from "../../src/core/drill/facts.ts";
import { masterDownMs } from "../../src/core/vrrp/timing.ts";

const instance: InstanceFacts = {
  name: "site",
  state: "MASTER",
  interface: "eth0",
  family: "ipv4",
  addresses: ["10.0.0.200/24"],
  priority: 150,
  advertIntervalMs: 1000,
  isSplit: false,
  hasWitness: false,
  isUnicast: false,
  preempts: true,
  preemptDelayMs: 0,
  masterDownMs: 0,
  hastens: true,
  othersHeard: 1,
  leaseMs: 3000,
};

const role = (name: string, pid: number): NodeFacts["roles"][number] => ({
  name,
  state: "running",
  pid,
});

const withPriority = (priority: number): Partial<InstanceFacts> => ({
  priority,
  masterDownMs: masterDownMs({ version: 3, downTimerAdverts: 3 }, priority, 1000),
});

export function node(name: string, change: Partial<InstanceFacts> = {}): NodeFacts {
  const server = (n: number): NodeFacts["pools"][number]["servers"][number] => ({
    name: `web${n}`,
    usable: true,
    state: "up",
    endpoint: `10.0.0.${n}:80`,
    isWhole: true,
  });
  return {
    name,
    controlPid: 100,
    roles: [role("vrrp", 101), role("check", 102), role("balance", 103), role("balance", 104)],
    instances: [{ ...instance, ...withPriority(change.priority ?? 150), ...change }],
    pools: [{ name: "web", servers: [server(1), server(2)] }],
    listening: ["10.0.0.200:80"],
  };
}

export const backup: NodeFacts = node("lb2", { state: "BACKUP", priority: 100 });

export const facts: SiteFacts = {
  target: node("lb1"),
  others: [backup],
  nines: ["nines"],
  runDirectory: "/run/nines",
  stateDirectory: "/var/lib/nines",
  ownDisk: false,
  configuration: "/etc/nines.yaml",
  restart: ["systemctl", "start", "nines"],
  links: [
    {
      interface: "eth0",
      restore: [["ip", "route", "replace", "default", "via", "10.0.0.1"]],
      isShaped: false,
    },
  ],
  delay: "this kernel has no netem for it",
  programs: {},
  standbys: {},
  openIncidents: [],
  client: "lb1",
  trackEveryMs: 0,
  clock: "host",
};

export const calm: View = { target: facts.target, others: facts.others, seesOthers: true };
