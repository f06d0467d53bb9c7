/**
 * One `vrrp_track_process`: how many matching processes run, and whether that is enough.
 * A change counts only when it lasted for the delay of its direction, so that a daemon that
 * forks or is restarted does not move an address.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import type { ProcessSettings } from "../vrrp/settings.ts";

export type ProcessInput =
  | { readonly type: "woken" }
  /** `what` says what made the difference: `process 4711 ended`. */
  | { readonly type: "processes-counted"; readonly count: number; readonly what: string };

export interface ProcessReport {
  readonly type: "report-track";
  readonly ok: boolean;
  readonly reason: string;
}

const NOTHING: readonly ProcessReport[] = [];

export class ProcessQuorum implements Machine<ProcessInput, ProcessReport> {
  readonly #settings: ProcessSettings;
  #count = 0;
  #pendingUntil = Infinity;
  #pendingReason = "";
  #report: ProcessReport | undefined;

  constructor(settings: ProcessSettings) {
    this.#settings = settings;
  }

  /** What was reported last, to be told again to a listener that has just come. */
  get report(): ProcessReport | undefined {
    return this.#report;
  }

  get deadline(): number {
    return this.#pendingUntil;
  }

  step(now: number, input: ProcessInput): readonly ProcessReport[] {
    if (input.type === "processes-counted") return this.#counted(now, input.count, input.what);
    return now < this.#pendingUntil ? NOTHING : this.#settle();
  }

  #counted(now: number, count: number, what: string): readonly ProcessReport[] {
    // Who watches has begun anew: a delay that runs goes on.
    if (this.#report !== undefined && count === this.#count) return NOTHING;
    const more = count > this.#count;
    this.#count = count;
    if (this.#report !== undefined && this.#met() === this.#report.ok) {
      this.#pendingUntil = Infinity;
      return NOTHING;
    }
    this.#pendingReason = `process ${this.#settings.name}: ${what}, ${this.#tally()}`;
    const delayMs = more ? this.#settings.forkDelayMs : this.#settings.terminateDelayMs;
    if (this.#report === undefined || delayMs === 0) return this.#settle();
    this.#pendingUntil = Math.min(this.#pendingUntil, now + delayMs);
    return now < this.#pendingUntil ? NOTHING : this.#settle();
  }

  #settle(): readonly ProcessReport[] {
    this.#pendingUntil = Infinity;
    const report: ProcessReport = {
      type: "report-track",
      ok: this.#met(),
      reason: this.#pendingReason,
    };
    this.#report = report;
    return [report];
  }

  #met(): boolean {
    return this.#count >= this.#settings.quorum && this.#count <= this.#settings.quorumMax;
  }

  #tally(): string {
    const { quorum, quorumMax } = this.#settings;
    const running = this.#count === 0 ? "none runs" : `${this.#count} running`;
    if (this.#count < quorum) return `${running}, ${quorum} needed`;
    if (this.#count > quorumMax) return `${running}, ${quorumMax} allowed`;
    return running;
  }
}
