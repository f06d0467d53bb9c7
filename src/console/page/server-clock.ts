/**
 * What time it is for the node that answers. The browser's clock may be wrong or be set meanwhile: only
 * its monotonic time counts, and the server's own time in what it sends.
 */

/** An answer takes time, so it tells a time that is past: smaller steps back than this are that. */
const JITTER_MS = 2_000;

export class ServerClock {
  #offsetMs: number | undefined;

  /** The server said `nowMs` (Unix ms), received at `monoMs` (ms, monotonic, of this browser). */
  heard(nowMs: number, monoMs: number): void {
    const offsetMs = nowMs - monoMs;
    const old = this.#offsetMs;
    const isLate = old !== undefined && offsetMs <= old && old - offsetMs < JITTER_MS;
    if (!isLate) this.#offsetMs = offsetMs;
  }

  /** Undefined: nothing was heard yet. */
  now(monoMs: number): number | undefined {
    return this.#offsetMs === undefined ? undefined : this.#offsetMs + monoMs;
  }
}
