/** A client, a balancer and three web servers, each a host of its own; and users who go on asking. */

import { text } from "node:stream/consumers";
import type { Host } from "../src/lab/host.ts";
import { untilListening } from "../src/lab/listening.ts";
import type { LabProcess } from "../src/lab/process.ts";
import { World } from "../src/lab/world.ts";

export const LB_ADDRESS = "10.80.0.10";
export const LB_PORT = 8080;
export const SERVERS = ["10.80.0.1", "10.80.0.2", "10.80.0.3"] as const;
/** Every address of these networks is answered for by the web server of that number. */
const MORE_NETWORKS = ["10.81.0.0/18", "10.82.0.0/18", "10.83.0.0/18"] as const;

const KEPT_USERS = 16;
const FRESH_USERS = 8;
const PAUSE_MS = 15;

const PLAN = {
  name: "faults",
  segments: ["lan"],
  hosts: {
    client: { eth0: { segment: "lan", address: "10.80.0.50/24" } },
    lb: { eth0: { segment: "lan", address: `${LB_ADDRESS}/24` } },
    web1: { eth0: { segment: "lan", address: `${SERVERS[0]}/24` } },
    web2: { eth0: { segment: "lan", address: `${SERVERS[1]}/24` } },
    web3: { eth0: { segment: "lan", address: `${SERVERS[2]}/24` } },
  },
} as const;

export interface LoadTotals {
  requests: number;
  /** No whole answer of status 200 within 10 s. */
  failed: number;
  /** Took more than 1 s, whatever became of it. */
  late: number;
  longestMs: number;
  /** `502 (kept)`, `broken (new)` … */
  readonly reasons: Record<string, number>;
}

export class FaultStage {
  readonly world: World;
  readonly #backends: LabProcess[];

  static async create(): Promise<FaultStage> {
    const world = await World.create(PLAN);
    try {
      const backends = [1, 2, 3].map((n) => startBackend(world.host(`web${n}`)));
      return new FaultStage(world, await Promise.all(backends));
    } catch (error) {
      world.destroy();
      throw error;
    }
  }

  private constructor(world: World, backends: LabProcess[]) {
    this.world = world;
    this.#backends = backends;
  }

  get lb(): Host {
    return this.world.host("lb");
  }

  /** The host of the web server that faults happen to. */
  get victim(): Host {
    return this.world.host("web2");
  }

  get backend(): LabProcess {
    return this.#backends[1]!;
  }

  /** See `fault-backend.ts`. */
  setMood(mood: "well" | "refusing" | "slow"): void {
    this.backend.stdin!.write(`${mood}\n`);
  }

  async restartBackend(): Promise<void> {
    this.#backends[1] = await startBackend(this.victim);
  }

  /** Addresses that the three web servers answer for from now on, `count` of them. */
  async moreServers(count: number): Promise<string[]> {
    for (const [i, network] of MORE_NETWORKS.entries()) {
      await this.world.host(`web${i + 1}`).ip(`route add local ${network} dev lo`);
      await this.lb.ip(`route add ${network} via ${SERVERS[i]}`);
    }
    return Array.from({ length: count }, (_, i) => {
      const number = Math.floor(i / 3) + 1;
      return `10.${81 + (i % 3)}.${number >> 8}.${number & 255}`;
    });
  }

  async startLoad(): Promise<() => Promise<LoadTotals>> {
    const program = `${import.meta.dirname}/fault-load.ts`;
    const numbers = [LB_PORT, KEPT_USERS, FRESH_USERS, PAUSE_MS].map(String);
    const argv = [process.execPath, program, LB_ADDRESS, ...numbers];
    const load = await this.world.host("client").start(argv, { name: "load", talk: true });
    const output = text(load.stdout!);
    return async () => {
      load.stdin!.end();
      const said = await output;
      if (said === "") throw new Error(`the load ended: ${load.log}`);
      return JSON.parse(said) as LoadTotals;
    };
  }
}

async function startBackend(host: Host): Promise<LabProcess> {
  const argv = [process.execPath, `${import.meta.dirname}/fault-backend.ts`];
  const server = await host.start(argv, { name: "backend", talk: true });
  await untilListening(server, 80);
  return server;
}
