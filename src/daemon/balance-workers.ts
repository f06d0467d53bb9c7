/**
 * Keeps the wanted number of balance workers alive: takes over those that live already, starts what
 * is missing, replaces all of them one generation at a time. A worker that is drained has left the
 * count; it ends by itself.
 */

import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { Life, WorkerLink } from "./balance-hub.ts";
import { BALANCE_PROTOCOL } from "./balance-protocol.ts";
import type { RoleProcessStatus } from "./control-api.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import type { EventLog } from "./event-log.ts";
import { workerBox } from "./run-directory.ts";
import { endOf, isAlive, signalProcess, spawnRole, type RoleCommand } from "./role-spawn.ts";

/** A living worker connects again within its own longest pause between attempts (0.5 s). */
const ADOPT_WITHIN_MS = 1_500;
const LOOK_EVERY_MS = 50;
/** From the start of a process to `serving`, on a machine that is busy booting. */
const SERVE_WITHIN_MS = 20_000;
/** What the connections of a worker get that is not needed any more: WebSockets live long. */
const LEAVE_WITHIN_MS = 600_000;
const PING_EVERY_MS = 2_000;
const HUNG_AFTER_MS = 10_000;
/** What a drained worker may take on top of its deadline. */
const EXIT_MARGIN_MS = 2_000;

const OTHER_VERSION = "replaced by another version of Nines";

interface Worker {
  readonly serial: number;
  pid: number;
  child?: ChildProcess;
  link?: WorkerLink;
  /** Replaced, surplus, or told to end: not counted. */
  leaving: boolean;
  readonly sinceWallMs: number;
}

export interface WorkersOptions {
  readonly command: RoleCommand;
  readonly log: EventLog;
  /** A worker was connected: give it its sockets and its configuration. */
  readonly joined: (link: WorkerLink) => Promise<void>;
  /** Its process has ended, and all that it said was heard. */
  readonly gone: (worker: Life) => void;
}

