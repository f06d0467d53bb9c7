/**
 * One connection of a client that is carried as bytes, whatever is spoken in it, and the connection
 * to a server at its other end.
 *
 *   waiting -> connecting -> open -> closing -> closed
 *      ^           |
 *      \-----------/ another server
 *
 * Half-closed connections go on: each end of a stream is passed to the other side.
 */

import type { PickRequest } from "../balance/pool-ports.ts";
import type { Server } from "../balance/server.ts";
import type { Ticket } from "../balance/wait-queue.ts";
import { AccessRecord, type EndCause, type EndPhase } from "./access-record.ts";
import { ByteQueue } from "./byte-buffers.ts";
import type { CrowdMember } from "./crowd.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Failure } from "./failures.ts";
import type { Frontend } from "./frontend.ts";
import type { TcpDispatcher, TcpGroup } from "./tcp-dispatcher.ts";
import { Timed } from "./timer-wheel.ts";
import { COUNTERS } from "./traffic.ts";
import { type ClientOrigin, type Peer, type ServerPeer, untaken, type Wire } from "./wire.ts";

/** Said before there is a server: from then on no more is read, and an end is not heard of. */
const EARLY_BYTES = 16 * 1024;

export type TcpPhase = "waiting" | "connecting" | "open" | "closing" | "closed";

export interface TcpClient {
  readonly wire: Wire;
  readonly origin: ClientOrigin;
  readonly frontend: Frontend;
  readonly dispatcher: TcpDispatcher;
  readonly left: (session: TcpSession) => void;
}

export interface TcpSeat extends CrowdMember {
  readonly session: TcpSession;
}

export class TcpSession extends Timed implements CrowdMember, Peer {
  crowdPlace = -1;
  /** Among those of a server. */
  readonly seat: TcpSeat = { session: this, crowdPlace: -1 };
  readonly origin: ClientOrigin;
  readonly frontend: Frontend;
  readonly dispatcher: TcpDispatcher;
  readonly pick: PickRequest & { readonly tried: Server[] };
  readonly record: AccessRecord = new AccessRecord();
  readonly startedAt: number;
  stickKey = "";
  ticket: Ticket<TcpSession> | undefined;
  /** Of the attempt that runs, or ran last. */
  group: TcpGroup | undefined;
  phase: TcpPhase = "waiting";
  retries = 0;
  failure: Failure | undefined;
  /** Moments; -1 = not reached. */
  firstAttemptAt = -1;
  attemptAt = -1;
  connectedAt = -1;
  readonly #parts: EngineParts;
  readonly #client: Wire;
  readonly #left: (session: TcpSession) => void;
  /** What the client said before its server was there. */
  readonly #early: ByteQueue;
  #server: Wire | undefined;
  #isClientThere = true;
  /** Bytes on their way out when the timer was set. */
  #armedUntaken = 0;
  #clientEnded = false;
  #serverEnded = false;

  constructor(parts: EngineParts, client: TcpClient) {
    super();
    const { wire, origin, frontend, dispatcher, left } = client;
    this.#parts = parts;
    this.#client = wire;
    this.#left = left;
    this.#early = new ByteQueue(parts.buffers);
    this.origin = origin;
    this.frontend = frontend;
    this.dispatcher = dispatcher;
    this.startedAt = parts.now;
    this.pick = { hash: 0, sticky: undefined, tried: [] };
    const { record } = this;
    record.isTcp = true;
    record.cameFrom(frontend.name, origin);
    record.pool = dispatcher.settings.name;
  }

  // ---- what the engine asks of every client ----

  /** It is never known whether the other side is just about to say something. */
  readonly isIdle: boolean = false;

  get idleSince(): number {
    return this.startedAt;
  }

  /** Its frontend is gone: what was begun goes on. */
  retire(): void {}

  close(): void {
    this.end(false);
  }

