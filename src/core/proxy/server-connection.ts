/** One connection to a server. It carries one exchange at a time and is kept between them. */

import { ByteQueue } from "./byte-buffers.ts";
import type { CrowdMember } from "./crowd.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import type { ServerGroup } from "./server-group.ts";
import { Timed } from "./timer-wheel.ts";
import { COUNTERS } from "./traffic.ts";
import type { ConnectTarget, ServerPeer, Wire } from "./wire.ts";

/** A server that says how long it keeps connections is not asked in the last moments of that. */
const AHEAD_MS = 1000;
/** The largest segment of TCP. More than that comes without being asked for. */
const SEGMENT_BYTES = 65_535;

/** Who moves the exchanges of a pool on. */
export interface ServerListener {
  connected(exchange: Exchange): void;
  /** Gives the position up to which bytes were used; the others come again with more. */
  answerReceived(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number;
  serverDrained(exchange: Exchange): void;
  /** The server ended its stream (reason "") or the connection broke. */
  serverLost(exchange: Exchange, reason: string): void;
}

export type ServerPhase = "connecting" | "busy" | "idle" | "closed";

export class ServerConnection extends Timed implements CrowdMember, ServerPeer {
  crowdPlace = -1;
  readonly group: ServerGroup;
  readonly #parts: EngineParts;
  readonly #listener: ServerListener;
  /** The beginning of a head whose rest has not come. */
  readonly #pending: ByteQueue;
  #wire: Wire | undefined;
  #isSound = true;
  /** Exchanges carried: tells whether a call has ended the one it was made for. */
  #serial = 0;
  phase: ServerPhase = "connecting";
  exchange: Exchange | undefined;
  /** It carried an exchange before. */
  isReused = false;
  /** A client has signed in on it: it is of no use to anybody else. */
  isSignedIn = false;
  idleSince = 0;
  /** The server's own time-out for kept connections, as it said; Infinity = it did not say. */
  serverKeepsMs: number = Infinity;

  constructor(parts: EngineParts, group: ServerGroup, listener: ServerListener) {
    super();
    this.#parts = parts;
    this.group = group;
    this.#listener = listener;
    this.#pending = new ByteQueue(parts.buffers);
  }

  connect(target: ConnectTarget, exchange: Exchange): void {
    this.exchange = exchange;
    this.group.open.add(this);
    this.group.traffic.add(COUNTERS.connections, 1);
    this.group.traffic.add(COUNTERS.openConnections, 1);
    this.#wire = this.#parts.connector.connect(target, this);
  }

  /** A kept connection gets its next exchange. */
  begin(exchange: Exchange): void {
    this.phase = "busy";
    this.isReused = true;
    this.#serial++;
    this.exchange = exchange;
    this.group.traffic.add(COUNTERS.reused, 1);
    this.#parts.wheel.set(this, Infinity);
  }

  /** False: the wire is full. */
  send(bytes: Uint8Array, from: number, to: number): boolean {
    this.group.traffic.add(COUNTERS.bytesIn, to - from);
    return this.wire.send(bytes, from, to);
  }

  get wire(): Wire {
    return this.#wire as Wire;
  }

  /** The end of an answer. In a tunnel nobody knows who speaks next. */
  get awaitsMore(): boolean {
    const { exchange } = this;
    if (exchange === undefined || exchange.phase === "tunnel") return false;
    return exchange.phase !== "answering" || exchange.answerBody.left <= SEGMENT_BYTES;
  }

  /** Must not carry another exchange: its stream is at no place where one could begin. */
  spoil(): void {
    this.#isSound = false;
  }

  /** It can carry an exchange. */
  get isWaiting(): boolean {
    return this.phase === "idle" && this.#isSound;
  }

  /** The exchange is over: back to the kept ones if it may serve again. */
  release(keepMs: number, keepLimit: number): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.#serial++;
    this.#pending.clear();
    const { now, wheel } = this.#parts;
    // One that is a client's alone goes with that client.
    const ownMs = Math.min(this.isSignedIn ? Infinity : keepMs, this.serverKeepsMs - AHEAD_MS);
    if (!this.#isSound || ownMs <= 0 || !this.#keep(exchange, keepLimit)) return this.destroy();
    this.phase = "idle";
    this.idleSince = now;
    wheel.set(this, now + ownMs);
    // Resumed, so that the end of the stream is heard of while it is idle.
    this.wire.resume();
  }

  #keep(exchange: Exchange | undefined, limit: number): boolean {
    if (!this.isSignedIn || exchange === undefined) return this.group.keep(this, limit);
    return !this.group.isRetired && this.#parts.signedIn.keep(exchange, this);
  }

  /** `reset`: the server must see that it was not a regular end. */
  destroy(reset = false): void {
    if (this.phase === "closed") return;
    this.#forget();
    this.wire.destroy(reset);
  }

  received(now: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.phase === "closed") return;
    const parts = this.#parts;
    parts.now = now;
    this.group.traffic.add(COUNTERS.bytesOut, to - from);
    const { exchange } = this;
    if (exchange === undefined) {
      // Nobody asked: whoever came next would take it for his answer.
      this.group.forgetIdle(this);
      return this.destroy();
    }
    const serial = this.#serial;
    const pending = this.#pending;
    if (pending.length === 0) {
      const used = this.#listener.answerReceived(exchange, bytes, from, to);
      if (used < to && this.#serial === serial) pending.append(bytes, used, to);
      return;
    }
    pending.append(bytes, from, to);
    const start = pending.from;
    const used = this.#listener.answerReceived(exchange, pending.bytes, start, pending.to);
    if (this.#serial === serial) pending.drop(used - start);
  }

  connected(now: number): void {
    if (this.phase === "closed" || this.exchange === undefined) return;
    this.#parts.now = now;
    this.phase = "busy";
    this.#listener.connected(this.exchange);
  }

  drained(now: number): void {
    if (this.phase === "closed" || this.exchange === undefined) return;
    this.#parts.now = now;
    this.#listener.serverDrained(this.exchange);
  }

  ended(now: number): void {
    this.#lost(now, "");
  }

  closed(now: number, reason: string): void {
    if (this.phase === "closed") return;
    this.#lost(now, reason === "" ? "closed" : reason);
  }

  /** Idle for too long. */
  due(): void {
    if (this.phase !== "idle") return;
    this.group.forgetIdle(this);
    this.destroy();
  }

  #lost(now: number, reason: string): void {
    if (this.phase === "closed") return;
    this.#parts.now = now;
    this.#isSound = false;
    const { exchange } = this;
    if (exchange !== undefined) return this.#listener.serverLost(exchange, reason);
    this.group.forgetIdle(this);
    this.destroy();
  }

  #forget(): void {
    this.phase = "closed";
    this.exchange = undefined;
    this.#serial++;
    this.#pending.clear();
    this.#parts.wheel.remove(this);
    if (this.group.open.delete(this)) this.group.traffic.add(COUNTERS.openConnections, -1);
  }
}
