/** Conducts a drill: asks the machine what to do, does it, and tells it what came of it. */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Asked } from "../core/drill/errand.ts";
import { longestMs, type Command, type DrillPlan } from "../core/drill/plan.ts";
import type { Evidence } from "../core/drill/judge.ts";
import type { ProbeRecord } from "../core/drill/probe-record.ts";
import type { DrillResult, Moments, Step } from "../core/drill/result.ts";
import { DrillRun, type DrillInput, type DrillOrder } from "../core/drill/run.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { removeUndo, writeUndo } from "../drivers/drill-files.ts";
import type { DrillSite, SiteEvent, SiteProbe, WriteProbe } from "../drivers/drill-site.ts";
import { runCommand } from "../drivers/run-command.ts";
import { GuardLink, SILENCE_MS } from "./drill-guard-link.ts";
import { holdLock, type DrillLock } from "./drill-lock.ts";
import { judgeRobbed } from "./drill-theft.ts";

const LOOK_EVERY_MS = 60;
const COUNT_EVERY_MS = 50;
const COMMAND_WITHIN_MS = 40_000;
export interface ConductOptions {
  /** The command `nines` on this machine: the guard is one. */
  readonly nines: readonly string[];
  /** Of a drill that another node asks for: its number and for whom it is done. */
  readonly id?: string;
  readonly asked?: Asked;
  /** Each step and event as it happens. */
  readonly tell?: (line: string) => void;
  readonly heard?: (event: SiteEvent) => void;
  readonly signal?: AbortSignal;
  /** The fault's consequence is there to be seen; it is mended when this resolves. */
  readonly watched?: () => Promise<void>;
  /** What the client saw, and when what was done (the clock of the record). */
  readonly recorded?: (record: ProbeRecord, moments: Moments) => void;
}

/** When it was, and something that nobody else has. */
export function newDrillId(): string {
  const when = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  return `${when}-${randomBytes(3).toString("hex")}`;
}

/** Never rejects once a fault may have been made: trouble is a verdict. */
export async function conduct(
  plan: DrillPlan,
  site: DrillSite,
  options: ConductOptions,
): Promise<DrillResult> {
  const conductor = new Conductor(plan, site, options);
  return conductor.run();
}

class Conductor {
  readonly #plan: DrillPlan;
  readonly #site: DrillSite;
  readonly #options: ConductOptions;
  readonly #id: string;
  readonly #startMs = monotonicMs();
  readonly #startedWallMs = wallMs();
  readonly #machine: DrillRun;
  readonly #finished = Promise.withResolvers<void>();
  readonly #steps: Step[] = [];
  readonly #events: SiteEvent[] = [];
  #guard: GuardLink | undefined;
  #undoFile: string | undefined;
  #lock: DrillLock | undefined;
  #injecting: Promise<void> = Promise.resolve();
  #undoneBy: DrillResult["undoneBy"] = "nobody";
  #faultMs = Infinity;
  #faultWallMs = 0;
  #undoMs = Infinity;
  /** As the site had counted at the fault, and when it was mended. */
  readonly #stolenMs: { fault?: number; undo?: number } = {};

  constructor(plan: DrillPlan, site: DrillSite, options: ConductOptions) {
    this.#plan = plan;
    this.#site = site;
    this.#options = options;
    this.#id = options.id ?? newDrillId();
    this.#machine = new DrillRun(plan, this.#startMs);
  }

