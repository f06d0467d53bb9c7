/**
 * What to do when somebody removes an address that we hold: put it back at once, then more and
 * more slowly, and after a few times say that it is fought over. DHCP clients, network managers
 * and operators remove addresses once; only another manager does it again and again.
 */

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;
/** Removals within the window that make it a fight. */
const FIGHT_REMOVALS = 6;
const FIGHT_WINDOW_MS = 30_000;
/** Addresses waiting to be put back; an instance has at most 255. */
const MAX_WAITING = 512;

export class AddressGuard {
  readonly #waiting = new Map<string, number>();
  #recent: number[] = [];
  #pauseMs = 0;

  get deadline(): number {
    let earliest = Infinity;
    for (const at of this.#waiting.values()) earliest = Math.min(earliest, at);
    return earliest;
  }

  /** Notes a removal; true when the address is now fought over. */
  removed(now: number, address: string): boolean {
    this.#recent = this.#recent.filter((at) => now - at < FIGHT_WINDOW_MS);
    if (this.#recent.length === 0) this.#pauseMs = 0;
    this.#recent.push(now);
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(address, now + this.#pauseMs);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    return this.#recent.length === FIGHT_REMOVALS;
  }

  /** Addresses to put back now. */
  due(now: number): string[] {
    const ready = [...this.#waiting].filter(([, at]) => now >= at).map(([address]) => address);
    for (const address of ready) this.#waiting.delete(address);
    return ready;
  }

  reset(): void {
    this.#waiting.clear();
    this.#recent = [];
    this.#pauseMs = 0;
  }
}
