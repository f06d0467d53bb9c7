/**
 * Keeps exactly one vrrp process alive: takes over the one that already runs, starts one when
 * there is none, replaces one that died or hangs - by a spare that waits for that, so that it is
 * back before its lease ends. Policy of restarts only; what the process does is decided elsewhere.
 */

import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { makeOrdinary } from "../drivers/scheduling.ts";
import type { RoleProcessStatus } from "./control-api.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import type { EventLog } from "./event-log.ts";
import { removeStaleSocket } from "./line-connection.ts";
import { ReignWatch, type Silence } from "./reign-watch.ts";
import {
  endOf,
  isAlive,
  recordedRole,
  signalProcess,
  spawnRole,
  type RoleCommand,
} from "./role-spawn.ts";
import { briefing, SpareRole } from "./spare-role.ts";
import type { RoleConfiguration } from "./role-protocol.ts";
import { VrrpLink, type Answer, type Unasked } from "./vrrp-link.ts";

/** How often a freshly started process is looked for. */
const CONNECT_EVERY_MS = 5;
/** Longest time from start to `welcome`, on a machine that is busy booting. */
const START_WITHIN_MS = 20_000;
/** How often the process must show that its loop turns, and how long it may fail to. */
const PING_EVERY_MS = 1_000;
const HUNG_AFTER_MS = 5_000;
/** A process that was just started has other things to do. */
const SPARE_AFTER_MS = 1_000;
/** How often a spare that is still loading is looked at. */
const SPARE_LOOK_MS = 50;
/** Call to advert takes some 14 ms; on a machine that is overloaded tenfold 700 ms were seen. */
const SHORTEST_LEASE_MS = 2_000;
/** A limit that was not needed must not keep the process from ending. */
const BACKGROUND = { ref: false } as const;

export interface VrrpSupervisionOptions {
  readonly command: RoleCommand;
  readonly socketPath: string;
  /** Of the configuration in force. */
  readonly instances: () => readonly InstanceSettings[];
  readonly log: EventLog;
  /** A living process was connected: configure it. */
  readonly linked: (link: VrrpLink) => Promise<void>;
  readonly unasked: (message: Unasked) => void;
}

export class VrrpSupervision {
  link: VrrpLink | undefined;
  /** monotonicMs of the last sign of life. */
  lastAnswerMs = 0;
  readonly #options: VrrpSupervisionOptions;
  readonly #backoff = new CrashBackoff();
  readonly #spare: SpareRole;
  #child: ChildProcess | undefined;
  /** In the place of one that was killed. */
  #called: ChildProcess | undefined;
  #briefing = "";
  /** What the spare that was called carries out without being told once more. */
  #carriedOut = "";
  #status: RoleProcessStatus;
  #stopping = false;
  #isRenewing = false;
  /** Of the process that is accompanied now. */
  #killed = Promise.withResolvers<boolean>();
  #starts = 0;

  constructor(options: VrrpSupervisionOptions) {
    this.#options = options;
    this.#spare = new SpareRole(options.command);
    this.#status = { name: "vrrp", state: "down", sinceWallMs: wallMs(), restarts: 0 };
  }

  /** The process is older than we are, and perhaps its check process as well. */
  get isAdopted(): boolean {
    return this.link !== undefined && this.link.welcome.pid !== this.#child?.pid;
  }

  get status(): RoleProcessStatus {
    return this.#status;
  }

  /** The process has answered lately, or is being replaced. */
  get isLively(): boolean {
    return this.link === undefined || monotonicMs() - this.lastAnswerMs < 2 * HUNG_AFTER_MS;
  }

