import { spawn, spawnSync } from "node:child_process";
import type { SpawnOptions } from "node:child_process";
import { existsSync } from "node:fs";

/** The programs that the lab runs, and the Debian package that brings each. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  ip: "iproute2",
  bridge: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  taskset: "util-linux",
  chrt: "util-linux",
  nft: "nftables",
  keepalived: "keepalived",
  nginx: "nginx-light",
  mariadbd: "mariadb-server",
  "mariadb-install-db": "mariadb-server",
  msmtpd: "msmtp-mta",
  dnsmasq: "dnsmasq-base",
  etcd: "etcd-server",
  tcpdump: "tcpdump",
  tshark: "tshark",
  arping: "arping",
  ping: "iputils-ping",
};

/** Debian keeps administrators' programs where a user's PATH does not look. */
export const SEARCH_PATH: string = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;

export function isInstalled(program: string): boolean {
  return SEARCH_PATH.split(":").some((directory) => existsSync(`${directory}/${program}`));
}

export interface RunOptions {
  /** Given to its standard input, which is closed then; empty by default. */
  readonly input?: string;
  /** After this it is killed, with everything that it started, and the call fails; 10000 by default. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program ended with a non-zero status, by a signal, or not in time. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly argv: readonly string[];
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;

  constructor(argv: readonly string[], status: number | string, output: [string, string]) {
    super(`\`${argv.join(" ")}\` ended with ${status}: ${output[1].trim() || output[0].trim()}`);
    this.argv = argv;
    this.status = status;
    [this.stdout, this.stderr] = output;
  }
}

/** A program that is not installed here; `package` is what Debian calls it. */
export class MissingTool extends Error {
  override readonly name = "MissingTool";
  readonly tool: string;
  readonly package: string;

  constructor(tool: string) {
    const name = tool.slice(tool.lastIndexOf("/") + 1);
    const from = PACKAGE_OF[name] ?? name;
    super(`'${name}' is not installed here. Install it: apt-get install ${from}`);
    this.tool = name;
    this.package = from;
  }
}

/** Runs a program to its end. Resolves to its standard output, rejects with CommandFailed. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { timeout, ...rest } = spawnOptions(options);
    // `nsenter` waits for its child, and a shell for its own: a group of its own ends as a whole.
    const child = spawn(argv[0]!, argv.slice(1), { ...rest, detached: true });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child.pid);
    }, timeout);
    const output: [string, string] = ["", ""];
    child.stdout!.setEncoding("utf8").on("data", (text: string) => (output[0] += text));
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (output[1] += text));
    // A program that does not read its input closes the pipe; that is its right.
    child.stdin!.on("error", () => {}).end(options.input ?? "");
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(spawnError(error, argv));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0 && !isLate) resolve(output[0]);
      else reject(new CommandFailed(argv, signal ?? code ?? "unknown", output));
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended in this moment.
  }
}

/** `spawnSync` takes it as `spawn` does; only its types do not say so. */
const ITS_OWN_GROUP = { detached: true };

/**
 * For the exit path, where nothing can be awaited. Never throws; returns what was complained. A
 * second Ctrl-C, which the terminal sends to all of its group, must not stop it half-way.
 */
export function runToEnd(argv: readonly string[], input = ""): string {
  const { stdio: _, ...options } = spawnOptions({ input });
  const done = spawnSync(argv[0]!, argv.slice(1), {
    ...options,
    ...ITS_OWN_GROUP,
    input,
    encoding: "utf8",
  });
  return done.error === undefined ? done.stderr : done.error.message;
}

/** Many `ip` commands in one process, in `namespace` or here. Stops at the first that fails. */
export async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  const where = namespace === undefined ? [] : ["-n", namespace];
  try {
    await run(["ip", ...where, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  } catch (error) {
    throw failedLine(error, lines);
  }
}

/** One `bridge` command on the wire. */
export async function bridge(namespace: string, ...args: string[]): Promise<void> {
  await run(["bridge", "-n", namespace, ...args]);
}

function spawnOptions(options: RunOptions): SpawnOptions {
  return {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 10_000,
    killSignal: "SIGKILL",
    env: { ...process.env, PATH: SEARCH_PATH, LC_ALL: "C", ...options.env },
  };
}

export function spawnError(error: Error, argv: readonly string[]): Error {
  return (error as NodeJS.ErrnoException).code === "ENOENT" ? new MissingTool(argv[0]!) : error;
}

/** `Command failed -:3` alone helps nobody: name the command of line 3. */
function failedLine(error: unknown, lines: readonly string[]): unknown {
  if (!(error instanceof CommandFailed)) return error;
  const at = /Command failed -:(\d+)/.exec(error.stderr);
  const line = at === null ? undefined : lines[Number(at[1]) - 1];
  if (line === undefined) return error;
  return new CommandFailed(["ip", line], error.status, [error.stdout, error.stderr]);
}
