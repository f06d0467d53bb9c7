/**
 * Runs one script: argv without a shell, as its user with no supplementary groups, clean
 * environment, working directory `/`, standard input empty, a session of its own. Deadlines and
 * verdicts are not made here; `kill` reaches everything that the script started.
 *
 * Environment: PATH, HOME, USER, LOGNAME, SHELL, what the caller names, and nothing else - in particular nothing that
 * the operator's shell or systemd gave to the daemon.
 *
 * Output goes to a real pipe that everybody may open, so that `echo … > /dev/stderr` works in a
 * script without privileges (Node's own "pipe" is a socket, which cannot be opened anew). What a
 * script leaves running in the background keeps the pipe: it is read until the last writer is
 * gone, because a revived service must not die of SIGPIPE.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, fchmodSync, readSync } from "node:fs";
import { LACKS } from "../core/check/probe.ts";
import type { ScriptEnd } from "../core/check/script-track.ts";
import { SCRIPT_PATH } from "../core/check/script-security.ts";
import type { NotifyCommand } from "../core/vrrp/settings.ts";
import { openPipe } from "./descriptors.ts";
import { watchReadable } from "./poll.ts";
import { ProcessFamily } from "./process-family.ts";
import { scriptUser, type ScriptUser } from "./user-database.ts";

/** The end of a script's output that is kept for the reason, bytes. */
const OUTPUT_KEPT = 4096;

export interface RunningScript {
  /** 0 when it could not be started. */
  readonly pid: number;
  /** To the script and its whole family, also after the script itself has ended. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface ScriptDefaults {
  /** `script_user`; absent: see `scriptUser`. */
  readonly user?: string;
  readonly group?: string;
}

export interface ScriptOutcome {
  readonly end: ScriptEnd;
  /** The last 4 KiB of what it printed. */
  readonly output: string;
}

export type ScriptCommand = NotifyCommand & {
  readonly environment?: Readonly<Record<string, string>>;
};

/** `onEnded` is called once, never before this function has returned. */
export function runScript(
  command: ScriptCommand,
  defaults: ScriptDefaults,
  onEnded: (outcome: ScriptOutcome) => void,
): RunningScript {
  const named = command.user === undefined ? defaults : command;
  const user = scriptUser(named.user, named.group);
  const [file] = command.argv;
  if (typeof user === "string" || file === undefined) {
    const reason = typeof user === "string" ? user : "the command is empty";
    return notStarted({ kind: "not-started", reason }, onEnded);
  }
  const pipe = openPipe();
  if ("errno" in pipe) {
    return notStarted({ kind: "not-started", reason: pipe.message, isOurs: true }, onEnded);
  }
  fchmodSync(pipe.writeFd, 0o666);
  const output = new OutputTail(pipe.readFd);
  let ended = false;
  const end = (result: ScriptEnd): void => {
    if (ended) return;
    ended = true;
    onEnded({ end: result, output: output.finish() });
  };
  const fail = (error: NodeJS.ErrnoException): void => {
    const isOurs = LACKS.has(error.code ?? "") ? ({ isOurs: true } as const) : {};
    end({ kind: "not-started", reason: startProblem(file, user, error), ...isOurs });
  };
  const child = start(command, user, pipe.writeFd);
  closeSync(pipe.writeFd);
  if (child instanceof Error) {
    setImmediate(fail, child);
    return { pid: 0, kill: () => {} };
  }
  child.once("error", fail);
  child.once("exit", (code, signal) => {
    end(code === null ? { kind: "signalled", signal: signal ?? "?" } : { kind: "exited", code });
  });
  const pid = child.pid ?? 0;
  const family = new ProcessFamily(pid);
  return {
    pid,
    kill(signal): void {
      if (pid !== 0) family.signal(signal);
    },
  };
}

/** Node tells some errors by an event and throws others, such as EPERM. */
function start(command: ScriptCommand, user: ScriptUser, output: number): ChildProcess | Error {
  const [file, ...args] = command.argv;
  try {
    return spawn(file!, args, {
      cwd: "/",
      env: { ...command.environment, ...scriptEnvironment(user) },
      detached: true,
      stdio: ["ignore", output, output],
      ...identity(user),
    });
  } catch (error) {
    return error as Error;
  }
}

function notStarted(end: ScriptEnd, onEnded: (outcome: ScriptOutcome) => void): RunningScript {
  setImmediate(onEnded, { end, output: "" });
  return { pid: 0, kill: () => {} };
}

/** libuv clears the supplementary groups whenever it is given a uid or gid. */
function identity(user: ScriptUser): { uid?: number; gid?: number } {
  const privileged = process.geteuid?.() === 0;
  const same = user.uid === process.geteuid?.() && user.gid === process.getegid?.();
  // Without privileges nothing can be changed, and setting what is already so would fail.
  return same && !privileged ? {} : { uid: user.uid, gid: user.gid };
}

function scriptEnvironment(user: ScriptUser): Record<string, string> {
  const { name, home, shell } = user;
  return { PATH: SCRIPT_PATH, HOME: home, USER: name, LOGNAME: name, SHELL: shell };
}

function startProblem(file: string, user: ScriptUser, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return `${file}, or the interpreter in its first line, does not exist`;
    case "EACCES":
      return `${user.name} may not execute ${file}`;
    case "EPERM":
      return `this process may not become ${user.name}`;
    case "ENOEXEC":
      return `${file} is no program and has no #! line`;
    default:
      return `${file}: ${error.code ?? error.message}`;
  }
}

/** Reads a pipe to its end and keeps the last bytes. */
class OutputTail {
  readonly #fd: number;
  readonly #buffer: Buffer = Buffer.alloc(OUTPUT_KEPT * 2);
  readonly #watch: { close(): void };
  #used = 0;
  #open = true;

  /** `fd` is non-blocking and closed here when the last writer is gone. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#watch = watchReadable(fd, () => this.#drain());
  }

  /** The tail so far. What background children still write is read and thrown away. */
  finish(): string {
    this.#drain();
    return this.#buffer.subarray(Math.max(0, this.#used - OUTPUT_KEPT), this.#used).toString();
  }

  #drain(): void {
    // Bounded, so that a script which prints without end cannot hold the event loop.
    for (let reads = 0; this.#open && reads < 64; reads++) {
      if (this.#used > OUTPUT_KEPT) {
        this.#buffer.copyWithin(0, this.#used - OUTPUT_KEPT, this.#used);
        this.#used = OUTPUT_KEPT;
      }
      let count: number;
      try {
        count = readSync(
          this.#fd,
          this.#buffer,
          this.#used,
          this.#buffer.length - this.#used,
          null,
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return;
        count = 0;
      }
      if (count === 0) this.#close();
      this.#used += count;
    }
  }

  #close(): void {
    this.#open = false;
    this.#watch.close();
    closeSync(this.#fd);
  }
}
