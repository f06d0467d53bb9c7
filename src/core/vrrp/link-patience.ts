/**
 * Links that flap: a link counts as down, or as up again, only when it has been so for a while
 * (`interface_up_down_delays`). Others are believed at once.
 */

/** Both in ms. */
export interface LinkDelay {
  readonly interface: string;
  readonly downMs: number;
  readonly upMs: number;
}

interface Seen {
  believed: boolean;
  /** When the opposite is believed, if it lasts; Infinity: it is not so now. */
  dueMs: number;
}

export class LinkPatience {
  #delays = new Map<string, LinkDelay>();
  /** As many as there are interfaces that the configuration names. */
  readonly #seen = new Map<string, Seen>();

  /** A changed configuration; `hear` tells again what is the case. */
  adopt(delays: readonly LinkDelay[]): void {
    this.#delays = new Map(delays.map((delay) => [delay.interface, delay]));
  }

  /** The earliest moment at which `due` has something to say. */
  get deadline(): number {
    return Math.min(...[...this.#seen.values()].map(({ dueMs }) => dueMs));
  }

  /** What the kernel says, in; what is to be believed of it, out. The first word counts at once. */
  hear(now: number, name: string, up: boolean): boolean {
    const seen = this.#seen.get(name);
    const delay = this.#delays.get(name);
    const waitMs = delay === undefined ? 0 : up ? delay.upMs : delay.downMs;
    if (seen === undefined || waitMs === 0) {
      this.#seen.set(name, { believed: up, dueMs: Infinity });
      return up;
    }
    if (up === seen.believed) seen.dueMs = Infinity;
    else if (seen.dueMs === Infinity) seen.dueMs = now + waitMs;
    return seen.believed;
  }

  /** The interface is gone: the next word about one of that name counts at once. */
  forget(name: string): void {
    this.#seen.delete(name);
  }

  /** Interfaces of which the opposite is believed from now on. */
  due(now: number): readonly string[] {
    const names: string[] = [];
    for (const [name, seen] of this.#seen) {
      if (seen.dueMs > now) continue;
      seen.believed = !seen.believed;
      seen.dueMs = Infinity;
      names.push(name);
    }
    return names;
  }
}
