/**
 * How long a router waits before it tries addresses again that the kernel refused: nobody else may
 * be there, so it must not give up, and what failed a moment ago mostly fails again.
 */

import { HOLD_MS } from "./instance-state.ts";

/** A service may depend on the next try: what is spared is a machine that is asked all the time. */
export const RETRY_WITHIN_MS = 1_000;

export class AcquireBackoff {
  #row = 0;

  /**
   * Twice as long with each refusal, from `firstMs` to a second (or `firstMs`, if that is longer).
   * `masterForMs`: a reign that lasted longer than half a minute ends the row.
   */
  next(firstMs: number, masterForMs: number): number {
    if (masterForMs > HOLD_MS) this.#row = 0;
    const doubled = firstMs * 2 ** this.#row;
    if (doubled < RETRY_WITHIN_MS) this.#row++;
    return Math.max(firstMs, Math.min(RETRY_WITHIN_MS, doubled));
  }
}
