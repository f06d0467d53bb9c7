/**
 * Turns the router machine: one input at a time, its actions carried out in order, the alarm set
 * to its next deadline. What carrying out an action brings to light (a refused address) waits
 * until all actions of that step are done.
 *
 * To be woken takes a tenth of a millisecond and more. A takeover that was prepared is therefore
 * not slept up to: the loop wakes before it and waits for its very moment. Whoever wakes late has stood still,
 * and reads first what came meanwhile: nobody is dead whose advert lies there.
 */

import type { Router } from "../core/vrrp/router.ts";
import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { LEAST_AHEAD_MS } from "../core/vrrp/backup.ts";
import { Alarm } from "../drivers/alarm.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";

/** The longest wait without sleep: some times what the kernel needs to wake a process. */
const AWAKE_MS = 0.5;
/** Some times what an alarm is late by itself. */
const LATE_MS = 1;

export class RouterLoop {
  readonly router: Router;
  readonly #perform: (action: RouterAction) => void;
  readonly #alarm: Alarm;
  readonly #pending: RouterInput[] = [];
  /** One object for every wake-up: nothing is allocated per advert. */
  readonly #woken = { type: "woken" as const, wallMs: 0 };
  #busy = false;
  /** The last takeover that was prepared; nothing is due before the machine's start. */
  #takeoverMs = -1;

  /**
   * `beforeWoken` brings in what came before the deadline and was not fed yet; `everything`: up to this
   * very moment.
   */
  constructor(
    router: Router,
    perform: (action: RouterAction) => void,
    beforeWoken: (everything: boolean) => void,
  ) {
    this.router = router;
    this.#perform = perform;
    this.#alarm = new Alarm(() => {
      if (this.#isTakeover) this.#awaitTakeover(beforeWoken);
      else beforeWoken(monotonicMs() - router.deadline > LATE_MS);
      this.#woken.wallMs = wallMs();
      this.feed(this.#woken);
    });
  }

  /** From a driver. Inside of an action it is taken up after the last action of the step. */
  feed(input: RouterInput): void {
    if (this.#busy) {
      this.#pending.push(input);
      return;
    }
    this.#carryOut(this.router.step(monotonicMs(), input));
  }

  reconfigure(settings: VrrpSettings): void {
    this.#carryOut(this.router.reconfigure(monotonicMs(), settings));
  }

  close(): void {
    this.#alarm.close();
  }

  /** What is waited for next is a takeover that was prepared, or comes no later than one. */
  get #isTakeover(): boolean {
    return this.router.deadline <= this.#takeoverMs;
  }

  /**
   * Listens until then: one advert, and there is no takeover. Bounded by itself, whatever the alarm was
   * set to.
   */
  #awaitTakeover(listen: (everything: boolean) => void): void {
    const until = Math.min(this.router.deadline, monotonicMs() + AWAKE_MS);
    for (let isLast = false; !isLast && this.#isTakeover;) {
      isLast = monotonicMs() >= until;
      listen(true);
    }
  }

  #carryOut(first: readonly RouterAction[]): void {
    this.#busy = true;
    let actions = first;
    for (;;) {
      for (let i = 0; i < actions.length; i++) {
        const action = actions[i]!;
        if (action.type !== "prepare-addresses") this.#perform(action);
        else if (action.takeoverMs - monotonicMs() >= LEAST_AHEAD_MS) {
          // Those before it took their time: with less left, this one would put all takeovers off.
          this.#takeoverMs = Math.max(this.#takeoverMs, action.takeoverMs);
          this.#perform(action);
        }
      }
      if (this.#pending.length === 0) break;
      actions = this.router.step(monotonicMs(), this.#pending.shift()!);
    }
    this.#busy = false;
    const { deadline } = this.router;
    this.#alarm.set(this.#isTakeover ? deadline - AWAKE_MS : deadline);
  }
}