  kill(reason: string): void {
    this.blame("K", this.#phaseWord, reason);
    this.end(true);
  }

  // ---- what the client's wire reports ----

  received(now: number, bytes: Uint8Array, from: number, to: number): void {
    this.#parts.now = now;
    if (this.phase === "closed") return;
    this.#count("bytesIn", to - from);
    if (this.phase === "open") {
      if (!this.#server!.send(bytes, from, to)) this.#client.pause();
      this.#arm();
      return;
    }
    this.#early.append(bytes, from, to);
    if (this.#early.length > EARLY_BYTES) this.#client.pause();
  }

  drained(now: number): void {
    this.#parts.now = now;
    if (this.phase !== "open") return;
    this.#server!.resume();
    this.#arm();
  }

  ended(now: number): void {
    this.#parts.now = now;
    this.#clientEnded = true;
    if (this.phase === "waiting") {
      // Whoever waits in line and hangs up has gone; to serve him takes somebody else's place.
      this.blame("C", "Q", "the client left the line");
      this.end(false);
    } else if (this.phase === "open") {
      this.#server!.end();
      this.#halfEnded();
    }
  }

  closed(now: number, reason: string): void {
    this.#parts.now = now;
    this.#isClientThere = false;
    if (this.phase === "closing") return this.#oneLess();
    this.blame("C", this.#phaseWord, `the client left: ${reason || "closed"}`);
    this.end(true);
  }

  // ---- what its dispatcher asks for ----

  /** A wire of an attempt; what it reports of earlier ones is not heard. */
  connecting(connect: (peer: ServerPeer) => Wire): void {
    this.phase = "connecting";
    let wire: Wire | undefined;
    const isMine = (): boolean => wire === undefined || this.#server === wire;
    const peer: ServerPeer = {
      connected: (now) => isMine() && this.#connected(now),
      received: (now, bytes, from, to) => isMine() && this.#answered(now, bytes, from, to),
      drained: (now) => isMine() && this.#serverDrained(now),
      ended: (now) => isMine() && this.#endedByServer(now),
      closed: (now, reason) => isMine() && this.#lost(now, reason),
    };
    wire = connect(peer);
    this.#server = wire;
  }

  /** The attempt is over; another one may follow. */
  detach(): void {
    // Its time to connect is over with it: in line another clock runs.
    this.#parts.wheel.set(this, Infinity);
    this.#server?.destroy(false);
    this.#server = undefined;
  }

  blame(cause: EndCause, phase: EndPhase, reason: string): void {
    const { record } = this;
    if (record.cause !== "-") return;
    record.cause = cause;
    record.phase = phase;
    record.reason = reason;
  }

  /** Both ways, at once. `reset`: each side sees that it was not a regular end. */
  end(reset: boolean): void {
    const { phase } = this;
    if (phase === "closed") return;
    if (phase !== "closing") this.dispatcher.finished(this);
    const server = this.#server;
    this.#forget();
    server?.destroy(reset);
    if (this.#isClientThere) this.#client.destroy(reset);
  }

  due(now: number): void {
    this.#parts.now = now;
    if (this.phase === "connecting") return this.dispatcher.connectedTooLate(this);
    // Somebody slow still takes what is queued for him.
    if (this.#untaken > 0 && this.#untaken < this.#armedUntaken) return this.#arm();
    if (this.phase === "open") {
      const { idleMs, tunnelMs } = this.dispatcher.settings.timeouts;
      const ms = this.#clientEnded || this.#serverEnded ? idleMs : tunnelMs;
      this.blame("s", "D", `nothing passed for ${ms} ms`);
    }
    // What is lost must not look like a regular end.
    this.end(this.phase === "open" || this.#untaken > 0);
  }

  // ---- what the server's wire reports ----

  #connected(now: number): void {
    this.#parts.now = now;
    this.phase = "open";
    this.connectedAt = now;
    this.dispatcher.connected(this);
    const server = this.#server!;
    const early = this.#early;
    const isTaken = early.length === 0 || server.send(early.bytes, early.from, early.to);
    early.clear();
    if (this.#clientEnded) server.end();
    else if (isTaken) this.#client.resume();
    this.#arm();
  }

  #answered(now: number, bytes: Uint8Array, from: number, to: number): void {
    this.#parts.now = now;
    if (this.phase !== "open") return;
    if (this.record.answerMs < 0) this.record.answerMs = now - this.connectedAt;
    this.#count("bytesOut", to - from);
    if (!this.#client.send(bytes, from, to)) this.#server!.pause();
    this.#arm();
  }

  #serverDrained(now: number): void {
    this.#parts.now = now;
    if (this.phase !== "open") return;
    this.#client.resume();
    this.#arm();
  }

  #endedByServer(now: number): void {
    this.#parts.now = now;
    if (this.phase !== "open") return;
    this.#serverEnded = true;
    this.#client.end();
    this.#halfEnded();
  }

  #lost(now: number, reason: string): void {
    this.#parts.now = now;
    this.#server = undefined;
    if (this.phase === "closing") return this.#oneLess();
    if (this.phase === "connecting") return this.dispatcher.notConnected(this, reason || "closed");
    this.dispatcher.brokeOff(this, reason || "closed");
  }

  // ---- endings ----

  /** Both halves: what is on its way still gets out. */
  #halfEnded(): void {
    if (this.#clientEnded && this.#serverEnded) {
      this.dispatcher.finished(this);
      this.phase = "closing";
    }
    this.#arm();
  }

  #oneLess(): void {
    if (this.#server === undefined && !this.#isClientThere) this.#forget();
  }

  #forget(): void {
    this.phase = "closed";
    this.#server = undefined;
    this.#early.clear();
    this.#parts.wheel.remove(this);
    this.#left(this);
  }

  /** Something moved. */
  #arm(): void {
    this.#armedUntaken = this.#untaken;
    const { idleMs, tunnelMs } = this.dispatcher.settings.timeouts;
    const isHalf = this.#clientEnded || this.#serverEnded;
    this.#parts.wheel.set(this, this.#parts.now + (isHalf ? idleMs : tunnelMs));
  }

  get #untaken(): number {
    return (this.#isClientThere ? untaken(this.#client) : 0) + untaken(this.#server);
  }

  #count(way: "bytesIn" | "bytesOut", bytes: number): void {
    this.record[way] += bytes;
    this.frontend.traffic.add(COUNTERS[way], bytes);
    if (this.phase === "open") this.group?.traffic.add(COUNTERS[way], bytes);
  }

  get #phaseWord(): EndPhase {
    return this.phase === "waiting" ? "Q" : this.phase === "connecting" ? "C" : "D";
  }
}
