/**
 * One `vrrp_script`: runs it on its schedule, one run at a time, ends it at its deadline, and
 * reports the verdict when it changes. Which process that is, the driver knows.
 */

import { unreachable } from "../../lib/assert.ts";
import { printable } from "../../lib/printable.ts";
import type { Machine } from "../../lib/deadline-machine.ts";
import type { NotifyCommand, ScriptSettings } from "../vrrp/settings.ts";
import { EarlyLook } from "./early-look.ts";
import { RiseFall } from "./rise-fall.ts";
import { Schedule } from "./schedule.ts";

/** How a script came to its end. */
export type ScriptEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: string }
  /** `isOurs`: this machine lacks descriptors, memory or processes. */
  | { readonly kind: "not-started"; readonly reason: string; readonly isOurs?: true };

export type ScriptInput =
  | { readonly type: "woken" }
  /** A listening socket of this machine ended. */
  | { readonly type: "service-ended" }
  /** The script itself is gone; `output` is the end of what it printed. */
  | { readonly type: "script-ended"; readonly end: ScriptEnd; readonly output: string };

export type ScriptAction =
  | { readonly type: "run-script"; readonly command: NotifyCommand }
  /** To the script and everything that it started and that did not become a daemon. */
  | { readonly type: "kill-script-group"; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly type: "report-track"; readonly ok: boolean; readonly reason: string };

/** From SIGTERM to SIGKILL, ms: long enough to clean up, short enough not to be missed. */
export const KILL_GRACE_MS = 1000;

/** Longest piece of a script's output that is quoted in a reason, characters. */
const QUOTED_OUTPUT_MAX = 160;

type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly deadlineMs: number }
  /** SIGTERM was sent, the failure is counted. */
  | { readonly kind: "overdue"; readonly killMs: number }
  /** SIGKILL was sent; only a process stuck in the kernel stays here. */
  | { readonly kind: "killed" };

export class ScriptTrack implements Machine<ScriptInput, ScriptAction> {
  readonly #settings: ScriptSettings;
  readonly #health: RiseFall;
  readonly #schedule: Schedule;
  readonly #early: EarlyLook;
  #phase: Phase = { kind: "idle" };
  #actions: ScriptAction[] = [];
  #report: { readonly ok: boolean; readonly reason: string } | undefined;

  /** The first run is at `firstMs`. `known`: what an earlier process, or one with other settings, reported last. */
  constructor(settings: ScriptSettings, firstMs: number, known?: ScriptTrack["report"]) {
    this.#settings = settings;
    this.#health = new RiseFall({ ...settings, known: known?.ok });
    this.#schedule = new Schedule(firstMs, settings.intervalMs);
    this.#early = new EarlyLook(settings.intervalMs);
    this.#report = known;
    if (settings.startFailed) {
      this.#report ??= { ok: false, reason: `script ${settings.name} has not succeeded yet` };
    }
  }

  /** What was reported last, to be told again to a listener that has just come. */
  get report(): { readonly ok: boolean; readonly reason: string } | undefined {
    return this.#report;
  }

  get running(): boolean {
    return this.#phase.kind !== "idle";
  }

  get deadline(): number {
    if (this.#phase.kind === "running") return this.#phase.deadlineMs;
    if (this.#phase.kind === "overdue") return this.#phase.killMs;
    if (this.#phase.kind === "killed") return this.#schedule.nextMs;
    return Math.min(this.#schedule.nextMs, this.#early.nextMs);
  }

  step(now: number, input: ScriptInput): readonly ScriptAction[] {
    this.#actions = [];
    if (input.type === "script-ended") this.#ended(now, input.end, input.output);
    else if (input.type === "service-ended") this.#serviceEnded(now);
    else if (now >= this.deadline) this.#woken(now);
    return this.#actions;
  }

  #woken(now: number): void {
    const { name, command, timeoutMs } = this.#settings;
    switch (this.#phase.kind) {
      case "idle":
        if (this.#schedule.due(now)) this.#schedule.advance(now);
        this.#early.runStarted(now);
        this.#phase = { kind: "running", deadlineMs: now + timeoutMs };
        this.#actions.push({ type: "run-script", command });
        return;
      case "running":
        this.#phase = { kind: "overdue", killMs: now + KILL_GRACE_MS };
        this.#actions.push({ type: "kill-script-group", signal: "SIGTERM" });
        this.#observe(false, `script ${name} timed out after ${timeoutMs} ms`);
        return;
      case "overdue":
        this.#phase = { kind: "killed" };
        this.#actions.push({ type: "kill-script-group", signal: "SIGKILL" });
        return;
      case "killed":
        // A run that cannot be ended is a failed run, every interval anew.
        this.#schedule.advance(now);
        this.#actions.push({ type: "kill-script-group", signal: "SIGKILL" });
        this.#observe(false, `script ${name} cannot be ended`);
    }
  }

  #serviceEnded(now: number): void {
    if (!this.#settings.earlyLook) return;
    this.#early.serviceEnded(now);
    if (now >= this.deadline) this.#woken(now);
  }

  #ended(now: number, end: ScriptEnd, output: string): void {
    const phase = this.#phase.kind;
    if (phase === "idle") return;
    this.#phase = { kind: "idle" };
    if (this.#schedule.due(now)) this.#schedule.advance(now);
    if (phase === "running") {
      const said = `script ${this.#settings.name} ${describeEnd(end)}`;
      const ok = end.kind === "exited" && end.code === 0;
      this.#early.runEnded(now, ok);
      this.#observe(ok, said, lastLine(output));
    } else {
      // The script obeyed; what it left behind may not have.
      this.#actions.push({ type: "kill-script-group", signal: "SIGKILL" });
    }
  }

  #observe(ok: boolean, what: string, detail = ""): void {
    const first = this.#health.verdict === undefined;
    if (!this.#health.observe(ok)) return;
    const count = first ? "first run" : this.#health.progress();
    const reason = `${what} (${count})${ok || detail === "" ? "" : `: ${detail}`}`;
    this.#report = { ok, reason };
    this.#actions.push({ type: "report-track", ok, reason });
  }
}

/** `exited 1`, `was ended by SIGSEGV`, `could not be started: …`. */
export function describeEnd(end: ScriptEnd): string {
  switch (end.kind) {
    case "exited":
      return `exited ${end.code}`;
    case "signalled":
      return `was ended by ${end.signal}`;
    case "not-started":
      return `could not be started: ${end.reason}`;
    default:
      return unreachable(end);
  }
}

/** The last line that says something, cut to a length that fits a log line. */
export function lastLine(output: string): string {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  const text = printable(line);
  return text.length <= QUOTED_OUTPUT_MAX ? text : `…${text.slice(1 - QUOTED_OUTPUT_MAX)}`;
}
