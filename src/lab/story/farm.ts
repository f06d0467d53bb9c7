/**
 * The stage of the demo's second half: two directors that share an address and balance over three
 * web servers, both with `samples/demo/nines.yaml`.
 */

import { readFileSync } from "node:fs";
import type { PoolStatus, ServerStatus } from "../../core/balance/pool-ports.ts";
import type { Host } from "../host.ts";
import { nginxIsInstalled, startNginx } from "../peers/nginx.ts";
import { startBalancer, type NinesPeer } from "../peers/nines.ts";
import { startWebServer } from "../probe.ts";
import { waitFor } from "../wait.ts";
import { webProgram } from "../web-program.ts";
import { World } from "../world.ts";
import { CLIENT_ADDRESS, VIRTUAL_ADDRESS } from "./stage.ts";

export type DirectorName = "lb1" | "lb2";
export type WebName = "web1" | "web2" | "web3";

export const directorNames: readonly DirectorName[] = ["lb1", "lb2"];
export const webNames: readonly WebName[] = ["web1", "web2", "web3"];

const SAMPLE = new URL("../../../samples/demo/nines.yaml", import.meta.url);
const TIMEOUT_MS = 15_000;

const addresses: Readonly<Record<"client" | DirectorName | WebName, string>> = {
  client: CLIENT_ADDRESS,
  lb1: "192.168.17.101",
  lb2: "192.168.17.102",
  web1: "192.168.17.11",
  web2: "192.168.17.12",
  web3: "192.168.17.13",
};

interface Director {
  hung: boolean;
  nines: NinesPeer | undefined;
}

/** Where a director's configuration is. */
export const FARM_FILE = "/run/nines.yaml";

export const runWords = (name: string): readonly string[] => [
  "run",
  "-f",
  FARM_FILE,
  "--node",
  name,
];

export interface FarmOptions {
  /** What a director's host needs before Nines starts there. */
  readonly prepare?: (host: Host) => Promise<void>;
  /** Of Nines on the directors. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Farm {
  readonly world: World;
  readonly nodes: readonly DirectorName[] = directorNames;
  readonly webServer: "nginx" | "node" = nginxIsInstalled() ? "nginx" : "node";
  readonly #directors: Readonly<Record<DirectorName, Director>> = {
    lb1: { hung: false, nines: undefined },
    lb2: { hung: false, nines: undefined },
  };
  readonly #options: FarmOptions;

  private constructor(world: World, options: FarmOptions) {
    this.world = world;
    this.#options = options;
  }

  /** Everything runs and is well, and lb1 has the address. */
  static async build(options: FarmOptions = {}): Promise<Farm> {
    const hosts = Object.entries(addresses).map(([name, address]) => {
      return [name, { eth0: { segment: "lan", address: `${address}/24` } }];
    });
    const plan = { name: "demo", segments: ["lan"], hosts: Object.fromEntries(hosts) };
    const farm = new Farm(await World.create(plan), options);
    try {
      await Promise.all(webNames.map((name) => farm.#firstWeb(name)));
      await Promise.all(directorNames.map((name) => farm.startDirector(name)));
      await farm.untilHolds("lb1");
      await Promise.all(directorNames.map((name) => farm.#untilAllUp(name)));
    } catch (error) {
      process.stderr.write(farm.world.report());
      farm.destroy();
      throw error;
    }
    return farm;
  }

  get client(): Host {
    return this.world.host("client");
  }

  nines(name: DirectorName): NinesPeer {
    const running = this.#directors[name].nines;
    if (running === undefined) throw new Error(`nines does not run on ${name}`);
    return running;
  }

  /** Nines on that director can be asked. */
  answers(name: DirectorName): boolean {
    const { hung, nines } = this.#directors[name];
    return !hung && nines?.supervisor.isRunning === true;
  }

  /** Directors that can be asked; the one with the address first. */
  async directors(): Promise<NinesPeer[]> {
    const owners = await this.owners();
    const others = directorNames.filter((name) => !owners.includes(name));
    return [...owners, ...others]
      .filter((name) => this.answers(name))
      .map((name) => this.nines(name));
  }

  /** Switches it on, if need be, and starts Nines. */
  async startDirector(name: DirectorName): Promise<void> {
    await this.world.powerOn(name);
    const host = this.world.host(name);
    const { prepare, env } = this.#options;
    host.write(FARM_FILE, readFileSync(SAMPLE, "utf8"));
    await prepare?.(host);
    this.#directors[name].nines = await startBalancer(host, runWords(name), env);
  }

  async #firstWeb(name: WebName): Promise<void> {
    const host = this.world.host(name);
    await (this.webServer === "nginx" ? startNginx(host) : startWebServer(host));
  }

  /**
   * `kill`: connections are reset, nobody listens any more. `freeze`: its kernel still accepts
   * connections, and nothing is ever answered.
   */
  async web(name: WebName, what: "kill" | "freeze" | "resume" | "start"): Promise<void> {
    const host = this.world.host(name);
    await host.run(webProgram(host, this.webServer)[what]);
  }

  /** What an operator types, on every director that can be asked. */
  async order(...words: readonly string[]): Promise<void> {
    for (const nines of await this.directors()) await nines.nines("backend", ...words);
  }

  hang(name: DirectorName): void {
    this.nines(name).hang();
    this.#directors[name].hung = true;
  }

  resume(name: DirectorName): void {
    this.nines(name).resume();
    this.#directors[name].hung = false;
  }

  /** As the director with the address sees them; empty while no director can be asked. */
  async servers(): Promise<readonly ServerStatus[]> {
    const [nines] = await this.directors();
    return nines === undefined ? [] : serversOf(nines);
  }

  async #untilAllUp(name: DirectorName): Promise<void> {
    const areUp = async (): Promise<boolean> =>
      (await serversOf(this.nines(name))).every(({ state }) => state === "up");
    await waitFor(areUp, TIMEOUT_MS, `${name} to find every web server up`);
  }

  async untilHolds(name: DirectorName): Promise<void> {
    const host = this.world.host(name);
    await waitFor(() => host.holds(VIRTUAL_ADDRESS), TIMEOUT_MS, `${name} to be master`);
  }

  /** The directors whose kernel has the address now. */
  async owners(): Promise<DirectorName[]> {
    const held = await Promise.all(
      directorNames.map(async (name) => {
        const host = this.world.host(name);
        return host.isOn && (await host.holds(VIRTUAL_ADDRESS));
      }),
    );
    return directorNames.filter((_, i) => held[i]);
  }

  destroy(): void {
    this.world.destroy();
  }
}

async function serversOf(nines: NinesPeer): Promise<readonly ServerStatus[]> {
  const { pools } = (await nines.get("/v1/balance")) as { pools: readonly PoolStatus[] };
  return pools[0]?.servers ?? [];
}
