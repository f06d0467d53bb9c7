/** A check role as a real process, with the test in the place of the vrrp role. */

import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { join, resolve } from "node:path";
import { readKeepalivedConf } from "../../src/config/read-configuration.ts";
import { serveLines, type LineConnection } from "../../src/daemon/line-connection.ts";
import { roleModel, type FromCheck, type ToCheck } from "../../src/daemon/role-protocol.ts";
import { waitFor } from "../../src/lab/wait.ts";

/** An instance that has nothing but what `body` says. */
export const instance = (body: string): string => `vrrp_instance VI_1 {
  interface lo
  virtual_router_id 51
  virtual_ipaddress { 10.1.2.3 }
  ${body}
}
`;

export type NotifyMessage = Extract<ToCheck, { type: "notify" }>;
export type TrackMessage = Extract<FromCheck, { type: "track-changed" }>;

export class CheckRole {
  /** Mode 0755 and below /run: scripts in it are safe, and other users can reach them. */
  readonly directory: string = mkdtempSync("/run/nines-test-");
  readonly messages: { readonly atMs: number; readonly message: FromCheck }[] = [];
  readonly #namespace: string | undefined;
  #server: Server | undefined;
  #connection: LineConnection<ToCheck> | undefined;
  #child: ChildProcess | undefined;
  #waiting: NotifyMessage[] = [];

  constructor(namespace?: string) {
    this.#namespace = namespace;
    mkdirSync(join(this.directory, "state"));
    // mkdtemp makes 0700, which a script's own user could not pass.
    chmodSync(this.directory, 0o755);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  script(name: string, ...lines: string[]): string {
    writeFileSync(this.path(name), `#!/bin/bash\n${lines.join("\n")}\n`, { mode: 0o755 });
    return this.path(name);
  }

  read(name: string): string {
    try {
      return readFileSync(this.path(name), "utf8");
    } catch {
      return "";
    }
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Listens as the vrrp role does, with this configuration and what is not acknowledged. */
  async serve(configuration: string): Promise<void> {
    const file = this.path("test.conf");
    writeFileSync(file, configuration);
    const { model, diagnostics } = readKeepalivedConf(file, { permissive: true });
    if (model === undefined) throw new Error(JSON.stringify(diagnostics));
    this.#server = await serveLines<FromCheck, ToCheck>(this.path("vrrp.sock"), (connection) => {
      this.#connection = connection;
      return {
        message: (message) => {
          this.messages.push({ atMs: performance.now(), message });
          if (message.type === "hello") {
            connection.send({ type: "configure-check", model: roleModel(model), known: [] });
            for (const one of this.#waiting) connection.send(one);
          }
          if (message.type === "notified") {
            this.#waiting = this.#waiting.filter(({ seq }) => seq > message.seq);
          }
        },
        closed: () => {},
      };
    });
  }

  /** As if the vrrp role had died. */
  async hangUp(): Promise<void> {
    this.#connection?.close();
    await new Promise((done) => this.#server?.close(done));
  }

  start(): void {
    const entry = resolve("bin/nines.ts");
    const roles = ["role", "check", "--run-dir", this.directory, "--state-dir"];
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", entry, ...roles];
    const words = [...node, this.path("state")];
    const inside = this.#namespace === undefined ? [] : ["ip", "netns", "exec", this.#namespace];
    const [file, ...rest] = [...inside, ...words];
    this.#child = spawn(file!, rest, {
      // Two descriptors more than it should have, as from a careless parent.
      stdio: ["ignore", "inherit", "inherit", "ignore", "ignore"],
    });
  }

  notify(seq: number, state: NotifyMessage["state"], name = "VI_1"): void {
    const rest = { scope: "INSTANCE", name, state, priority: 100, wallMs: 1e12 + seq } as const;
    const message: NotifyMessage = { type: "notify", seq, ...rest };
    this.#waiting.push(message);
    this.#connection?.send(message);
  }

  send(message: ToCheck): void {
    this.#connection?.send(message);
  }

  tracks(name: string): TrackMessage[] {
    return this.messages.flatMap(({ message }) =>
      message.type === "track-changed" && message.name === name ? [message] : [],
    );
  }

  /** Waits for the first message from number `since` on that `matches`. */
  until(
    matches: (message: FromCheck) => boolean,
    what: string,
    since = 0,
  ): Promise<{ readonly atMs: number; readonly message: FromCheck }> {
    return waitFor(
      () => this.messages.slice(since).find(({ message }) => matches(message)),
      8000,
      `${what}; got ${JSON.stringify(this.messages.slice(since).map((one) => one.message))}`,
    );
  }

  /** Resolves to the exit code, or the signal. */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill(signal);
      await ended;
    }
    return child.exitCode ?? child.signalCode;
  }

  /** Resolves to the exit code when the role ends by itself. */
  async ended(): Promise<number | null> {
    const child = this.#child!;
    await waitFor(() => child.exitCode !== null, 5000, "the end of the check role");
    return child.exitCode;
  }

  async close(): Promise<void> {
    await this.end("SIGTERM");
    this.#connection?.close();
    this.#server?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Runs `use` with a role and leaves nothing behind, whatever happens. */
export async function withCheckRole(
  use: (role: CheckRole) => Promise<void>,
  namespace?: string,
): Promise<void> {
  const role = new CheckRole(namespace);
  try {
    await use(role);
  } finally {
    await role.close();
  }
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
