import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { SEARCH_PATH, spawnError } from "./command.ts";
import { childrenOf, innerPidOf, isAlive, programOf, signal, treeOf } from "./process-table.ts";
import { pause, waitFor } from "./wait.ts";

/** How often a wrapper that may have stopped itself is woken until it has ended. */
const WAKE_EVERY_MS = 100;

export interface StartOptions {
  /** For messages and the log file; the program's name by default. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard output and error, appended; `log/NAME.log` of the host by default. */
  readonly log?: string;
  /** `true`: standard input and output are pipes for the caller; only errors go to the log. */
  readonly talk?: boolean;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A program that runs inside a host. `nsenter` has to fork to enter the host's PID namespace, so
 * there is a wrapper outside; every signal here goes to the real process and not to the wrapper.
 */
export class LabProcess {
  readonly name: string;
  readonly argv: readonly string[];
  /** Of the real process, as seen from outside. */
  readonly pid: number;
  readonly logFile: string;
  readonly #ended: Promise<Ending>;
  readonly #wrapper: ChildProcess;

  private constructor(
    id: { name: string; argv: readonly string[]; log: string },
    pid: number,
    wrapper: ChildProcess,
  ) {
    this.name = id.name;
    this.argv = id.argv;
    this.logFile = id.log;
    this.pid = pid;
    this.#wrapper = wrapper;
    this.#ended = new Promise((resolve) => {
      const told = (code: number | null, by: NodeJS.Signals | null): void =>
        resolve({ code, signal: by });
      if (wrapper.exitCode === null && wrapper.signalCode === null) wrapper.once("exit", told);
      else told(wrapper.exitCode, wrapper.signalCode);
    });
  }

  /** Resolves when the program itself, not only its wrapper, has been started. */
  static async start(
    initPid: number,
    argv: readonly string[],
    options: StartOptions & { readonly name: string; readonly log: string },
  ): Promise<LabProcess> {
    const log = openSync(options.log, "a", 0o644);
    const talk = options.talk === true ? "pipe" : undefined;
    const wrapper = spawn("nsenter", enter(initPid, argv), {
      stdio: [talk ?? "ignore", talk ?? log, log],
      detached: true,
      env: { ...process.env, PATH: SEARCH_PATH, TMPDIR: "/tmp", ...options.env },
    });
    closeSync(log);
    // It must not hold up the end of the lab's own process, which ends the host too.
    wrapper.unref();
    await spawned(wrapper);
    const pid = await realPid(wrapper);
    const id = { name: options.name, argv, log: options.log };
    return new LabProcess(id, pid, wrapper);
  }

  /** Who waits for this keeps the lab's own process alive until then. */
  get ended(): Promise<Ending> {
    this.#wrapper.ref();
    return this.#ended;
  }

  get isRunning(): boolean {
    return isAlive(this.pid);
  }

  /** The number under which it knows itself, as in its pid file. */
  get innerPid(): number {
    return innerPidOf(this.pid) ?? this.pid;
  }

  /** What it wrote so far (with `talk`: only its errors). */
  get log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** With `talk` only. */
  get stdin(): Writable | null {
    return this.#wrapper.stdin;
  }

  /** With `talk` only. */
  get stdout(): Readable | null {
    return this.#wrapper.stdout;
  }

  /** Sends a signal to this one process. False when it was gone already. */
  signal(name: NodeJS.Signals): boolean {
    return signal(this.pid, name);
  }

  /** SIGKILL to it and all its descendants, children first: none can say good-bye. */
  kill(): void {
    const all = treeOf(this.pid);
    // Stopped first: a parent that sees its child die may start another or tidy up.
    for (const pid of all) signal(pid, "SIGSTOP");
    for (const pid of treeOf(this.pid)) signal(pid, "SIGKILL");
    this.wakeWrapper();
    // It may learn of the stop only after that, and stop then.
    const waking = setInterval(() => this.wakeWrapper(), WAKE_EVERY_MS).unref();
    void this.#ended.then(() => clearInterval(waking));
  }

  /** SIGSTOP to it and all its descendants: alive for the kernel, dead for its peers. */
  stop(): void {
    for (const pid of treeOf(this.pid).reverse()) signal(pid, "SIGSTOP");
  }

  resume(): void {
    for (const pid of treeOf(this.pid)) signal(pid, "SIGCONT");
    this.wakeWrapper();
  }

  /** SIGTERM, and after `graceMs` (5000) SIGKILL to all of it. Resolves when it has ended. */
  async terminate(graceMs = 5000): Promise<Ending> {
    this.signal("SIGTERM");
    const ended = await Promise.race([this.ended, pause(graceMs)]);
    if (ended === undefined) this.kill();
    return this.ended;
  }

  /**
   * nsenter stops itself together with its child, and nobody inside can see it to make it go on. As
   * long as it stands it buries no child, and the world around that child cannot end.
   */
  wakeWrapper(): void {
    if (this.#wrapper.exitCode === null && this.#wrapper.signalCode === null) {
      this.#wrapper.kill("SIGCONT");
    }
  }
}

/** The command line that runs `argv` inside the host with this process 1; in `directory`, else `/`. */
export function enter(initPid: number, argv: readonly string[], directory?: string): string[] {
  const where = directory === undefined ? [] : [`--wdns=${directory}`];
  return ["-t", String(initPid), "-n", "-m", "-u", "-i", "-p", ...where, "--", ...argv];
}

function spawned(wrapper: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    wrapper.once("spawn", resolve);
    wrapper.once("error", (error) => reject(spawnError(error, ["nsenter"])));
  });
}

/** The wrapper's only child, once it has become the program that was asked for. */
async function realPid(wrapper: ChildProcess): Promise<number> {
  let child: number | undefined;
  return waitFor(
    () => {
      child = childrenOf(wrapper.pid!)[0] ?? child;
      if (wrapper.exitCode !== null || wrapper.signalCode !== null) return child ?? wrapper.pid;
      const started = child !== undefined && !programOf(child)?.endsWith("/nsenter");
      return started ? child : undefined;
    },
    5000,
    `process ${wrapper.pid} to start inside the host`,
  );
}
