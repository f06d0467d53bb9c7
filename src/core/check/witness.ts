/**
 * One reference address (`witness`): asks it for an echo and says whether it can be reached.
 * A node that cannot reach its witness is the cut-off one and has no business being master.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import type { InstanceSettings } from "../vrrp/settings.ts";
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

/** Echoes are not sent more often than that, and not less often. */
const SHORTEST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 1000;
/** Three lost echoes, as three lost adverts, are no accident. */
const RISE = 2;
const FALL = 3;

/** Every witness once, asked at the pace of the fastest instance that relies on it. */
export function witnessesOf(
  instances: readonly Pick<InstanceSettings, "witnesses" | "advertIntervalMs">[],
): WitnessSettings[] {
  const paces = new Map<string, number>();
  for (const { witnesses, advertIntervalMs } of instances) {
    const pace = paceMs(advertIntervalMs);
    for (const address of witnesses) {
      paces.set(address, Math.min(pace, paces.get(address) ?? Infinity));
    }
  }
  return [...paces].map(([address, intervalMs]) => {
    return { address, intervalMs, timeoutMs: intervalMs, rise: RISE, fall: FALL };
  });
}

function paceMs(advertIntervalMs: number): number {
  return Math.max(SHORTEST_INTERVAL_MS, Math.min(LONGEST_INTERVAL_MS, advertIntervalMs));
}

/**
 * The longest until it is told that a witness does not answer, ms: the first echo without an answer is sent up to an
 * interval after the last answer, and the last one is waited for.
 */
export function longestUnnoticedMs(advertIntervalMs: number): number {
  return (FALL + 1) * paceMs(advertIntervalMs);
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
