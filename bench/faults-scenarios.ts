/** What happens while users ask. Each resolves when the fault is over and a while has passed. */

import { treeOf, signal } from "../src/lab/process-table.ts";
import { pause } from "../src/lab/wait.ts";
import type { Balancer, Wanted } from "./faults-peers.ts";
import type { FaultStage } from "./faults-stage.ts";

export interface Scene {
  readonly stage: FaultStage;
  readonly balancer: Balancer;
  readonly wanted: Wanted;
  /** How long a scenario of repeated changes goes on. */
  readonly seconds: number;
}

export interface FaultScenario {
  readonly name: string;
  readonly act: (scene: Scene) => Promise<void>;
}

const FAULT_MS = 5000;
/** Until everything is as before. */
const AFTER_MS = 3000;
const MORE_SERVERS = 1000;
const UPGRADES = 3;

export const scenarios: readonly FaultScenario[] = [
  {
    name: "killed -9",
    act: async ({ stage }) => {
      stage.backend.kill();
      await pause(FAULT_MS);
      await stage.restartBackend();
    },
  },
  {
    name: "frozen",
    act: async ({ stage }) => {
      const pids = treeOf(stage.backend.pid);
      for (const pid of pids) signal(pid, "SIGSTOP");
      await pause(FAULT_MS);
      for (const pid of pids) signal(pid, "SIGCONT");
    },
  },
  { name: "out of ports", act: outOfPorts },
  { name: "answers 503", act: ({ stage }) => inMood(stage, "refusing") },
  { name: "slow (1.5 s)", act: ({ stage }) => inMood(stage, "slow") },
  {
    name: "reload every second",
    act: async ({ balancer, wanted, seconds }) => {
      for (let version = 1; version <= seconds; version++) {
        const next = pause(1000);
        await balancer.reload({ ...wanted, version });
        await next;
      }
    },
  },
  {
    name: "1,000 servers added",
    act: async ({ stage, balancer, wanted }) => {
      const more = await stage.moreServers(MORE_SERVERS);
      const servers = [...wanted.servers, ...more];
      // As often as a careful operator lets so many be asked.
      await balancer.reload({ version: 1, servers, checkEveryMs: 2000 });
      await pause(FAULT_MS);
    },
  },
  {
    name: "upgrade, 3 times",
    act: async ({ balancer }) => {
      for (let i = 0; i < UPGRADES; i++) {
        await balancer.upgrade();
        await pause(2000);
      }
    },
  },
];

export async function play(scenario: FaultScenario, scene: Scene): Promise<void> {
  await scenario.act(scene);
  await pause(AFTER_MS);
}

/** Connections that stand go on; a new one gets no answer, not even a refusal. */
async function outOfPorts({ stage }: Scene): Promise<void> {
  const rules = stage.victim.write(
    "/run/full.nft",
    `table ip full {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport 80 tcp flags & (syn | ack) == syn drop
  }
}
`,
  );
  await stage.victim.run(["nft", "-f", rules]);
  await pause(FAULT_MS);
  await stage.victim.run(["nft", "delete", "table", "ip", "full"]);
}

async function inMood(stage: FaultStage, mood: "refusing" | "slow"): Promise<void> {
  stage.setMood(mood);
  await pause(FAULT_MS);
  stage.setMood("well");
}