export class BalanceWorkers {
  readonly #options: WorkersOptions;
  readonly #workers = new Map<number, Worker>();
  readonly #backoff = new CrashBackoff();
  readonly #stopPinging: () => void;
  #isAdopted = false;
  #wanted = 0;
  /** Workers of another version wait to be replaced. */
  #hasOthers = false;
  #lastSerial = 0;
  #restarts = 0;
  #pausedUntil = 0;
  #settling: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#stopPinging = onBeat(() => void this.#ping(), PING_EVERY_MS);
  }

  /** Those that take new connections, and their answers count. */
  get links(): readonly WorkerLink[] {
    return [...this.#workers.values()].flatMap(({ link }) => link ?? []);
  }

  /** Living ones that cannot be asked at the moment. */
  get unlinked(): readonly Life[] {
    return [...this.#workers.values()].filter(({ link }) => link === undefined);
  }

  /** Workers of an earlier control process may live that have not come here yet. */
  get isExpecting(): boolean {
    return !this.#isAdopted && this.findRecorded().length > 0;
  }

  /** To all of those but one. */
  send(message: Parameters<WorkerLink["send"]>[0], except?: WorkerLink): void {
    for (const link of this.links) if (link !== except) link.send(message);
  }

  get status(): readonly RoleProcessStatus[] {
    const name = "balance";
    return [...this.#workers.values()]
      .filter((worker) => !worker.leaving)
      .map(({ pid, link, sinceWallMs }, i): RoleProcessStatus => {
        const state = link?.isServing === true ? "running" : "starting";
        // The restarts of all of them stand at the first.
        return { name, state, pid, sinceWallMs, restarts: i === 0 ? this.#restarts : 0 };
      });
  }

  /** Waits for the workers of an earlier control process, if there are any. */
  async adopt(): Promise<void> {
    const pids = this.findRecorded();
    const untilMs = monotonicMs() + ADOPT_WITHIN_MS;
    const missing = (): boolean => pids.some((pid) => isAlive(pid) && !this.#knows(pid));
    while (missing() && monotonicMs() < untilMs) await sleep(LOOK_EVERY_MS);
    for (const pid of pids.filter((one) => isAlive(one) && !this.#knows(one))) {
      this.#add("role-hung", "error", `the balance worker ${pid} that was found hangs: killing it`);
      signalProcess(pid, "SIGKILL");
    }
    this.#isAdopted = true;
  }

  setCount(count: number): void {
    this.#wanted = count;
    this.#settle();
    if (!this.#hasOthers) return;
    this.#hasOthers = false;
    void this.replace(OTHER_VERSION);
  }

  /** Fresh processes take the sockets over; the old ones finish what they have. */
  async replace(reason: string): Promise<string | undefined> {
    const old = [...this.#workers.values()].filter((worker) => !worker.leaving);
    for (const worker of old) worker.leaving = true;
    this.#settle();
    const untilMs = monotonicMs() + SERVE_WITHIN_MS;
    while (this.#serving() < this.#wanted) {
      if (monotonicMs() > untilMs) {
        for (const worker of old) worker.leaving = false;
        this.#settle();
        return "the new workers do not come up; the old ones go on";
      }
      await sleep(LOOK_EVERY_MS);
    }
    for (const worker of old) this.#drain(worker, reason, LEAVE_WITHIN_MS);
    return undefined;
  }

  hurry(reason: string): void {
    for (const { link } of this.#workers.values())
      link?.send({ type: "drain", withinMs: 0, reason });
  }

  /** Lets everything finish; whoever lives after `withinMs` is killed. */
  async stop(reason: string, withinMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#settling);
    this.#stopPinging();
    for (const worker of this.#workers.values()) {
      if (worker.link === undefined) signalProcess(worker.pid, "SIGKILL");
      else this.#drain(worker, reason, withinMs);
    }
    const untilMs = monotonicMs() + withinMs + EXIT_MARGIN_MS;
    while (this.#workers.size > 0 && monotonicMs() < untilMs) await sleep(LOOK_EVERY_MS / 5);
    for (const worker of this.#workers.values()) signalProcess(worker.pid, "SIGKILL");
  }

  // ---- what the hub tells ----

  joined(link: WorkerLink): void {
    const { serial, pid, protocol, version, isDraining } = link.hello;
    this.#lastSerial = Math.max(this.#lastSerial, serial);
    const known = this.#workers.get(serial);
    const worker = known ?? { serial, pid, leaving: isDraining, sinceWallMs: wallMs() };
    worker.link = link;
    this.#workers.set(serial, worker);
    if (known === undefined) {
      this.#add("role-adopted", "info", `took over the balance worker ${pid}, which lived on`);
      void this.#watchStranger(worker);
    }
    if (protocol !== BALANCE_PROTOCOL) {
      this.#add("role-adopted", "warning", `worker ${pid} is of version ${version}: replacing it`);
      // Found at the start: they serve until there is a configuration that others can serve.
      if (this.#wanted === 0) this.#hasOthers = true;
      else void this.replace(OTHER_VERSION);
    } else if (!worker.leaving) {
      void this.#options.joined(link);
    }
  }

  left(link: WorkerLink): void {
    const worker = this.#workers.get(link.hello.serial);
    if (worker === undefined) this.#options.gone(link.hello);
    else if (worker.link === link) delete worker.link;
  }

  #settle(): void {
    if (this.#stopping) return;
    const pauseMs = this.#pausedUntil - monotonicMs();
    if (pauseMs > 0) {
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#settle(), pauseMs);
      return;
    }
    const staying = [...this.#workers.values()].filter((worker) => !worker.leaving);
    for (let count = staying.length; count < this.#wanted; count++) this.#start();
    const reason = "fewer workers are wanted";
    for (const worker of staying.slice(this.#wanted)) this.#drain(worker, reason, LEAVE_WITHIN_MS);
  }

  #start(): void {
    const serial = ++this.#lastSerial;
    const startedMs = monotonicMs();
    this.#backoff.started(startedMs);
    const child = spawnRole({ ...this.#options.command, words: ["--serial", String(serial)] });
    const worker: Worker = {
      serial,
      pid: child.pid ?? 0,
      child,
      leaving: false,
      sinceWallMs: wallMs(),
    };
    this.#workers.set(serial, worker);
    child.once("error", (error) => this.#ended(worker, `could not be started: ${error.message}`));
    child.once("exit", (code, signal) => this.#ended(worker, endOf(code, signal)));
  }

  #drain(worker: Worker, reason: string, withinMs: number): void {
    worker.leaving = true;
    const isTold = worker.link?.send({ type: "drain", withinMs, reason }) ?? false;
    if (!isTold) signalProcess(worker.pid, "SIGTERM");
    setTimeout(() => {
      if (this.#workers.has(worker.serial)) signalProcess(worker.pid, "SIGKILL");
    }, withinMs + EXIT_MARGIN_MS).unref();
  }

  #ended(worker: Worker, how: string): void {
    if (!this.#workers.delete(worker.serial)) return;
    if (worker.link === undefined) this.#options.gone(worker);
    const { runDirectory } = this.#options.command;
    // One that was killed has left both.
    rmSync(join(runDirectory, `balance-${worker.serial}.pid`), { force: true });
    rmSync(workerBox(runDirectory, worker.serial), { force: true });
    if (worker.leaving || this.#stopping) return;
    this.#restarts++;
    const pauseMs = this.#backoff.ended(monotonicMs());
    this.#pausedUntil = monotonicMs() + pauseMs;
    const next = pauseMs === 0 ? "starting another at once" : `the next one in ${pauseMs} ms`;
    this.#add("role-ended", "error", `the balance worker ${worker.pid} ${how}; ${next}`);
    this.#settle();
  }

  /** Not our child: its end must be looked for. */
  async #watchStranger(worker: Worker): Promise<void> {
    while (isAlive(worker.pid)) await sleep(LOOK_EVERY_MS);
    this.#ended(worker, "ended");
  }

  async #ping(): Promise<void> {
    await Promise.all(
      [...this.#workers.values()].map(async (worker) => {
        const { link } = worker;
        if (link === undefined || worker.leaving) return;
        const { error } = await link.ask({ type: "ping" }, HUNG_AFTER_MS);
        if (error === undefined || worker.link !== link || !isAlive(worker.pid)) return;
        this.#add("role-hung", "error", `the balance worker ${worker.pid} hangs: killing it`);
        signalProcess(worker.pid, "SIGKILL");
      }),
    );
  }

  #serving(): number {
    const all = [...this.#workers.values()];
    return all.filter((worker) => !worker.leaving && worker.link?.isServing === true).length;
  }

  #knows(pid: number): boolean {
    return [...this.#workers.values()].some((worker) => worker.pid === pid);
  }

  /** Workers that wrote their number down and are still what they were. */
  findRecorded(): readonly number[] {
    const { runDirectory } = this.#options.command;
    const files = readdirSync(runDirectory).filter((name) => /^balance-\d+\.pid$/.test(name));
    return files.flatMap((name) => {
      try {
        const pid = Number.parseInt(readFileSync(join(runDirectory, name), "utf8"), 10);
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        if (words.includes("balance") && words.includes(runDirectory)) return [pid];
      } catch {
        // It is gone.
      }
      rmSync(join(runDirectory, name), { force: true });
      rmSync(join(runDirectory, name.replace(/pid$/, "box")), { force: true });
      return [];
    });
  }

  #add(
    kind: "role-adopted" | "role-ended" | "role-hung",
    level: "info" | "warning" | "error",
    reason: string,
  ): void {
    this.#options.log.add({ source: "control", level, kind, instance: "balance", reason });
  }
}
