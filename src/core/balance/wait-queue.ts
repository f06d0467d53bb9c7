/**
 * Requests that wait until a server has a free place: bounded, by class, in order of arrival. There is
 * one line for those that any server may serve and one per server that clients are bound to.
 */

import type { PickRequest } from "./pool-ports.ts";
import type { QueueSettings } from "./pool-settings.ts";
import { hasPlace, type Server } from "./server.ts";

/** 0 goes first. */
export type QueueClass = 0 | 1 | 2 | 3;

const CLASSES: readonly QueueClass[] = [0, 1, 2, 3];

/** A place for a waiting request. */
export interface Grant<Waiter> {
  readonly waiter: Waiter;
  readonly server: Server;
  readonly waitedMs: number;
}

/** A waiting request that is refused: its time is over, or a higher class took its place in line. */
export interface Dropped<Waiter> {
  readonly waiter: Waiter;
  readonly why: "timeout" | "displaced";
  readonly waitedMs: number;
}

/** Says which server can take a request at once. */
export type Placing = (request: PickRequest) => Server | undefined;

/** Behind the first in line only that many are asked: those that differ in what they tried. */
const LOOK_AHEAD = 8;

/** One waiting request. The waiter is the engine's own and never looked at. */
export class Ticket<Waiter> {
  readonly waiter: Waiter;
  readonly request: PickRequest;
  readonly enqueuedAt: number;
  /** Order of arrival in the whole queue. */
  readonly sequence: number;
  /** Undefined when it does not wait any more. */
  lane: Lane<Waiter> | undefined = undefined;
  next: Ticket<Waiter> | undefined = undefined;
  previous: Ticket<Waiter> | undefined = undefined;

  constructor(waiter: Waiter, request: PickRequest, enqueuedAt: number, sequence: number) {
    this.waiter = waiter;
    this.request = { hash: request.hash, sticky: request.sticky, tried: [...request.tried] };
    this.enqueuedAt = enqueuedAt;
    this.sequence = sequence;
  }
}

/** Requests of one class in one line, oldest first. */
class Lane<Waiter> {
  readonly line: Line<Waiter>;
  first: Ticket<Waiter> | undefined = undefined;
  last: Ticket<Waiter> | undefined = undefined;

  constructor(line: Line<Waiter>) {
    this.line = line;
  }

  append(ticket: Ticket<Waiter>): void {
    ticket.lane = this;
    ticket.previous = this.last;
    if (this.last === undefined) this.first = ticket;
    else this.last.next = ticket;
    this.last = ticket;
    this.line.count++;
  }

  remove(ticket: Ticket<Waiter>): void {
    const { previous, next } = ticket;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    ticket.lane = undefined;
    ticket.next = undefined;
    ticket.previous = undefined;
    this.line.count--;
  }
}

class Line<Waiter> {
  /** The one that all in it are bound to. */
  readonly server: Server | undefined;
  readonly lanes: readonly Lane<Waiter>[];
  count = 0;

  constructor(server: Server | undefined) {
    this.server = server;
    this.lanes = CLASSES.map(() => new Lane<Waiter>(this));
  }
}

