/**
 * One machine's idea of time. The monotonic clock runs a little fast or slow against the world's
 * and stands still while the whole machine is frozen; the wall clock can be stepped by anybody.
 * Kernel and processes of a host share it, as they do in reality.
 */
export class HostClock {
  /** Added to monotonic time; a day in 2026, so that nothing works only near zero. */
  wallOffsetMs = 1_790_000_000_000;
  readonly #rate: number;
  #worldBase = 0;
  #localBase: number;
  #frozen = false;

  /** `drift`: 0.01 = runs one percent fast. `startMs`: local time at the world's beginning. */
  constructor(drift: number, startMs: number) {
    this.#rate = 1 + drift;
    this.#localBase = startMs;
  }

  local(worldMs: number): number {
    if (this.#frozen) return this.#localBase;
    return this.#localBase + (worldMs - this.#worldBase) * this.#rate;
  }

  /** When the world's clock shows the moment at which ours shows `localMs`; Infinity if frozen. */
  world(localMs: number): number {
    if (this.#frozen) return Infinity;
    return this.#worldBase + (localMs - this.#localBase) / this.#rate;
  }

  wall(worldMs: number): number {
    return Math.round(this.local(worldMs) + this.wallOffsetMs);
  }

  freeze(worldMs: number): void {
    this.#localBase = this.local(worldMs);
    this.#worldBase = worldMs;
    this.#frozen = true;
  }

  thaw(worldMs: number): void {
    this.#worldBase = worldMs;
    this.#frozen = false;
  }
}
