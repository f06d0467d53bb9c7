/**
 * One drill as a machine: it looks, breaks, watches, mends and judges. Whoever conducts it carries
 * its orders out and tells what came of them. Whatever happens after the guard was armed, the way
 * leads through `roll-back`.
 */

import { consequence } from "./consequence.ts";
import { unsteady, type View } from "./facts.ts";
import type { DrillPlan } from "./plan.ts";

/** The steady state, seen without a break for so long, is the beginning of every drill. */
export const CALM_MS = 300;
const CALM_WITHIN_MS = 10_000;
const ARM_WITHIN_MS = 10_000;
const INJECT_WITHIN_MS = 50_000;
const UNDO_WITHIN_MS = 60_000;
/** Whoever's answer came too late for the last look is looked at again, for no longer than that. */
const LAST_LOOK_WITHIN_MS = 2000;

export interface Told {
  readonly node: string;
  readonly kind: string;
  readonly reason: string;
  readonly to?: string;
}

/** What a client has had so far. */
export interface ProbeCount {
  readonly answered: number;
  readonly failed: number;
  /** Since the last answer, ms. */
  readonly silentMs: number;
}

export type DrillInput =
  | { readonly type: "woken" }
  | { readonly type: "looked"; readonly view: View }
  | { readonly type: "counted"; readonly count: ProbeCount }
  | { readonly type: "told"; readonly event: Told }
  | { readonly type: "armed" }
  | { readonly type: "injected" }
  | { readonly type: "undone"; readonly problems: readonly string[] }
  /** Something that was ordered could not be done. */
  | { readonly type: "failed"; readonly reason: string }
  /** A person, or a rule outside. */
  | { readonly type: "stop-asked"; readonly reason: string }
  /** The guard has ended or has undone everything by itself. */
  | { readonly type: "guard-lost"; readonly reason: string };

export type DrillOrder =
  | { readonly type: "arm" }
  | { readonly type: "inject" }
  | { readonly type: "roll-back"; readonly reason: string }
  | { readonly type: "finish" };

export type Phase =
  | "calm"
  | "arming"
  | "injecting"
  | "watching"
  | "rolling-back"
  | "settling"
  | "done";

export interface Outcome {
  readonly faulted: boolean;
  readonly aborted: string | undefined;
  readonly error: string | undefined;
  readonly deviations: readonly string[];
  /** The consequence that the plan expects was seen. */
  readonly happened: boolean;
}

export class DrillRun {
  readonly plan: DrillPlan;
  #phase: Phase = "calm";
  #deadline: number;
  #calmSince: number | undefined;
  #before: View | undefined;
  #view: View | undefined;
  #told: Told[] = [];
  #failedBefore = 0;
  #count: ProbeCount | undefined;
  #faulted = false;
  #happened = false;
  /** The watch is over, and somebody's answer is still to come. */
  #lastLookBy: number | undefined;
  #aborted: string | undefined;
  #error: string | undefined;
  #wrong: string | undefined;
  readonly #deviations: string[] = [];

