/**
 * How many retries a pool may add to its load: a share of its requests plus a minimum per second.
 * Source: Finagle's RetryBudget (a leaky bucket whose credits expire after 10 s): when everything
 * fails, retries add 20 % to the load instead of multiplying it.
 */

import type { RetrySettings } from "./pool-settings.ts";

/** Credits and debits count for 10 s, in slots of one second. */
const SLOT_MS = 1000;
const SLOTS = 10;
/** A retry costs 100, a request earns the percentage: whole numbers only. */
const RETRY_COST = 100;

export class RetryBudget {
  #settings: RetrySettings;
  readonly #slots = new Float64Array(SLOTS);
  #sum = 0;
  #slot: number;

  constructor(settings: RetrySettings, now: number) {
    this.#settings = settings;
    this.#slot = Math.floor(now / SLOT_MS);
  }

  update(settings: RetrySettings): void {
    this.#settings = settings;
  }

  /** A request (its first attempt) earns its share. */
  requested(now: number): void {
    this.#expire(now);
    this.#add(this.#settings.budgetPercent);
  }

  /** Takes one retry's worth. False: the budget is used up, let the request fail. */
  tryRetry(now: number): boolean {
    this.#expire(now);
    if (this.#balance() < RETRY_COST) return false;
    this.#add(-RETRY_COST);
    return true;
  }

  /** Retries that may be made at once. */
  balance(now: number): number {
    this.#expire(now);
    return Math.max(0, this.#balance() / RETRY_COST);
  }

  #balance(): number {
    return this.#settings.budgetMinimumPerSecond * SLOTS * RETRY_COST + this.#sum;
  }

  #add(credit: number): void {
    this.#slots[this.#slot % SLOTS]! += credit;
    this.#sum += credit;
  }

  #expire(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot <= this.#slot) return;
    const first = Math.max(this.#slot + 1, slot - SLOTS + 1);
    for (let i = first; i <= slot; i++) {
      this.#sum -= this.#slots[i % SLOTS]!;
      this.#slots[i % SLOTS] = 0;
    }
    this.#slot = slot;
  }
}
