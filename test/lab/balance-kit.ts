/** A balancer between a client and three web servers, and users who never stop asking. */

import { text } from "node:stream/consumers";
import type { BalanceStatus, PoolServer } from "../../src/daemon/balance-status.ts";
import type { Host } from "../../src/lab/host.ts";
import { startBalancer, type NinesPeer } from "../../src/lab/peers/nines.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";

export const LB = "10.80.0.10";
export const WEB = ["10.80.0.1", "10.80.0.2", "10.80.0.3"] as const;

const PLAN = {
  name: "balance",
  segments: ["lan"],
  hosts: {
    client: { eth0: { segment: "lan", address: ["10.80.0.50/24"] } },
    lb: { eth0: { segment: "lan", address: [`${LB}/24`] } },
    web1: { eth0: { segment: "lan", address: [`${WEB[0]}/24`] } },
    web2: { eth0: { segment: "lan", address: [`${WEB[1]}/24`] } },
    web3: { eth0: { segment: "lan", address: [`${WEB[2]}/24`] } },
  },
} as const;

const LOAD = `${import.meta.dirname}/programs/http-load.ts`;

export interface LoadReport {
  readonly good: number;
  readonly failed: number;
  readonly longestMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: readonly string[];
  /** How often each body came. */
  readonly bodies: Readonly<Record<string, number>>;
}

/** Users in the client host. */
export class Load {
  readonly #program: LabProcess;
  readonly #output: Promise<string>;

  static async start(world: World, port: number, users = 16, address: string = LB): Promise<Load> {
    const argv = [process.execPath, LOAD, address, String(port), String(users), "3"];
    return new Load(await world.host("client").start(argv, { name: "load", talk: true }));
  }

  private constructor(program: LabProcess) {
    this.#program = program;
    this.#output = text(program.stdout!);
  }

  async stop(): Promise<LoadReport> {
    this.#program.stdin!.end();
    const output = await this.#output;
    if (output === "") throw new Error(`the load ended: ${this.#program.log}`);
    return JSON.parse(output) as LoadReport;
  }
}

export interface Stage {
  readonly world: World;
  readonly lb: Host;
  readonly client: Host;
}

export function withStage(body: (stage: Stage) => Promise<void>): Promise<void> {
  return withWorld(PLAN, (world) =>
    body({ world, lb: world.host("lb"), client: world.host("client") }),
  );
}

/** `nines run` with this nines.yaml. */
export function run(host: Host, yaml: string): Promise<NinesPeer> {
  return startBalancer(host, ["run", "-f", host.write("/run/nines.yaml", yaml)]);
}

export async function balanceOf(peer: NinesPeer): Promise<BalanceStatus> {
  return (await peer.get("/v1/balance")) as BalanceStatus;
}

/** `web/web1` as it stands now. */
export async function serverOf(peer: NinesPeer, name: string): Promise<PoolServer> {
  const [pool, server] = name.split("/");
  const { pools } = await balanceOf(peer);
  const found = pools.find((one) => one.name === pool)?.servers.find((one) => one.name === server);
  if (found === undefined) throw new Error(`no server ${name}`);
  return found;
}

export function untilState(peer: NinesPeer, name: string, state: string): Promise<unknown> {
  const reached = async (): Promise<boolean> => (await serverOf(peer, name)).state === state;
  return waitFor(reached, 10_000, `${name} to be ${state}`);
}

export async function curl(host: Host, ...words: string[]): Promise<string> {
  return host.run(["curl", "--silent", "--show-error", "--max-time", "5", ...words]);
}
