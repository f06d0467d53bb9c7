/** A helper program (the script that reads a FIFO) that is to run as long as we do. */

import type { Machine } from "../../lib/deadline-machine.ts";
import { describeEnd, lastLine, type ScriptEnd } from "../check/script-track.ts";

const FIRST_RESTART_MS = 1000;
const LONGEST_RESTART_MS = 30_000;
/** A run this long, ms, was a success: the next restart is quick again. */
const STEADY_MS = 60_000;

export type HelperInput =
  | { readonly type: "woken" }
  | { readonly type: "script-ended"; readonly end: ScriptEnd; readonly output: string };

export type HelperAction =
  | { readonly type: "run-script" }
  | { readonly type: "note"; readonly reason: string };

export class KeepRunning implements Machine<HelperInput, HelperAction> {
  readonly #name: string;
  #startAt: number;
  #startedAt = -Infinity;
  #delayMs = FIRST_RESTART_MS;

  constructor(name: string, firstMs: number) {
    this.#name = name;
    this.#startAt = firstMs;
  }

  get deadline(): number {
    return this.#startAt;
  }

  step(now: number, input: HelperInput): readonly HelperAction[] {
    if (input.type === "woken") {
      if (now < this.#startAt) return [];
      this.#startAt = Infinity;
      this.#startedAt = now;
      return [{ type: "run-script" }];
    }
    if (this.#startAt !== Infinity) return [];
    if (now - this.#startedAt >= STEADY_MS) this.#delayMs = FIRST_RESTART_MS;
    const delayMs = this.#delayMs;
    this.#startAt = now + delayMs;
    this.#delayMs = Math.min(LONGEST_RESTART_MS, delayMs * 2);
    const said = lastLine(input.output);
    const detail = said === "" ? "" : `: ${said}`;
    const again = `starting it again in ${delayMs / 1000} s`;
    return [{ type: "note", reason: `${this.#name} ${describeEnd(input.end)}${detail}; ${again}` }];
  }
}