  async run(): Promise<DrillResult> {
    const { name: drill } = this.#plan;
    const { runDirectory } = this.#site;
    const id = this.#id;
    this.#lock = holdLock(runDirectory, { id, drill });
    const { signal, asked } = this.#options;
    const stop = (): void => {
      const reason = typeof signal?.reason === "string" ? signal.reason : "stopped by hand";
      this.#step({ type: "stop-asked", reason });
    };
    signal?.addEventListener("abort", stop);
    if (signal?.aborted === true) stop();
    try {
      this.#site.record({
        wallMs: wallMs(),
        kind: "drill-started",
        id,
        drill,
        reason: this.#plan.says,
        ...(asked === undefined ? {} : { asked }),
      });
      const probe = await this.#site.startProbe(this.#plan.patienceMs);
      const writes = this.#site.startWrites();
      await this.#site.events();
      const timer = setInterval(() => this.#tick(probe), COUNT_EVERY_MS);
      const looking = this.#keepLooking();
      await this.#finished.promise;
      clearInterval(timer);
      await looking;
      return await this.#conclude(probe, writes);
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#lock.release();
    }
  }

  #tick(probe: SiteProbe | undefined): void {
    if (probe !== undefined) this.#step({ type: "counted", count: probe.count() });
    this.#step({ type: "woken" });
  }

  async #keepLooking(): Promise<void> {
    while (this.#machine.phase !== "done") {
      for (const event of await this.#site.events()) {
        this.#events.push(event);
        this.#options.heard?.(event);
        this.#step({ type: "told", event });
      }
      this.#step({ type: "looked", view: await this.#site.look() });
      await sleep(LOOK_EVERY_MS);
    }
  }

  #step(input: DrillInput): void {
    for (const order of this.#machine.step(monotonicMs(), input)) this.#perform(order);
  }

  #perform(order: DrillOrder): void {
    switch (order.type) {
      case "arm":
        void this.#attempt(this.#arm(), { type: "armed" });
        return;
      case "inject":
        this.#injecting = this.#attempt(this.#inject(), { type: "injected" });
        return;
      case "roll-back":
        this.#note(`taken back: ${order.reason}`);
        void this.#rollBack().then((problems) => this.#step({ type: "undone", problems }));
        return;
      case "finish":
        this.#note("done");
        this.#finished.resolve();
    }
  }

  async #attempt(work: Promise<void>, then: DrillInput): Promise<void> {
    try {
      await work;
    } catch (error) {
      return this.#step({ type: "failed", reason: (error as Error).message });
    }
    return this.#step(then);
  }

  async #arm(): Promise<void> {
    const { stateDirectory } = this.#site;
    this.#undoFile = writeUndo({
      id: this.#id,
      drill: this.#plan.name,
      undo: this.#undoCommands()
        .filter(({ bySite }) => bySite !== true)
        .map((command) => this.#site.wrap(command)),
      withinMs: longestMs(this.#plan) + SILENCE_MS,
      silenceMs: SILENCE_MS,
      stateDirectory,
    });
    const lost = (reason: string): void => this.#step({ type: "guard-lost", reason });
    this.#guard = await GuardLink.start(this.#options.nines, this.#undoFile, lost);
    this.#lock?.tell(this.#guard.pid);
    this.#note("steady; the guard is armed");
  }

  /** Of the last fault first. */
  #undoCommands(): readonly Command[] {
    return this.#plan.faults.toReversed().flatMap(({ undo }) => undo);
  }

  async #inject(): Promise<void> {
    this.#faultMs = monotonicMs();
    this.#faultWallMs = wallMs();
    this.#stolenMs.fault = this.#site.stolenMs?.() ?? 0;
    for (const { says, inject } of this.#plan.faults) {
      this.#note(says);
      for (const command of inject) {
        if (this.#machine.phase !== "injecting") return;
        await this.#run(command);
      }
    }
  }

  async #run(command: Command): Promise<void> {
    if (command.bySite === true) return this.#site.bySite(command);
    const ran = await runCommand(this.#site.wrap(command), COMMAND_WITHIN_MS);
    if (!ran.ok) throw new Error(ran.trouble);
    return undefined;
  }

  /** The guard does it; if that is gone, we do. */
  async #rollBack(): Promise<readonly string[]> {
    await this.#injecting;
    if (this.#machine.outcome.happened) await this.#options.watched?.();
    this.#undoMs = monotonicMs();
    this.#stolenMs.undo = this.#site.stolenMs?.() ?? 0;
    const problems: string[] = [];
    for (const command of this.#undoCommands()) {
      if (command.bySite !== true) continue;
      await this.#site.bySite(command).catch((error: Error) => problems.push(error.message));
    }
    const undone = await this.#guard?.undo();
    if (undone !== undefined) {
      this.#undoneBy = "guard";
      return [...problems, ...undone.problems];
    }
    this.#undoneBy = "conductor";
    for (const command of this.#undoCommands()) {
      if (command.bySite === true) continue;
      const { ok, trouble } = await runCommand(this.#site.wrap(command), COMMAND_WITHIN_MS);
      if (!ok) problems.push(trouble);
    }
    if (problems.length === 0 && this.#undoFile !== undefined) removeUndo(this.#undoFile);
    return problems;
  }

  #note(what: string): void {
    const atMs = Math.round(monotonicMs() - this.#startMs);
    this.#steps.push({ atMs, what });
    this.#options.tell?.(what);
  }

  async #conclude(
    probe: SiteProbe | undefined,
    writes: WriteProbe | undefined,
  ): Promise<DrillResult> {
    const endMs = monotonicMs();
    const written = await writes?.stop();
    const record = await probe?.stop();
    const moments = { faultMs: this.#faultMs, undoMs: Math.min(this.#undoMs, endMs), endMs };
    if (record !== undefined) this.#options.recorded?.(record, moments);
    const stolenMs = this.#site.stolenMs?.() ?? 0;
    const { fault = stolenMs, undo = stolenMs } = this.#stolenMs;
    const theft = { outageMs: undo - fault, returnOutageMs: stolenMs - undo };
    const evidence: Evidence = {
      id: this.#id,
      plan: this.#plan,
      site: this.#site.name,
      outcome: this.#machine.outcome,
      record,
      moments,
      events: this.#events,
      faultWallMs: this.#faultWallMs,
      startedWallMs: this.#startedWallMs,
      endedWallMs: wallMs(),
      steps: this.#steps,
      undoneBy: this.#undoneBy,
      ...(written === undefined ? {} : { written }),
    };
    const result = judgeRobbed(evidence, theft);
    const { id, drill, reason } = result;
    const line = { wallMs: wallMs(), kind: "drill-finished" as const, id, drill, reason, result };
    const { asked } = this.#options;
    this.#site.record({ ...line, ...(asked === undefined ? {} : { asked }) });
    return result;
  }
}
