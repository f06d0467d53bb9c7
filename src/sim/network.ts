/**
 * Ethernet segments as a table of one-way links. Every pair of stations has two links that fail
 * independently; a lost frame is remembered, because "were these two connected?" is answered by
 * what arrived, not by what was configured.
 */

import type { Family } from "../core/vrrp/settings.ts";
import { assert } from "../lib/assert.ts";
import type { Prng } from "../lib/prng.ts";
import type { EventQueue } from "./event-queue.ts";

export interface DatagramFrame {
  readonly kind: "datagram";
  readonly family: Family;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  /** Protocol 51 only: its digest covers the header. */
  readonly ipHeader?: Uint8Array;
  readonly payload: Uint8Array;
}

/** What the simulator knows of ARP and ND: the same four messages, one vocabulary. */
interface NeighbourFrame {
  /** `announce`: gratuitous ARP or unsolicited NA; `ask`/`answer`: request and reply. */
  readonly kind: "announce" | "ask" | "answer" | "probe" | "probe-answer";
  readonly address: string;
}

export type Frame = DatagramFrame | NeighbourFrame;

/** Something with a network card on one or more segments. */
export interface Station {
  readonly name: string;
  /** Carrier on that segment; without it nothing is sent or received. */
  linked(segment: number): boolean;
  /** Does it take datagrams addressed to this unicast address? */
  owns(segment: number, address: string): boolean;
  receive(segment: number, from: number, frame: Frame): void;
}

export interface Link {
  delayMs: number;
  jitterMs: number;
  /** Probabilities 0-1. */
  loss: number;
  duplicate: number;
  /** How many faults cut it now; 0 = open. */
  cuts: number;
  multicastCuts: number;
  /** World time of the last frame that did not arrive. */
  lastLossMs: number;
}

/** What became of one frame, for the trace. */
export type Delivery = (segment: number, from: number, to: number, lost: boolean) => void;

export class Network {
  readonly stations: Station[] = [];
  readonly #queue: EventQueue;
  readonly #prng: Prng;
  readonly #links = new Map<number, Link>();
  readonly #delayMs: number;
  readonly #jitterMs: number;
  readonly #onDelivery: Delivery;

  constructor(
    queue: EventQueue,
    prng: Prng,
    base: { readonly delayMs: number; readonly jitterMs: number },
    onDelivery: Delivery,
  ) {
    this.#queue = queue;
    this.#prng = prng;
    this.#delayMs = base.delayMs;
    this.#jitterMs = base.jitterMs;
    this.#onDelivery = onDelivery;
  }

  /** Returns the station's number, its name on every link. */
  join(station: Station): number {
    this.stations.push(station);
    return this.stations.length - 1;
  }

  link(segment: number, from: number, to: number): Link {
    const key = (segment * 64 + from) * 64 + to;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = {
        delayMs: this.#delayMs,
        jitterMs: this.#jitterMs,
        loss: 0,
        duplicate: 0,
        cuts: 0,
        multicastCuts: 0,
        lastLossMs: -Infinity,
      };
      this.#links.set(key, link);
    }
    return link;
  }

  /** To everybody on the segment but the sender. `multicast` frames can be filtered apart. */
  broadcast(segment: number, from: number, frame: Frame): void {
    for (let to = 0; to < this.stations.length; to++) {
      if (to !== from) this.send(segment, from, { to, frame });
    }
  }

  /** To whoever owns the IP address, as a switch with a full forwarding table would. */
  unicast(segment: number, from: number, frame: DatagramFrame): void {
    for (let to = 0; to < this.stations.length; to++) {
      if (to === from || !this.stations[to]!.owns(segment, frame.destination)) continue;
      this.send(segment, from, { to, frame });
    }
  }

  send(
    segment: number,
    from: number,
    parcel: { readonly to: number; readonly frame: Frame },
  ): void {
    const { to, frame } = parcel;
    const link = this.link(segment, from, to);
    const open = link.cuts === 0 && !(link.multicastCuts > 0 && isMulticast(frame));
    if (!open || !this.#stationAt(from).linked(segment) || this.#prng.chance(link.loss)) {
      this.#lose(segment, from, to);
      return;
    }
    this.#deliver(segment, from, parcel);
    if (link.duplicate > 0 && this.#prng.chance(link.duplicate)) {
      this.#deliver(segment, from, parcel);
    }
  }

  #deliver(
    segment: number,
    from: number,
    parcel: { readonly to: number; readonly frame: Frame },
  ): void {
    const { to, frame } = parcel;
    const link = this.link(segment, from, to);
    const delay = link.delayMs + this.#prng.fraction() * link.jitterMs;
    this.#queue.after(delay, () => {
      const station = this.#stationAt(to);
      if (!station.linked(segment) || link.cuts > 0) {
        this.#lose(segment, from, to);
        return;
      }
      this.#onDelivery(segment, from, to, false);
      station.receive(segment, from, frame);
    });
  }

  #lose(segment: number, from: number, to: number): void {
    this.link(segment, from, to).lastLossMs = this.#queue.now;
    this.#onDelivery(segment, from, to, true);
  }

  #stationAt(index: number): Station {
    const station = this.stations[index];
    assert(station !== undefined, "only stations that joined have links");
    return station;
  }
}

function isMulticast(frame: Frame): boolean {
  return (
    frame.kind === "datagram" &&
    (frame.destination.startsWith("224.") || frame.destination.startsWith("ff"))
  );
}
