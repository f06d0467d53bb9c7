/**
 * What to do when somebody removes an address that we hold: put it back at once, then more and
 * more slowly, and after a few times say that it is fought over. DHCP clients, network managers
 * and operators remove addresses once - maybe all of an interface in one go; only another manager
 * removes the same one again and again.
 */

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;
/** Removals of one address within the window that make it a fight. */
const FIGHT_REMOVALS = 6;
const FIGHT_WINDOW_MS = 30_000;
/** Addresses watched; an instance has at most 255 and its excluded ones. */
const MAX_ADDRESSES = 512;

interface Removals {
  /** The last ones, at most `FIGHT_REMOVALS`. */
  recent: number[];
  pauseMs: number;
  /** When to put it back; Infinity = it is there. */
  restoreAt: number;
}

export class AddressGuard {
  readonly #removals = new Map<string, Removals>();

  get deadline(): number {
    let earliest = Infinity;
    for (const { restoreAt } of this.#removals.values()) earliest = Math.min(earliest, restoreAt);
    return earliest;
  }

  /** Notes a removal; true when the address is now fought over. */
  removed(now: number, address: string): boolean {
    let removals = this.#removals.get(address);
    if (removals === undefined) {
      if (this.#removals.size >= MAX_ADDRESSES) return false;
      removals = { recent: [], pauseMs: 0, restoreAt: Infinity };
      this.#removals.set(address, removals);
    }
    const recent = removals.recent.filter((at) => now - at < FIGHT_WINDOW_MS);
    if (recent.length === 0) removals.pauseMs = 0;
    removals.recent = [...recent, now].slice(-FIGHT_REMOVALS);
    removals.restoreAt = now + removals.pauseMs;
    removals.pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, removals.pauseMs * 2));
    return recent.length === FIGHT_REMOVALS - 1;
  }

  /** Addresses to put back now. */
  due(now: number): string[] {
    const ready: string[] = [];
    for (const [address, removals] of this.#removals) {
      if (now < removals.restoreAt) continue;
      removals.restoreAt = Infinity;
      ready.push(address);
    }
    return ready;
  }

  reset(): void {
    this.#removals.clear();
  }
}
