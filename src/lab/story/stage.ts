/**
 * The stage of the demo: a client and two web servers that share an address, as the classic
 * keepalived lesson draws them, each server with the lesson's configuration file.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Host } from "../host.ts";
import { nginxIsInstalled, startNginx } from "../peers/nginx.ts";
import { startNines, type NinesPeer } from "../peers/nines.ts";
import { startWebServer } from "../probe.ts";
import type { LabProcess } from "../process.ts";
import { waitFor } from "../wait.ts";
import { World } from "../world.ts";

export const VIRTUAL_ADDRESS = "192.168.17.200";
/** The client stands for the gateway too: the witness that a server must reach. */
export const CLIENT_ADDRESS = "192.168.17.50";

export type ServerName = "server01" | "server03";

const servers: Readonly<Record<ServerName, { address: string; file: string }>> = {
  server01: { address: "192.168.17.102", file: "001-master.conf" },
  server03: { address: "192.168.17.101", file: "001-backup.conf" },
};

/** What the lesson's later chapters add to its first file. */
export interface Variant {
  /** Chapter 5.1: both `state BACKUP`, both `nopreempt`. */
  readonly nopreempt?: boolean;
  /** Chapter 5.2: adverts to the other server's address instead of the group. */
  readonly unicast?: boolean;
  /** Nines: a reference address that a master must reach. */
  readonly witness?: boolean;
}

interface Server {
  readonly host: Host;
  hung: boolean;
  web: LabProcess | undefined;
  nines: NinesPeer | undefined;
}

export const STAGE_FILE = "/run/keepalived.conf";
/** The check script's `interval`. */
export const TRACK_EVERY_MS = 3000;

const START_TIMEOUT_MS = 15_000;

export class Stage {
  readonly world: World;
  readonly webServer: "nginx" | "node";
  readonly nodes: readonly ServerName[] = ["server01", "server03"];
  #variant: Variant = {};
  readonly #servers: Readonly<Record<ServerName, Server>>;

  private constructor(world: World, webServer: "nginx" | "node") {
    this.world = world;
    this.webServer = webServer;
    const server = (name: ServerName): Server => ({
      host: world.host(name),
      hung: false,
      web: undefined,
      nines: undefined,
    });
    this.#servers = { server01: server("server01"), server03: server("server03") };
  }

  static async build(): Promise<Stage> {
    const world = await World.create({
      name: "demo",
      segments: ["lan"],
      hosts: {
        client: { eth0: { segment: "lan", address: `${CLIENT_ADDRESS}/24` } },
        server01: { eth0: { segment: "lan", address: `${servers.server01.address}/24` } },
        server03: { eth0: { segment: "lan", address: `${servers.server03.address}/24` } },
      },
    });
    return new Stage(world, nginxIsInstalled() ? "nginx" : "node");
  }

  get client(): Host {
    return this.world.host("client");
  }

  host(name: ServerName): Host {
    return this.#servers[name].host;
  }

  nines(name: ServerName): NinesPeer {
    const running = this.#servers[name].nines;
    if (running === undefined) throw new Error(`nines does not run on ${name}`);
    return running;
  }

  /** Both servers well, with this configuration, and server01 the master. */
  async reset(variant: Variant): Promise<void> {
    this.#variant = variant;
    await Promise.all([this.stop("server01"), this.stop("server03")]);
    await this.start("server01");
    await this.untilHolds("server01");
    await this.start("server03");
    await this.#untilHearsMaster("server03");
  }

  /** The same servers go on with another configuration, and server01 is the master. */
  async change(variant: Variant): Promise<void> {
    this.#variant = variant;
    for (const name of this.nodes) {
      this.host(name).write(STAGE_FILE, configuration(name, variant));
      await this.nines(name).post("/v1/reload");
    }
    await this.untilState("server01", "MASTER");
    await this.#untilHearsMaster("server03");
  }