  /** Returns when `stop` was called and the process has ended. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const isCalled = this.#called !== undefined;
      const link = (isCalled ? undefined : await this.#adopt()) ?? (await this.#start());
      if (link === undefined) {
        await this.#pauseAfterDeath(`did not come up${whyNot(this.#options.command)}`);
        continue;
      }
      const killed = await this.#accompany(link);
      if (this.#stopping) break;
      if (this.#isRenewing) {
        this.#isRenewing = false;
        continue;
      }
      await this.#pauseAfterDeath(killed ? "was killed" : await this.#howItEnded(link.welcome.pid));
    }
    this.#set("down");
  }

  /** The process, and the spare that may come after it. */
  async configure(link: VrrpLink, configuration: RoleConfiguration): Promise<Answer> {
    const carriedOut = this.#carriedOut;
    this.#carriedOut = "";
    this.#briefing = briefing(configuration);
    this.#spare.brief(this.#briefing);
    const isSuccessor = link.welcome.configured && link.welcome.pid === this.#child?.pid;
    if (isSuccessor && this.#briefing === carriedOut) return {};
    return link.configure(configuration);
  }

  /** Asks the process to resign and end; it is killed when it has not within `withinMs`. */
  async stop(reason: string, withinMs: number): Promise<void> {
    this.#stopping = true;
    this.#spare.close();
    const { link } = this;
    if (link === undefined) {
      this.#child?.kill("SIGKILL");
      return;
    }
    link.stop(reason);
    const ended = await Promise.race([
      link.closed.then(() => true),
      sleep(withinMs, false, BACKGROUND),
    ]);
    if (!ended) signalProcess(link.welcome.pid, "SIGKILL");
  }

  /**
   * A fresh process, of the program that the spare has loaded, goes on in the lease of this one. The
   * answer says why not; then nothing was done.
   */
  async renew(): Promise<string | undefined> {
    const { link } = this;
    if (link === undefined || this.#stopping) return "it is being started";
    const risky = this.#options
      .instances()
      .map(riskOf)
      .find((one) => one !== undefined);
    if (risky !== undefined) return risky;
    const untilMs = monotonicMs() + START_WITHIN_MS;
    while (!this.#spare.isLoaded && monotonicMs() < untilMs) await sleep(SPARE_LOOK_MS);
    if (!this.#spare.isLoaded || this.link !== link) return "no process in reserve is ready";
    const { pid } = link.welcome;
    const reason = `the vrrp process ${pid} makes way for a fresh one, which goes on in its lease`;
    this.#options.log.add(this.#event("role-started", "info", reason));
    this.#isRenewing = true;
    this.#replace(link);
    while (this.link === undefined || this.link === link) {
      if (monotonicMs() > untilMs) return "its successor did not come up in time";
      await sleep(CONNECT_EVERY_MS);
    }
    return undefined;
  }

  async #adopt(): Promise<VrrpLink | undefined> {
    const { socketPath, unasked } = this.#options;
    const opened = await VrrpLink.open(socketPath, unasked);
    if (opened.outcome === "open") {
      if (this.#starts === 0) {
        const reason = `took over the vrrp process ${opened.link.welcome.pid}, which lived on`;
        this.#options.log.add(this.#event("role-adopted", "info", reason));
      }
      return opened.link;
    }
    if (opened.outcome === "foreign") {
      opened.link.stop("replaced by another version of Nines");
      await Promise.race([opened.link.closed, sleep(HUNG_AFTER_MS, undefined, BACKGROUND)]);
      signalProcess(opened.link.welcome.pid, "SIGKILL");
    }
    if (opened.outcome === "hung") this.#killLeftOver();
    return undefined;
  }

  /** Somebody holds the socket and says nothing: the process named in the pid file, if it is one. */
  #killLeftOver(): void {
    const pid = recordedRole(this.#options.command);
    if (pid === undefined) return;
    const reason = `the vrrp process ${pid} that was found hangs: killing it`;
    this.#options.log.add(this.#event("role-hung", "error", reason));
    signalProcess(pid, "SIGKILL");
  }

  async #start(): Promise<VrrpLink | undefined> {
    const { command, socketPath, unasked, log } = this.#options;
    const startedMs = monotonicMs();
    this.#backoff.started(startedMs);
    const child = this.#called ?? this.#callSpare() ?? spawnRole(command);
    this.#called = undefined;
    this.#child = child;
    const life = { over: child.exitCode !== null || child.signalCode !== null };
    child.once("exit", () => (life.over = true));
    child.once("error", () => (life.over = true));
    this.#set("starting", child.pid);
    if (this.#starts++ > 0) this.#status = { ...this.#status, restarts: this.#status.restarts + 1 };
    while (!life.over && !this.#stopping && monotonicMs() - startedMs < START_WITHIN_MS) {
      const opened = await VrrpLink.open(socketPath, unasked);
      if (opened.outcome === "open") {
        const took = Math.round(monotonicMs() - startedMs);
        const { pid } = opened.link.welcome;
        const reason = `started the vrrp process ${pid} in ${took} ms`;
        log.add(this.#event("role-started", "info", reason));
        return opened.link;
      }
      await sleep(CONNECT_EVERY_MS);
    }
    child.kill("SIGKILL");
    return undefined;
  }

  /** Until the connection ends, or (true) the process is killed because it is silent. */
  async #accompany(link: VrrpLink): Promise<boolean> {
    const killed = Promise.withResolvers<boolean>();
    this.#killed = killed;
    this.link = link;
    this.lastAnswerMs = monotonicMs();
    this.#set("running", link.welcome.pid);
    const stopPinging = onBeat(() => void this.#ping(link), PING_EVERY_MS);
    // Not at once: it would take the CPU from the one that is just starting.
    const preparing = setTimeout(() => this.#prepareSpare(), SPARE_AFTER_MS);
    const watch = new ReignWatch(link.welcome.pid, {
      directory: this.#options.command.runDirectory,
      instances: this.#options.instances,
      silent: (silence) => {
        this.#endSilence(link, silence);
      },
    });
    try {
      const over = Promise.race([link.closed.then(() => false), killed.promise]);
      await Promise.race([this.#options.linked(link), over]);
      return await over;
    } finally {
      stopPinging();
      clearTimeout(preparing);
      watch.close();
      this.link = undefined;
    }
  }

  #prepareSpare(): void {
    if (!this.#stopping) this.#spare.prepare();
  }

  /**
   * A successor can still go on in its lease. It is not waited for until the kernel has taken the
   * dead process apart, which takes as long as a start: it runs no instruction of its own any more.
   */
  #endSilence(link: VrrpLink, { instance, silentMs, leaseMs, because }: Silence): void {
    this.#replace(link);
    const { pid } = link.welcome;
    const how = because === undefined ? "" : `${because} and `;
    const silence = `${how}has not renewed ${instance} for ${Math.round(silentMs)} ms (lease ${leaseMs} ms)`;
    const reason = `the vrrp process ${pid} ${silence}: killing it, another goes on in its lease`;
    this.#options.log.add(this.#event("role-hung", "error", reason));
  }

  #replace(link: VrrpLink): void {
    // Its successor does not wait for a CPU until it has been taken apart in real time.
    makeOrdinary(link.welcome.pid);
    signalProcess(link.welcome.pid, "SIGKILL");
    link.close();
    removeStaleSocket(this.#options.socketPath);
    this.#called = this.#callSpare();
    this.#child = this.#called;
    this.#killed.resolve(true);
  }

  #callSpare(): ChildProcess | undefined {
    const spare = this.#spare.call();
    this.#carriedOut = spare === undefined ? "" : this.#briefing;
    return spare;
  }

  async #ping(link: VrrpLink): Promise<void> {
    const answer = await link.ping(HUNG_AFTER_MS);
    if (answer.error === undefined) {
      this.lastAnswerMs = monotonicMs();
    } else if (this.link === link && monotonicMs() - this.lastAnswerMs >= HUNG_AFTER_MS) {
      this.lastAnswerMs = monotonicMs();
      const reason = `the vrrp process ${link.welcome.pid} hangs: killing it, a fresh one follows`;
      this.#options.log.add(this.#event("role-hung", "error", reason));
      signalProcess(link.welcome.pid, "SIGKILL");
    }
  }

  /** A closed connection to a living process means that it dropped us: not dead, adopt again. */
  async #howItEnded(pid: number): Promise<string> {
    const child = this.#child;
    if (child?.pid !== pid) return isAlive(pid) ? "" : "ended";
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      await Promise.race([exited, sleep(CONNECT_EVERY_MS * 4, undefined, BACKGROUND)]);
    }
    if (child.exitCode === null && child.signalCode === null) return "";
    return endOf(child.exitCode, child.signalCode);
  }

  async #pauseAfterDeath(how: string): Promise<void> {
    if (how === "") return;
    this.#starts = Math.max(1, this.#starts);
    const backoffMs = this.#backoff.ended(monotonicMs());
    const pauseMs = this.#called === undefined ? backoffMs : 0;
    const next = pauseMs === 0 ? "starting it again at once" : `next try in ${pauseMs} ms`;
    this.#set(pauseMs === 0 ? "down" : "backing-off");
    const reason = `the vrrp process ${how}; ${next}`;
    this.#options.log.add(this.#event("role-ended", "error", reason));
    if (pauseMs > 0) await sleep(pauseMs);
  }

  #set(state: RoleProcessStatus["state"], pid?: number): void {
    const { name, restarts } = this.#status;
    const base = { name, state, sinceWallMs: wallMs(), restarts };
    this.#status = pid === undefined ? base : { ...base, pid };
  }

  #event(
    kind: "role-started" | "role-adopted" | "role-ended" | "role-hung",
    level: "info" | "error",
    reason: string,
  ): Parameters<EventLog["add"]>[0] {
    return { source: "control", level, kind, instance: "vrrp", reason };
  }
}

/** What most likely keeps a process from starting that is asked for more than to start. */
function whyNot({ networkNamespace }: RoleCommand): string {
  if (networkNamespace === undefined) return "";
  const needs = "must exist, and to enter it takes CAP_SYS_ADMIN (see nines.service)";
  return `: the network namespace ${networkNamespace} ${needs}`;
}

/** Why an address of this instance could be lost while its process is exchanged; undefined: not. */
function riskOf({
  name,
  lease,
  advertIntervalMs,
  downTimerAdverts,
}: InstanceSettings): string | undefined {
  if (!lease) return `${name} has no lease that another process could go on in`;
  const leaseMs = advertIntervalMs * downTimerAdverts;
  if (leaseMs >= SHORTEST_LEASE_MS) return undefined;
  return `the lease of ${name} (${leaseMs} ms) is too short to change the process in it`;
}