export class WaitQueue<Waiter> {
  #settings: QueueSettings;
  readonly #any = new Line<Waiter>(undefined);
  /** Any line first. */
  readonly #lines: Line<Waiter>[] = [this.#any];
  readonly #displaced: Ticket<Waiter>[] = [];
  #sequence = 0;
  #count = 0;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
  }

  update(settings: QueueSettings): void {
    this.#settings = settings;
  }

  /** Those in line and those whose refusal was not fetched yet. */
  get waiting(): number {
    return this.#count + this.#displaced.length;
  }

  /** In the line for any server: a newcomer must not overtake them. */
  get anyWaiting(): number {
    return this.#any.count;
  }

  /** When the next one's time is over; Infinity = nobody waits. */
  get deadline(): number {
    if (this.#displaced.length > 0) return -Infinity;
    const oldest = this.#oldest();
    return oldest === undefined ? Infinity : oldest.enqueuedAt + this.#settings.timeoutMs;
  }

  /** To the end of its class. `boundTo`: waits for a place at that server. False: no room. */
  enqueue(ticket: Ticket<Waiter>, queueClass: QueueClass, boundTo: Server | undefined): boolean {
    if (this.#settings.limit === 0) return false;
    if (this.#count >= this.#settings.limit && !this.#displace(queueClass)) return false;
    this.#lineOf(boundTo).lanes[queueClass]!.append(ticket);
    this.#count++;
    return true;
  }

  /** A ticket made for `enqueue`. */
  ticket(now: number, waiter: Waiter, request: PickRequest): Ticket<Waiter> {
    return new Ticket(waiter, request, now, ++this.#sequence);
  }

  leave(ticket: Ticket<Waiter>): void {
    const { lane } = ticket;
    if (lane === undefined) {
      const at = this.#displaced.indexOf(ticket);
      if (at !== -1) this.#displaced.splice(at, 1);
      return;
    }
    lane.remove(ticket);
    this.#count--;
    const { line } = lane;
    if (line.count === 0 && line !== this.#any) this.#lines.splice(this.#lines.indexOf(line), 1);
  }

  /** Highest class first, oldest first within it; whose server is full must not hold up others. */
  nextGrant(now: number, placing: Placing): Grant<Waiter> | undefined {
    let anyPlace = true;
    for (const queueClass of CLASSES) {
      const bound = this.#oldestBound(queueClass);
      const first = this.#any.lanes[queueClass]!.first;
      if (anyPlace && first !== undefined && !(bound !== undefined && isOlder(bound, first))) {
        const grant = this.#placeAny(now, first, placing);
        if (grant !== undefined) return grant;
        // What fails for a fresh request fails for everybody in this line.
        anyPlace = first.request.tried.length > 0;
      }
      const server = bound === undefined ? undefined : placing(bound.request);
      if (bound !== undefined && server !== undefined) return this.#grant(now, bound, server);
    }
    return undefined;
  }

  nextDropped(now: number): Dropped<Waiter> | undefined {
    const displaced = this.#displaced.shift();
    if (displaced !== undefined) {
      const { waiter, enqueuedAt } = displaced;
      return { waiter, why: "displaced", waitedMs: now - enqueuedAt };
    }
    const oldest = this.#oldest();
    if (oldest === undefined) return undefined;
    // The same sum as the deadline's: a difference may be rounded to just below the time.
    if (now < oldest.enqueuedAt + this.#settings.timeoutMs) return undefined;
    const waitedMs = now - oldest.enqueuedAt;
    this.leave(oldest);
    return { waiter: oldest.waiter, why: "timeout", waitedMs };
  }

  #placeAny(now: number, first: Ticket<Waiter>, placing: Placing): Grant<Waiter> | undefined {
    let ticket: Ticket<Waiter> | undefined = first;
    for (let i = 0; i < LOOK_AHEAD && ticket !== undefined; i++) {
      const server = placing(ticket.request);
      if (server !== undefined) return this.#grant(now, ticket, server);
      if (ticket.request.tried.length === 0) return undefined;
      ticket = ticket.next;
    }
    return undefined;
  }

  #grant(now: number, ticket: Ticket<Waiter>, server: Server): Grant<Waiter> {
    this.leave(ticket);
    return { waiter: ticket.waiter, server, waitedMs: now - ticket.enqueuedAt };
  }

  /** Of those whose server has a place or cannot be reached any more. */
  #oldestBound(queueClass: QueueClass): Ticket<Waiter> | undefined {
    let oldest: Ticket<Waiter> | undefined;
    for (const { server, lanes } of this.#lines) {
      const first = lanes[queueClass]!.first;
      if (server === undefined || first === undefined) continue;
      if (server.reachable && !hasPlace(server, first.request.tried)) continue;
      if (oldest === undefined || isOlder(first, oldest)) oldest = first;
    }
    return oldest;
  }

  #oldest(): Ticket<Waiter> | undefined {
    let oldest: Ticket<Waiter> | undefined;
    for (const { lanes } of this.#lines) {
      for (const { first } of lanes) {
        if (first !== undefined && (oldest === undefined || isOlder(first, oldest))) oldest = first;
      }
    }
    return oldest;
  }

  /** The youngest of the lowest class below this one makes room. */
  #displace(queueClass: QueueClass): boolean {
    for (let other = CLASSES.length - 1; other > queueClass; other--) {
      let youngest: Ticket<Waiter> | undefined;
      for (const { lanes } of this.#lines) {
        const { last } = lanes[other]!;
        if (last !== undefined && (youngest === undefined || isOlder(youngest, last))) {
          youngest = last;
        }
      }
      if (youngest === undefined) continue;
      this.leave(youngest);
      this.#displaced.push(youngest);
      return true;
    }
    return false;
  }

  #lineOf(server: Server | undefined): Line<Waiter> {
    const known = this.#lines.find((line) => line.server === server);
    if (known !== undefined) return known;
    const line = new Line<Waiter>(server);
    this.#lines.push(line);
    return line;
  }
}

function isOlder(one: Ticket<unknown>, other: Ticket<unknown>): boolean {
  return one.sequence < other.sequence;
}
