/**
 * Keeps exactly one process of a role alive. Each writes its number down, and the vrrp process tells
 * us who checks for it: so a process of an earlier control process is taken over, not doubled.
 */

import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { RoleProcessStatus } from "./control-api.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import type { EventLog } from "./event-log.ts";
import { LifeWatch, type Patience, type Repeat } from "./life-watch.ts";
import {
  endOf,
  isAlive,
  lifeShownMs,
  recordedRole,
  signalProcess,
  spawnRole,
  type RoleCommand,
} from "./role-spawn.ts";

/** How often a process that is not our child is looked after. */
const LOOK_EVERY_MS = 100;
/** One left over connects within its own longest pause between attempts (1 s). */
const ADOPT_WITHIN_MS = 1_500;
/** Scripts that run are waited for by whoever goes. */
const RENEWED_WITHIN_MS = 15_000;

const PATIENCE: Readonly<Record<"check" | "console", Patience>> = {
  check: { lookMs: 1_000, looks: 10, fromFirstSign: true },
  // A ledger of a year that is read again takes a while on a busy machine.
  console: { lookMs: 2_000, looks: 15, fromFirstSign: false },
};

export class RoleSupervision {
  readonly #command: RoleCommand;
  readonly #log: EventLog;
  readonly #patience: Patience;
  readonly #repeat: Repeat;
  readonly #backoff = new CrashBackoff();
  #status: RoleProcessStatus;
  #child: ChildProcess | undefined;
  #stopping = false;
  #isRenewing = false;

  constructor(
    command: RoleCommand & { readonly role: "check" | "console" },
    log: EventLog,
    repeat: Repeat = onBeat,
  ) {
    this.#command = command;
    this.#log = log;
    this.#patience = PATIENCE[command.role];
    this.#repeat = repeat;
    this.#status = { name: command.role, state: "down", sinceWallMs: wallMs(), restarts: 0 };
  }

  /** For sentences. */
  get #name(): string {
    return `${this.#status.name} process`;
  }

  get status(): RoleProcessStatus {
    return this.#status;
  }

  /** The living process that wrote its number down, ours or of an earlier control process. */
  get recorded(): number | undefined {
    const pid = recordedRole(this.#command);
    return pid !== undefined && isAlive(pid) ? pid : undefined;
  }

  /**
   * `livingPid`: tells who lives already. `fresh`: whoever tells it was started by us just now, so
   * there is nobody to wait for. Returns when `stop` was called and nobody lives.
   */
  async run(livingPid: () => number | undefined, fresh: boolean): Promise<void> {
    this.#stopping = false;
    const life = new LifeWatch(this, this.#patience);
    const stopLooking = this.#repeat(() => life.look(), this.#patience.lookMs);
    let pid = fresh ? undefined : await this.#leftOver(livingPid);
    while (!this.#stopping) {
      const how = pid === undefined ? await this.#startAndWait() : await this.#stranger(pid);
      pid = undefined;
      if (this.#stopping) break;
      if (this.#isRenewing) {
        this.#isRenewing = false;
        continue;
      }
      const pauseMs = this.#backoff.ended(monotonicMs());
      this.#set("backing-off");
      this.#add("role-ended", `the ${this.#name} ${how}; starting it again in ${pauseMs} ms`);
      await sleep(pauseMs);
      this.#status = { ...this.#status, restarts: this.#status.restarts + 1 };
    }
    stopLooking();
    this.#set("down");
  }

  /** A fresh process in its place. The answer says why not. */
  async renew(): Promise<string | undefined> {
    const { pid } = this.#status;
    if (pid === undefined || this.#stopping) return "it is being started";
    this.#isRenewing = true;
    signalProcess(pid, "SIGTERM");
    const untilMs = monotonicMs() + RENEWED_WITHIN_MS;
    while (this.#status.pid === pid || this.#status.state !== "running") {
      if (monotonicMs() > untilMs) return "its successor did not come up in time";
      await sleep(LOOK_EVERY_MS / 4);
    }
    return undefined;
  }

  /** When it showed last that it lives, Unix ms by the file system's clock; see `keepShowingLife`. */
  get shownMs(): number | undefined {
    return this.#status.state === "running" ? lifeShownMs(this.#command) : undefined;
  }

  /** It lives and does nothing: the end of it, and with that another one. */
  replaceHung(why: string): void {
    const { pid } = this.#status;
    if (pid === undefined || this.#stopping) return;
    this.#add("role-hung", `the ${this.#name} ${pid} hangs: ${why}; killing it`);
    signalProcess(pid, "SIGKILL");
  }

  /** From now on its end is what was asked for. */
  expectEnd(): void {
    this.#stopping = true;
  }

  /**
   * Whoever has not ended by itself after `withinMs` is told to, and killed `graceMs` later: the
   * check process was told by the vrrp process to finish its queue.
   */
  async stop(withinMs: number, graceMs: number = LOOK_EVERY_MS): Promise<void> {
    this.#stopping = true;
    const { pid } = this.#status;
    if (pid === undefined) return;
    const untilMs = monotonicMs() + withinMs;
    while (this.#lives(pid) && monotonicMs() < untilMs) await sleep(5);
    if (!this.#lives(pid)) return;
    signalProcess(pid, "SIGTERM");
    const killMs = monotonicMs() + graceMs;
    while (this.#lives(pid) && monotonicMs() < killMs) await sleep(5);
    if (this.#lives(pid)) signalProcess(pid, "SIGKILL");
  }

  async #leftOver(livingPid: () => number | undefined): Promise<number | undefined> {
    for (let waited = 0; waited < ADOPT_WITHIN_MS; waited += LOOK_EVERY_MS) {
      const pid = livingPid();
      if (pid !== undefined && isAlive(pid)) {
        this.#add("role-adopted", `took over the ${this.#name} ${pid}, which lived on`);
        return pid;
      }
      await sleep(LOOK_EVERY_MS);
    }
    return undefined;
  }

  /** Starts a process and waits for its end. */
  async #startAndWait(): Promise<string> {
    const child = spawnRole(this.#command);
    this.#child = child;
    this.#backoff.started(monotonicMs());
    this.#set("running", child.pid);
    if (child.pid !== undefined)
      this.#add("role-started", `started the ${this.#name} ${child.pid}`);
    return new Promise((resolve) => {
      child.once("error", (error) => resolve(`could not be started: ${error.message}`));
      child.once("exit", (code, signal) => resolve(endOf(code, signal)));
    });
  }

  async #stranger(pid: number): Promise<string> {
    this.#backoff.started(monotonicMs());
    this.#set("running", pid);
    while (isAlive(pid)) await sleep(LOOK_EVERY_MS);
    return "ended";
  }

  #lives(pid: number): boolean {
    if (this.#child?.pid !== pid) return isAlive(pid);
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #set(state: RoleProcessStatus["state"], pid?: number): void {
    const { name, restarts } = this.#status;
    const base = { name, state, sinceWallMs: wallMs(), restarts };
    this.#status = pid === undefined ? base : { ...base, pid };
  }

  #add(kind: "role-started" | "role-ended" | "role-adopted" | "role-hung", reason: string): void {
    const level = kind === "role-ended" || kind === "role-hung" ? "error" : "info";
    this.#log.add({ source: "control", level, kind, instance: this.#status.name, reason });
  }
}
