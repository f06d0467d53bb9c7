/**
 * How long a router waits before it tries addresses again that the kernel refused: nobody else may
 * be there, so it must not give up, and what failed a moment ago mostly fails again.
 */

import { HOLD_MS } from "./instance-state.ts";

export class AcquireBackoff {
  #row = 0;

  /**
   * Twice as long with each refusal, from `firstMs` to half a minute (or `firstMs`, if that is
   * longer). `masterForMs`: a reign that lasted longer than that ends the row.
   */
  next(firstMs: number, masterForMs: number): number {
    if (masterForMs > HOLD_MS) this.#row = 0;
    const doubled = firstMs * 2 ** this.#row;
    if (doubled < HOLD_MS) this.#row++;
    return Math.max(firstMs, Math.min(HOLD_MS, doubled));
  }
}
