import type { WorldPlan } from "./plan.ts";

/** Worlds to begin with: `nines lab up NAME`. */
export const READY_PLANS: Readonly<Record<string, WorldPlan>> = {
  "two-directors": {
    segments: ["lan"],
    hosts: {
      client: { eth0: { segment: "lan", address: "192.168.17.50/24" } },
      director1: {
        eth0: { segment: "lan", address: ["192.168.17.101/24", "fd00:17::101/64"] },
      },
      director2: {
        eth0: { segment: "lan", address: ["192.168.17.102/24", "fd00:17::102/64"] },
      },
    },
  },
  "directors-and-servers": {
    segments: ["front", "back"],
    hosts: {
      client: { eth0: { segment: "front", address: "192.168.17.50/24" } },
      director1: {
        eth0: { segment: "front", address: "192.168.17.101/24" },
        eth1: { segment: "back", address: "10.17.0.101/24" },
      },
      director2: {
        eth0: { segment: "front", address: "192.168.17.102/24" },
        eth1: { segment: "back", address: "10.17.0.102/24" },
      },
      server1: { eth0: { segment: "back", address: "10.17.0.1/24" } },
      server2: { eth0: { segment: "back", address: "10.17.0.2/24" } },
    },
  },
};