  /** Switches a server on, if need be, and starts its web server and Nines. */
  async start(name: ServerName): Promise<void> {
    const server = this.#servers[name];
    await this.world.powerOn(name);
    await this.startWeb(name);
    const file = server.host.write(STAGE_FILE, configuration(name, this.#variant));
    server.host.write("/run/check_nginx.sh", this.#checkScript(), 0o755);
    server.nines = await startNines(server.host, file);
  }

  async stop(name: ServerName): Promise<void> {
    const server = this.#servers[name];
    if (server.nines?.supervisor.isRunning === true) {
      this.resume(name);
      server.nines.supervisor.signal("SIGTERM");
      await waitFor(() => !server.nines?.supervisor.isRunning, START_TIMEOUT_MS, `${name} to stop`);
    }
    server.nines = undefined;
    await this.stopWeb(name);
  }

  /** SIGSTOP to all of Nines on that server. */
  hang(name: ServerName): void {
    this.nines(name).hang();
    this.#servers[name].hung = true;
  }

  resume(name: ServerName): void {
    this.nines(name).resume();
    this.#servers[name].hung = false;
  }

  /** Nines on that server can be asked. */
  answers(name: ServerName): boolean {
    const { host, hung } = this.#servers[name];
    return host.isOn && !hung;
  }

  async startWeb(name: ServerName): Promise<void> {
    const server = this.#servers[name];
    if (server.web?.isRunning === true) return;
    server.web =
      this.webServer === "nginx"
        ? await startNginx(server.host)
        : await startWebServer(server.host);
  }

  async stopWeb(name: ServerName): Promise<void> {
    const server = this.#servers[name];
    server.web?.kill();
    await server.web?.ended;
    server.web = undefined;
  }

  async untilHolds(name: ServerName): Promise<void> {
    const { host } = this.#servers[name];
    await waitFor(() => host.holds(VIRTUAL_ADDRESS), START_TIMEOUT_MS, `${name} to be master`);
  }

  async untilState(name: ServerName, state: string): Promise<void> {
    await waitFor(
      async () => (await this.nines(name).states())["VI_1"] === state,
      START_TIMEOUT_MS,
      `${name} to be ${state}`,
    );
  }

  async #untilHearsMaster(name: ServerName): Promise<void> {
    await waitFor(
      async () => (await this.nines(name).instance("VI_1"))?.master,
      START_TIMEOUT_MS,
      `${name} to hear the master`,
    );
  }

  /** The servers whose kernel has the address now. */
  async owners(): Promise<ServerName[]> {
    const held = await Promise.all(
      this.nodes.map(
        async (name) => this.host(name).isOn && (await this.host(name).holds(VIRTUAL_ADDRESS)),
      ),
    );
    return this.nodes.filter((_, i) => held[i]);
  }

  destroy(): void {
    this.world.destroy();
  }

  /** The lesson's script ends keepalived itself; saying "failed" is enough, and safer. It asks
   *  /proc, so that it needs no program that a small machine may lack. */
  #checkScript(): string {
    const look =
      this.webServer === "nginx"
        ? "grep -qsx nginx /proc/[0-9]*/comm"
        : "grep -qs '[w]eb-server' /proc/[0-9]*/cmdline";
    return `#!/bin/sh\nexec ${look}\n`;
  }
}

/** The lesson's file, verbatim, and what its later chapters tell the reader to add. */
export function configuration(name: ServerName, variant: Variant): string {
  const sample = fileURLToPath(
    new URL(`../../../samples/seeds/${servers[name].file}`, import.meta.url),
  );
  const other = name === "server01" ? "server03" : "server01";
  // Chapter 5: "which of the two is better is said by the priority".
  const priority = name === "server01" ? 150 : 100;
  const added = ["    track_script {", "        check_nginx", "    }"];
  if (variant.nopreempt === true) added.push("    nopreempt");
  if (variant.unicast === true) {
    added.push(`    unicast_src_ip ${servers[name].address}`);
    added.push("    unicast_peer {", `        ${servers[other].address}`, "    }");
  }
  if (variant.witness === true) added.push("    witness {", `        ${CLIENT_ADDRESS}`, "    }");
  const script = [
    "vrrp_script check_nginx {",
    "   script  /run/check_nginx.sh",
    `   interval ${TRACK_EVERY_MS / 1000}`,
    "   user root",
    "}",
  ];
  return readFileSync(sample, "utf8")
    .replace(/^vrrp_instance/m, `${script.join("\n")}\nvrrp_instance`)
    .replace(/priority 100/, `priority ${priority}`)
    .replace(/state MASTER/, variant.nopreempt === true ? "state BACKUP" : "state MASTER")
    .replace(/^(\s*)virtual_ipaddress/m, `${added.join("\n")}\n$1virtual_ipaddress`);
}
