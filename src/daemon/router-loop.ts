/**
 * Turns the router machine: one input at a time, its actions carried out in order, the alarm set
 * to its next deadline. What carrying out an action brings to light (a refused address) waits
 * until all actions of that step are done.
 */

import type { Router } from "../core/vrrp/router.ts";
import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { Alarm } from "../drivers/alarm.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";

export class RouterLoop {
  readonly router: Router;
  readonly #perform: (action: RouterAction) => void;
  readonly #alarm: Alarm;
  readonly #pending: RouterInput[] = [];
  /** One object for every wake-up: nothing is allocated per advert. */
  readonly #woken = { type: "woken" as const, wallMs: 0 };
  #busy = false;

  /** `beforeWoken` brings in what came before the deadline and was not fed yet. */
  constructor(router: Router, perform: (action: RouterAction) => void, beforeWoken: () => void) {
    this.router = router;
    this.#perform = perform;
    this.#alarm = new Alarm(() => {
      beforeWoken();
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

  #carryOut(first: readonly RouterAction[]): void {
    this.#busy = true;
    let actions = first;
    for (;;) {
      for (let i = 0; i < actions.length; i++) this.#perform(actions[i]!);
      if (this.#pending.length === 0) break;
      actions = this.router.step(monotonicMs(), this.#pending.shift()!);
    }
    this.#busy = false;
    this.#alarm.set(this.router.deadline);
  }
}
