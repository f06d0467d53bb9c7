/**
 * Who else speaks for this VRID, and whether two masters speak at once.
 *
 * A master hears no other master except for the moment of a hand-over. An advert of another one
 * after that moment is a split brain: the network carried nothing for a while, or somebody's
 * configuration is wrong. The first advert tells it, since the loser of a healed split sends one
 * or two and then falls silent.
 */

import type { PeerStatus } from "./status.ts";

/** More speakers than this on one VRID: the oldest is forgotten. */
const MAX_PEERS = 16;

interface Peer {
  priority: number;
  firstHeardMs: number;
  lastHeardMs: number;
  /** It fell silent while it was master; not what every backup does. */
  lost: boolean;
}

export interface Contention {
  readonly peer: string;
  readonly sinceMs: number;
  lastHeardMs: number;
  found: boolean;
  readonly reason: string;
  /** It does not advertise: it was heard as often as it was asked. */
  readonly byClaim: boolean;
  /** The same split under the name of who advertises: it was found before, by a claim. */
  readonly wasClaimed: boolean;
}

export class PeerTable {
  readonly #peers = new Map<string, Peer>();
  #contention: Contention | undefined;
  #othersSupposed = false;

  get contention(): Contention | undefined {
    return this.#contention;
  }

  /** Why it is news that `address` is heard, if it is. */
  heard(now: number, address: string, priority: number): string | undefined {
    const peer = this.#peers.get(address);
    if (peer !== undefined) {
      peer.priority = priority;
      peer.lastHeardMs = now;
      if (!peer.lost) return undefined;
      peer.lost = false;
      return `${address} is heard again, priority ${priority}`;
    }
    if (this.#peers.size >= MAX_PEERS) this.#forgetOldest();
    this.#peers.set(address, { priority, firstHeardMs: now, lastHeardMs: now, lost: false });
    return `first advert of ${address}, priority ${priority}`;
  }

  /** True when that was not known yet. A lost peer still counts as one that may come back. */
  lost(address: string): boolean {
    const peer = this.#peers.get(address);
    if (peer === undefined || peer.lost) return false;
    peer.lost = true;
    return true;
  }

  /** Somebody besides `address` has ever been heard. */
  knowsOtherThan(address: string): boolean {
    return this.#othersSupposed || this.#peers.size > (this.#peers.has(address) ? 1 : 0);
  }

  get isEmpty(): boolean {
    return this.#peers.size === 0 && !this.#othersSupposed;
  }

  /** The process before us had heard others; who they are is not known. */
  supposeOthers(): void {
    this.#othersSupposed = true;
  }

  /** An advert of another master while we are master; before `settledAtMs` it may be one that
   *  goes. True when it just became a split brain, or one gets a name. Several rivals are one split. */
  contend(now: number, address: string, settledAtMs: number): boolean {
    let current = this.#contention;
    const isTold = current?.found === true && !current.byClaim;
    if (current === undefined || (current.peer !== address && !isTold)) {
      const reason = `${address} sends adverts as master while we are master`;
      const wasClaimed = current?.found === true;
      const sinceMs = wasClaimed ? (current?.sinceMs ?? now) : now;
      const times = { sinceMs, lastHeardMs: now };
      current = { peer: address, ...times, found: false, reason, byClaim: false, wasClaimed };
      this.#contention = current;
    }
    current.lastHeardMs = now;
    // What was told already needs no second look.
    if (current.found || (now < settledAtMs && !current.wasClaimed)) return false;
    current.found = true;
    return true;
  }

  /** Another machine answers for our address: a split brain at once. True when it is new. */
  claimed(now: number, address: string, mac: string): boolean {
    const current = this.#contention;
    if (current?.found === true) {
      current.lastHeardMs = now;
      return false;
    }
    const reason = `our address ${address} is answered from ${mac}`;
    const times = { sinceMs: now, lastHeardMs: now };
    const how = { byClaim: true, wasClaimed: false };
    this.#contention = { peer: mac, ...times, found: true, reason, ...how };
    return true;
  }

  /** False when there is a rival that was last heard before `thenMs`. */
  contendsSince(thenMs: number): boolean {
    return this.#contention === undefined || this.#contention.lastHeardMs > thenMs;
  }

  /** Returns what had become a split brain. */
  endContention(): Contention | undefined {
    const ended = this.#contention;
    this.#contention = undefined;
    return ended?.found === true ? ended : undefined;
  }

  status(): PeerStatus[] {
    return [...this.#peers].map(([address, { priority, lastHeardMs }]) => ({
      address,
      priority,
      lastHeardMs,
    }));
  }

  #forgetOldest(): void {
    let oldest: string | undefined;
    let at = Infinity;
    for (const [address, peer] of this.#peers) {
      if (peer.lastHeardMs < at) [oldest, at] = [address, peer.lastHeardMs];
    }
    if (oldest !== undefined) this.#peers.delete(oldest);
  }
}
