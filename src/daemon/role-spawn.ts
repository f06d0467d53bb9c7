/**
 * Starts a role as a process of its own. It gets its own session, so that neither the terminal's
 * Ctrl-C nor the end of the control process reaches it: the addresses outlive whoever started it.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onBeat } from "../drivers/beat.ts";
import { assert } from "../lib/assert.ts";

/** A fifth of the patience of whoever watches, or less. */
const SIGN_EVERY_MS = 2_000;

export interface RoleCommand {
  /** `spare`: a vrrp process in reserve, see `spare-role.ts`. */
  readonly role: "vrrp" | "check" | "balance" | "console" | "spare";
  readonly runDirectory: string;
  readonly stateDirectory: string;
  /** Run inside this network namespace (`net_namespace`). */
  readonly networkNamespace?: string;
  /** Further words of the command line, e.g. which worker it is. */
  readonly words?: readonly string[];
}

/**
 * Small young generation: the vrrp role makes next to no garbage, and a scavenge of 1 MB takes
 * well under a millisecond. One thread for V8's background work instead of four.
 */
const VRRP_FLAGS = [
  "--max-semi-space-size=1",
  "--max-old-space-size=128",
  "--v8-pool-size=1",
  // What was rehearsed must not be forgotten: a takeover comes after months of doing nothing.
  "--no-flush-bytecode",
];
const NODE_FLAGS: Readonly<Record<RoleCommand["role"], readonly string[]>> = {
  vrrp: VRRP_FLAGS,
  spare: VRRP_FLAGS,
  // Its garbage is young: records that were written, answers that were sent.
  console: ["--max-semi-space-size=8", "--max-old-space-size=256", "--v8-pool-size=1"],
  check: ["--max-old-space-size=256", "--v8-pool-size=1"],
  // What lives longer than a request is a connection: a scavenge copies next to nothing. Node reads
  // HTTP/2 into fresh buffers; V8 alone would walk the whole heap after every 64 MB of them.
  balance: [
    "--max-semi-space-size=16",
    "--v8-pool-size=1",
    "--external-memory-accounted-in-global-limit",
  ],
};

export function spawnRole(command: RoleCommand): ChildProcess {
  const entry = process.argv[1];
  assert(entry !== undefined, "a process started by node knows its entry file");
  const node = [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    ...NODE_FLAGS[command.role],
    entry,
    "role",
    command.role,
    "--run-dir",
    command.runDirectory,
    "--state-dir",
    command.stateDirectory,
    ...(command.words ?? []),
  ];
  const inside = command.networkNamespace;
  const [file, ...rest] = inside === undefined ? node : ["ip", "netns", "exec", inside, ...node];
  assert(file !== undefined, "a command has a first word");
  const input = command.role === "spare" ? "pipe" : "ignore";
  return spawn(file, rest, { detached: true, stdio: [input, "inherit", "inherit"] });
}

/** From now on this process is listed as another role. */
export function renameRole(from: RoleCommand["role"], to: RoleCommand["role"]): void {
  const words = process.argv.slice(1);
  process.title = words.map((word) => (word === from ? to : word)).join(" ");
}

/** How a process ended, as a sentence without its subject. */
export function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exited with ${code ?? "no code"}` : `was ended by ${signal}`;
}

/**
 * Whether `pid` is there and not a zombie: children of the program that this process was before an
 * upgrade are ours, and nobody asks for their last words.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** False when it was gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Written by a role at its start, so that a hung one can be found by who replaces it. */
export function recordRole(
  role: RoleCommand["role"] | `balance-${number}`,
  directory: string,
): void {
  writeFileSync(join(directory, `${role}.pid`), `${process.pid}\n`, { mode: 0o600 });
}

/** Again and again: a process whose event loop stands still cannot do it. Control replaces who does not. */
export function keepShowingLife(role: "check" | "console", directory: string): void {
  onBeat(() => showLife(role, directory), SIGN_EVERY_MS);
}

/** Now: in the middle of work that keeps the event loop for long. */
export function showLife(role: "check" | "console", directory: string): void {
  const now = new Date();
  try {
    utimesSync(join(directory, `${role}.pid`), now, now);
  } catch {
    // The directory is gone: who lives without it is left alone.
  }
}

/** When the process that recorded itself last did that, Unix ms; undefined: nobody recorded itself. */
export function lifeShownMs({ role, runDirectory }: RoleCommand): number | undefined {
  return statSync(join(runDirectory, `${role}.pid`), { throwIfNoEntry: false })?.mtimeMs;
}

/** The process that recorded itself, unless that number now belongs to somebody else. */
export function recordedRole(command: RoleCommand): number | undefined {
  try {
    const text = readFileSync(join(command.runDirectory, `${command.role}.pid`), "utf8");
    const pid = Number.parseInt(text, 10);
    // A process that was renamed has spaces between its words.
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split(/[\0 ]/);
    const ours = words.includes(command.role) && words.includes(command.runDirectory);
    return ours ? pid : undefined;
  } catch {
    return undefined;
  }
}
