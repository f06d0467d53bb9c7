/**
 * A user of the virtual address, with the neighbour cache of an ordinary host: announcements
 * update an entry but never make one, answers make one, nothing is asked again before an entry
 * has aged. So a client that nobody told of a change talks to the wrong machine, as real ones do.
 */

import type { EventQueue } from "./event-queue.ts";
import type { Frame, Network, Station } from "./network.ts";

export class Client implements Station {
  readonly name: string;
  readonly cache: Map<string, CacheEntry> = new Map();
  /** Probes sent, and answers by station number. */
  probes = 0;
  readonly answers: Map<number, number> = new Map();
  readonly #segment: number;
  readonly #queue: EventQueue;
  readonly #network: Network;
  readonly #ageMs: number;
  readonly #id: number;

  constructor(
    name: string,
    segment: number,
    world: { readonly queue: EventQueue; readonly network: Network },
    ageMs: number,
  ) {
    this.name = name;
    this.#segment = segment;
    this.#queue = world.queue;
    this.#network = world.network;
    this.#ageMs = ageMs;
    this.#id = world.network.join(this);
  }

  get segment(): number {
    return this.#segment;
  }

  linked(segment: number): boolean {
    return segment === this.#segment;
  }

  owns(): boolean {
    return false;
  }

  /** One packet to the address: through the cache, or ask who has it. */
  probe(address: string): void {
    this.probes++;
    const entry = this.cache.get(address);
    if (entry === undefined || this.#queue.now - entry.sinceMs > this.#ageMs) {
      this.cache.delete(address);
      this.#network.broadcast(this.#segment, this.#id, { kind: "ask", address });
      return;
    }
    this.#network.send(this.#segment, this.#id, {
      to: entry.station,
      frame: { kind: "probe", address },
    });
  }

  receive(segment: number, from: number, frame: Frame): void {
    if (segment !== this.#segment || frame.kind === "datagram") return;
    const sinceMs = this.#queue.now;
    if (frame.kind === "probe-answer") {
      this.answers.set(from, (this.answers.get(from) ?? 0) + 1);
    } else if (frame.kind === "answer") {
      // Within the kernel's lock time the first answer stands.
      const entry = this.cache.get(frame.address);
      if (entry === undefined || sinceMs - entry.sinceMs > LOCK_TIME_MS) {
        this.cache.set(frame.address, { station: from, sinceMs });
      }
    } else if (frame.kind === "announce" && this.cache.has(frame.address)) {
      this.cache.set(frame.address, { station: from, sinceMs });
    }
  }
}

export interface CacheEntry {
  /** Number of the station whose hardware address is cached. */
  readonly station: number;
  readonly sinceMs: number;
}

/** arp(7) `locktime`: an entry younger than this is only replaced by an announcement. */
const LOCK_TIME_MS = 1000;
