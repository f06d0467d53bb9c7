/**
 * One reference address (`witness`): asks it for an echo and says whether it can be reached.
 * A node that cannot reach its witness is the cut-off one and has no business being master.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import { RiseFall } from "./rise-fall.ts";
import { Schedule } from "./schedule.ts";

export interface WitnessSettings {
  readonly address: string;
  readonly intervalMs: number;
  /** An echo that has not come back by then counts as lost; at most the interval. */
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

export type WitnessInput =
  | { readonly type: "woken" }
  | { readonly type: "echo-replied"; readonly sequence: number }
  /** The request could not even be sent (no route, interface down). */
  | { readonly type: "echo-failed"; readonly sequence: number };

export type WitnessAction =
  | { readonly type: "send-echo"; readonly sequence: number }
  | { readonly type: "report-witness"; readonly reachable: boolean; readonly reason: string };

export class Witness implements Machine<WitnessInput, WitnessAction> {
  readonly #settings: WitnessSettings;
  readonly #health: RiseFall;
  readonly #schedule: Schedule;
  #sequence = 0;
  /** Deadline of the echo on its way; Infinity = none is. */
  #answerBy = Infinity;
  #report: Extract<WitnessAction, { type: "report-witness" }> | undefined;

  constructor(settings: WitnessSettings, firstMs: number) {
    this.#settings = settings;
    // The first request may be lost while the neighbour is looked up: that proves nothing.
    this.#health = new RiseFall({ ...settings, startFailed: false, firstFailureDecides: false });
    this.#schedule = new Schedule(firstMs, settings.intervalMs);
  }

  get report(): Extract<WitnessAction, { type: "report-witness" }> | undefined {
    return this.#report;
  }

  get deadline(): number {
    return Math.min(this.#answerBy, this.#schedule.nextMs);
  }

  step(now: number, input: WitnessInput): readonly WitnessAction[] {
    const actions: WitnessAction[] = [];
    if (input.type !== "woken") {
      const expected = input.sequence === this.#sequence && this.#answerBy !== Infinity;
      if (expected) this.#conclude(input.type === "echo-replied", actions);
      return actions;
    }
    if (now >= this.#answerBy) this.#conclude(false, actions);
    if (this.#schedule.due(now)) {
      if (this.#answerBy !== Infinity) this.#conclude(false, actions);
      this.#schedule.advance(now);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#answerBy = now + this.#settings.timeoutMs;
      actions.push({ type: "send-echo", sequence: this.#sequence });
    }
    return actions;
  }

  #conclude(reachable: boolean, actions: WitnessAction[]): void {
    this.#answerBy = Infinity;
    if (!this.#health.observe(reachable)) return;
    const did = reachable ? "answers" : "does not answer";
    const reason = `witness ${this.#settings.address} ${did} (${this.#health.progress()})`;
    this.#report = { type: "report-witness", reachable, reason };
    actions.push(this.#report);
  }
}
