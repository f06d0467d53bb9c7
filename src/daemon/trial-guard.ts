/**
 * While a configuration waits to be confirmed, a process of its own waits with it. The control process
 * goes back by itself; when it is dead or hangs at that moment, the guard ends what hangs, gives a
 * service manager time to start it again, and otherwise starts it as it was started before: a
 * control process that starts takes back what is overdue, and takes the living processes over.
 *
 * Who guards whom is in one file of the run directory. A guard whose name does not stand there (another
 * one was started, the node was stopped in good order) has nothing to do any more.
 */

import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { writePrivateFile } from "../drivers/private-file.ts";
import { pendingTrial } from "./configuration-trial.ts";
import { isAlive, signalProcess } from "./role-spawn.ts";
import type { RunDirectory } from "./run-directory.ts";
import { ownCommand } from "./self-upgrade.ts";

const LOOK_MS = 500;
/** A control process that lives and is busy has gone back by then. */
const LATE_MS = 3_000;
/** What a service manager gets to start the control process again, and what nobody gets. */
const MANAGER_MS = 30_000;
const NOBODY_MS = 1_000;

interface Watch {
  readonly token: string;
  /** The control process; its start tells it from another one that was given its number later. */
  readonly pid: number;
  readonly startedTicks: string;
  readonly command: readonly [string, ...string[]];
  readonly isManaged: boolean;
}

/** The control process's end. */
export class TrialGuard {
  readonly #directory: RunDirectory;
  readonly #stateDirectory: string;
  readonly #limited: (reason: string) => void;

  constructor(directory: RunDirectory, stateDirectory: string, limited: (reason: string) => void) {
    this.#directory = directory;
    this.#stateDirectory = stateDirectory;
    this.#limited = limited;
  }

  /** In place of one that there may be already. */
  start(): void {
    const { trialGuard, path } = this.#directory;
    const failed = (why: string): void =>
      this.#limited(`nobody goes back to the last configuration if this process dies: ${why}`);
    const { pid } = process;
    const command = ownCommand();
    const watch: Watch = {
      token: `${pid}-${monotonicMs()}`,
      pid,
      startedTicks: startedTicks(pid),
      command,
      isManaged: process.env["NOTIFY_SOCKET"] !== undefined,
    };
    try {
      writePrivateFile(trialGuard, JSON.stringify(watch));
    } catch (error) {
      return failed(String(error));
    }
    const places = ["--run-dir", path, "--state-dir", this.#stateDirectory];
    const [node, ...words] = command.slice(0, command.indexOf(process.argv[1]!) + 1);
    const guard = spawn(node!, [...words, "role", "trial-guard", ...places], {
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
    });
    guard.once("error", (error) => failed(error.message));
    guard.unref();
  }

  /** The node ends in good order: its next start goes back if that is due then. */
  dismiss(): void {
    rmSync(this.#directory.trialGuard, { force: true });
  }
}

/** The guard's end: until there is nothing to guard. */
export async function runTrialGuard(path: string, stateDirectory: string): Promise<void> {
  const watch = readWatch(path);
  if (watch === undefined) return;
  const isWanted = (): boolean =>
    readWatch(path)?.token === watch.token && pendingTrial(stateDirectory) !== undefined;
  const isOverdue = (): boolean =>
    wallMs() >= (pendingTrial(stateDirectory)?.untilWallMs ?? Infinity);
  /** False: whatever it was for has happened, or is somebody else's. */
  const stillAfter = async (ms: number): Promise<boolean> => {
    const untilMs = monotonicMs() + ms;
    while (isWanted() && monotonicMs() < untilMs) await sleep(LOOK_MS);
    return isWanted();
  };
  while (isWanted() && !isOverdue()) await sleep(LOOK_MS);
  if (!(await stillAfter(LATE_MS))) return;
  if (isSame(watch)) {
    say(`the control process ${watch.pid} hangs: it is ended`);
    signalProcess(watch.pid, "SIGKILL");
  }
  if (!(await stillAfter(watch.isManaged ? MANAGER_MS : NOBODY_MS))) return;
  say("the control process is dead: it is started again");
  const [node, ...words] = watch.command;
  spawn(node, words, { detached: true, stdio: ["ignore", "inherit", "inherit"] }).unref();
}

function isSame({ pid, startedTicks: before }: Watch): boolean {
  return isAlive(pid) && startedTicks(pid) === before;
}

/** Field 22 of /proc/PID/stat; "" when there is no such process. */
function startedTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function readWatch(path: string): Watch | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Watch;
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  process.stderr.write(`nines: nobody took the unconfirmed configuration back; ${text}\n`);
}