  constructor(plan: DrillPlan, now: number) {
    this.plan = plan;
    this.#deadline = now + CALM_WITHIN_MS;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** The earliest moment it wants to be woken. */
  get deadline(): number {
    return this.#deadline;
  }

  get outcome(): Outcome {
    return {
      faulted: this.#faulted,
      aborted: this.#aborted,
      error: this.#error,
      deviations: this.#deviations,
      happened: this.#happened,
    };
  }

  step(now: number, input: DrillInput): readonly DrillOrder[] {
    switch (input.type) {
      case "woken":
        return now >= this.#deadline ? this.#late(now) : [];
      case "looked":
        this.#view = input.view;
        return this.#look(now);
      case "told":
        // Kept: a consequence may be told before the state is seen.
        if (this.#faulted && this.#told.length < MAX_TOLD) this.#told.push(input.event);
        return [];
      case "counted":
        return this.#weigh(now, input.count);
      case "armed":
        if (this.#phase !== "arming") return [];
        this.#enter("injecting", now + INJECT_WITHIN_MS);
        this.#faulted = true;
        this.#failedBefore = this.#count?.failed ?? 0;
        return [{ type: "inject" }];
      case "injected":
        if (this.#phase === "injecting") this.#enter("watching", now + this.plan.limitMs);
        return [];
      case "undone":
        return this.#undone(now, input.problems);
      case "failed":
        this.#error ??= input.reason;
        return this.#takeBack(now, input.reason);
      case "stop-asked":
      case "guard-lost":
        if (this.#isMending) return [];
        this.#aborted ??= input.reason;
        return this.#takeBack(now, input.reason);
    }
  }

  get #isMending(): boolean {
    return ["rolling-back", "settling", "done"].includes(this.#phase);
  }

  #enter(phase: Phase, deadline: number): void {
    this.#phase = phase;
    this.#deadline = deadline;
  }

  #look(now: number): readonly DrillOrder[] {
    const view = this.#view!;
    if (this.#phase === "calm") return this.#lookCalm(now, view);
    if (this.#phase === "watching") return this.#lookForConsequence(now, view);
    if (this.#phase === "settling") return this.#lookSettled(now, view);
    return [];
  }

  #lookCalm(now: number, view: View): readonly DrillOrder[] {
    this.#wrong = unsteady(view) ?? this.#unanswered();
    if (this.#wrong !== undefined) {
      this.#calmSince = undefined;
      return [];
    }
    this.#before = view;
    this.#calmSince ??= now;
    if (now - this.#calmSince < CALM_MS) return [];
    this.#calmSince = undefined;
    this.#enter("arming", now + ARM_WITHIN_MS);
    return [{ type: "arm" }];
  }

  #unanswered(): string | undefined {
    return this.#count !== undefined && this.#count.answered === 0
      ? "no request has been answered yet"
      : undefined;
  }

  #lookForConsequence(now: number, view: View): readonly DrillOrder[] {
    if (this.#lastLookBy !== undefined) return this.#watched(now);
    if (this.#happened) return [];
    const { missing } = consequence(this.plan, { view, before: this.#before!, told: this.#told });
    this.#wrong = missing;
    if (missing !== undefined) return [];
    this.#happened = true;
    this.#deadline = now + this.plan.watchMs;
    return [];
  }

  #lookSettled(now: number, view: View): readonly DrillOrder[] {
    this.#wrong = unsteady(view, this.#before) ?? this.#notAsBefore(view) ?? this.#notWhole(view);
    if (this.#wrong !== undefined) {
      this.#calmSince = undefined;
      return [];
    }
    this.#calmSince ??= now;
    return now - this.#calmSince < CALM_MS ? [] : this.#finish();
  }

  /** Who had the addresses before has them again, or not, as promised. */
  #notAsBefore(view: View): string | undefined {
    const { afterwards } = this.plan.promise;
    if (afterwards === "either" || this.#aborted !== undefined) return undefined;
    for (const before of this.#before?.target?.instances ?? []) {
      const now = view.target?.instances.find(({ name }) => name === before.name)?.state;
      if (before.state !== "MASTER") continue;
      if (afterwards === "returns" && now !== "MASTER") return `${before.name} did not come back`;
      if (afterwards === "stays-away" && now === "MASTER") return `${before.name} came back`;
    }
    return undefined;
  }

  #notWhole({ target }: View): string | undefined {
    if (this.plan.untilWhole !== true) return undefined;
    const servers = target?.pools.flatMap((pool) => pool.servers) ?? [];
    const slow = servers.find(({ isWhole }) => !isWhole);
    return slow === undefined ? undefined : `${slow.name} has not its whole share yet`;
  }

  #weigh(now: number, count: ProbeCount): readonly DrillOrder[] {
    this.#count = count;
    if (this.#phase !== "watching" && this.#phase !== "injecting") return [];
    const { outageMs, failed } = this.plan.abort;
    const lost = count.failed - this.#failedBefore;
    const broken =
      count.silentMs > outageMs
        ? `clients have had no answer for ${Math.round(count.silentMs)} ms (limit ${outageMs})`
        : lost > failed
          ? `${lost} requests have failed (limit ${failed})`
          : undefined;
    if (broken === undefined) return [];
    this.#aborted ??= broken;
    return this.#takeBack(now, broken);
  }

  #late(now: number): readonly DrillOrder[] {
    switch (this.#phase) {
      case "calm":
        this.#error = `no steady state to begin with: ${this.#wrong ?? "nothing was seen"}`;
        return this.#finish();
      case "arming":
        this.#error = "the guard did not answer";
        return this.#takeBack(now, this.#error);
      case "injecting":
        this.#error = "the fault could not be made in time";
        return this.#takeBack(now, this.#error);
      case "watching":
        return this.#watched(now);
      case "rolling-back":
        this.#error ??= "the fault could not be taken back in time";
        return this.#finish();
      case "settling":
        this.#deviations.push(`no steady state afterwards: ${this.#wrong ?? "nothing was seen"}`);
        return this.#finish();
      case "done":
        return [];
    }
  }

  #watched(now: number): readonly DrillOrder[] {
    const { view, before } = { view: this.#view!, before: this.#before! };
    const { missing } = consequence(this.plan, { view, before, told: this.#told });
    if (missing !== undefined && view.others.length < before.others.length) {
      // Who did not answer this time has not let go of anything for that.
      this.#lastLookBy ??= now + LAST_LOOK_WITHIN_MS;
      this.#deadline = this.#lastLookBy;
      if (now < this.#lastLookBy) return [];
    }
    // What must not happen may happen at last: looked at again at the end of the watch.
    if (missing !== undefined) this.#deviations.push(missing);
    this.#happened = missing === undefined;
    return this.#takeBack(now, "the watch is over");
  }

  #takeBack(now: number, reason: string): readonly DrillOrder[] {
    if (this.#isMending) return [];
    this.#enter("rolling-back", now + UNDO_WITHIN_MS);
    return [{ type: "roll-back", reason }];
  }

  #undone(now: number, problems: readonly string[]): readonly DrillOrder[] {
    if (this.#phase !== "rolling-back") return [];
    if (problems.length > 0)
      this.#error ??= `not everything was taken back: ${problems.join("; ")}`;
    this.#calmSince = undefined;
    this.#enter("settling", now + this.plan.settleMs);
    return [];
  }

  #finish(): readonly DrillOrder[] {
    this.#enter("done", Infinity);
    return [{ type: "finish" }];
  }
}

/** A storm of events says no more than its beginning. */
const MAX_TOLD = 1000;
