/**
 * Before an address goes to another machine, which knows nothing of the connections to this one:
 * first every answer is the last of its connection, so that kept ones are no more; then nobody
 * comes in until those inside are served. It cannot last, so neither does the wait.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../drivers/clock.ts";
import type { WorkerLink } from "./balance-hub.ts";
import type { ListeningSockets } from "./balance-listeners.ts";

/** A client that asks all the time has had its last answer by then; others are let go by then. */
const LAST_ANSWERS_MS = 1_200;
/** Clients that are held back come again after 1 s. */
const HELD_BACK_MS = 500;
/** Who was half way in comes within a round trip; who connected only in case it asks one day, does not. */
const HALF_WAY_MS = 100;
const LOOK_MS = 10;

export interface HouseParts {
  readonly links: () => readonly WorkerLink[];
  readonly sockets: () => ListeningSockets | undefined;
}

export class BalanceHouse {
  readonly #parts: HouseParts;
  #isHurried = false;

  constructor(parts: HouseParts) {
    this.#parts = parts;
  }

  async empty(): Promise<void> {
    const { links, sockets } = this.#parts;
    for (const link of links()) link.send({ type: "last-answers" });
    await this.#wait(LAST_ANSWERS_MS);
    sockets()?.holdBack();
    await this.#wait(HELD_BACK_MS, HALF_WAY_MS);
  }

  /** The address is elsewhere, and may come back. */
  reopen(): void {
    this.#parts.sockets()?.letIn();
    for (const link of this.#parts.links()) link.send({ type: "as-usual" });
  }

  /** What `empty` waits for ends now. */
  hurry(): void {
    this.#isHurried = true;
  }

  async #wait(limitMs: number, leastMs = 0): Promise<void> {
    const fromMs = monotonicMs();
    while (!this.#isHurried && monotonicMs() < fromMs + limitMs) {
      if ((await this.#guests()) === 0 && monotonicMs() >= fromMs + leastMs) return;
      await sleep(LOOK_MS);
    }
  }

  async #guests(): Promise<number> {
    const answers = await Promise.all(
      this.#parts.links().map((link) => link.ask({ type: "ping" }, HELD_BACK_MS)),
    );
    return answers.reduce((sum, { reply }) => sum + (reply?.connections ?? 0), 0);
  }
}
