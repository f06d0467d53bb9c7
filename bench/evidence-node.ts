/** A real node in a directory of its own, on unix sockets and one port, with a server behind it. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlClient } from "../src/daemon/control-client.ts";

const ENTRY = new URL("../bin/nines.ts", import.meta.url).pathname;
const BACKEND = `
  const body = "x".repeat(1024);
  require("http").createServer((request, response) => response.end(body)).listen(process.argv[1]);
`;

export class BenchNode {
  readonly folder: string = mkdtempSync(join(tmpdir(), "nines-bench-"));
  readonly stateDirectory: string = join(this.folder, "state");
  readonly runDirectory: string = join(this.folder, "run");
  readonly client: ControlClient = new ControlClient(join(this.runDirectory, "control.sock"));
  readonly #file = join(this.folder, "nines.yaml");
  readonly #port: number;
  #children: ChildProcess[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    const backend = join(this.folder, "backend.sock");
    this.#children.push(
      spawn(process.execPath, ["--eval", BACKEND, backend], { stdio: "inherit" }),
    );
    this.#write(true);
    const words = ["run", "-f", this.#file, "--run-dir", this.runDirectory];
    const places = ["--state-dir", this.stateDirectory, "--log", join(this.folder, "log")];
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", ENTRY];
    const argv = [...node, ...words, ...places];
    this.#children.push(spawn(argv[0]!, argv.slice(1), { stdio: ["ignore", "ignore", "inherit"] }));
    await this.until(async () => (await this.pids("balance")).length > 0);
    await sleep(1_000);
  }

  /** Switches the console on or off; the worker lives on. */
  async console(isOn: boolean): Promise<void> {
    this.#write(isOn);
    await this.client.reload();
    await this.until(async () => (await this.pids("console")).length > 0 === isOn);
    // A process that starts is not what is measured.
    await sleep(isOn ? 2_000 : 500);
  }

  async pids(role: string): Promise<number[]> {
    try {
      const { roles } = await this.client.status();
      const running = roles.filter(({ name, state }) => name === role && state === "running");
      return running.flatMap(({ pid }) => pid ?? []);
    } catch {
      return [];
    }
  }

  async until(isSo: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if (await isSo()) return;
      await sleep(100);
    }
    throw new Error("the node does not come up");
  }

  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    }
    this.#children = [];
    rmSync(this.folder, { recursive: true });
  }

  #write(isOn: boolean): void {
    const text = `
frontends: { web: { listen: "127.0.0.1:${this.#port}", pool: web } }
pools: { web: { servers: { a: "unix:${this.folder}/backend.sock" } } }
console: ${isOn ? "{ }" : "off"}
`;
    writeFileSync(this.#file, text);
  }
}
