/**
 * One TCP or unix connection as a `Wire`, carried by a `StreamLoop`. What TLS does otherwise is in the
 * protected methods: how bytes become the engine's, and the engine's become those on the line.
 */

import type { Peer, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { EAGAIN, errnoName, setSocketOption, SOL_SOCKET, type NativeMemory } from "./ffi.ts";
import type { Arrival } from "./stream-arrivals.ts";
import { Backlog } from "./stream-backlog.ts";
import * as calls from "./stream-calls.ts";
import { READ_BYTES, Sender, type StreamLoop } from "./stream-loop.ts";

/** More than that is queued: the engine is asked to stop, until half of it is out. */
const MARK_BYTES = 128 * 1024;
/** Of a connection that is lost: what the other side said before. */
const LAST_READS = 4;
/** From here on bytes that were just received are sent from where they are, uncopied. */
const DIRECT_BYTES = 4096;

const HUNG_UP = calls.EPOLLRDHUP | calls.EPOLLHUP | calls.EPOLLERR;
const BOTH_OVER = calls.EPOLLHUP | calls.EPOLLERR;
export const WIRE_EVENTS: number =
  calls.EPOLLIN | calls.EPOLLOUT | calls.EPOLLRDHUP | calls.EPOLLET;

/** `struct linger { 1, 0 }`: close sends RST. socket(7). */
const LINGER_NOT = new Uint8Array(Int32Array.of(1, 0).buffer);

/** Whoever is told before the engine is there. */
const nobody: Peer = { received() {}, drained() {}, ended() {}, closed() {} };

export class StreamWire extends Sender implements Arrival, Wire {
  isUnwatched = false;
  restsAt = -1;
  restsSince = 0;
  protected readonly loop: StreamLoop;
  /** The kernel may have more for us than was read. */
  protected isReadable = false;
  protected isEnding = false;
  protected isPaused = false;
  /** Made when the kernel first takes less than all: most connections never need it. */
  #backlog: Backlog | undefined;
  #peer: Peer = nobody;
  /** Set until it was told `connected`. */
  #connecting: ServerPeer | undefined;
  #isStanding: boolean;
  #isBlocked = false;
  /** What is sent now, more follows at once. */
  #isFollowed = false;
  #hungUp = false;
  #inEnded = false;
  #isSealed = false;
  /** Nothing is awaited from the other side. */
  #isLast = false;
  #outEnded = false;
  #isGone = false;
  #failure: string | undefined;
  /** What `fetch` has read: bytes, 0 at the end, or `-errno`; and where it lies in the loop's input. */
  #fetched = 0;
  #fetchedAt = 0;
  /** Was read, and then somebody else's bytes made the engine pause this wire. */
  #held: Uint8Array | undefined;

  /** `connecting`: told `connected` or `closed` first. The wire is not yet in the loop. */
  constructor(loop: StreamLoop, fd: number, connecting?: ServerPeer) {
    super(fd, connecting !== undefined);
    this.loop = loop;
    this.#connecting = connecting;
    this.#isStanding = connecting === undefined;
    if (connecting !== undefined) this.#peer = connecting;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Told from the next event on. */
  set peer(peer: Peer) {
    this.#peer = peer;
  }

  get queued(): number {
    return this.stagedLength + this.backlogLength;
  }

  get untaken(): number {
    const { queued } = this;
    return this.backlogLength === 0 ? queued : queued + calls.unacknowledged(this.fd);
  }

  send(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#isGone || this.isEnding || this.#failure !== undefined) return true;
    if (this.#connecting !== undefined) {
      this.queueEarly(bytes, from, to);
    } else if (to - from >= DIRECT_BYTES && bytes === this.loop.input.bytes) {
      // What was staged is mostly a head: one segment with the body, and one look for the other side.
      this.#isFollowed = true;
      if (this.stagedLength > 0) this.flush();
      this.#isFollowed = false;
      this.transmit(this.loop.input, from, to);
    } else {
      this.loop.stage(this, bytes, from, to);
    }
    this.#isBlocked = this.backlogLength > 0 && this.queued > MARK_BYTES;
    return !this.#isBlocked;
  }

  /** In front of everything else, as it is: a PROXY header. Before the connection stands. */
  sendAhead(bytes: Uint8Array): void {
    this.#enqueue(bytes, 0, bytes.length);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    if (this.isReadable && !this.#isGone) this.loop.makeReady(this);
  }

  end(last = false): void {
    if (this.#isGone || this.isEnding) return;
    this.isEnding = true;
    this.#isLast = last;
    if (this.stagedLength === 0 && this.#connecting === undefined) this.#endWhenOut();
  }

  destroy(reset: boolean): void {
    if (this.#isGone) return;
    if (reset) setSocketOption(this.fd, SOL_SOCKET, calls.SO_LINGER, LINGER_NOT);
    else if (this.stagedLength > 0) this.flush();
    this.#release();
  }

  /**
   * Accepted, and its peer is set: its first bytes are there or come soon, and are looked for in this
   * turn. Watched from the end of the turn on, or later (see `Arrivals`).
   */
  arrive(): void {
    this.isUnwatched = true;
    this.isReadable = true;
    this.loop.arrivals.add(this);
    this.loop.makeReady(this);
  }

  get hasSaidAll(): boolean {
    return this.#peer.hasSaidAll === true;
  }

  watch(): void {
    if (!this.isUnwatched) return;
    this.#hasArrived();
    const result = this.loop.add(this, WIRE_EVENTS);
    if (result < 0) this.fail(errnoName(result));
  }

  // ---- called by the loop ----

  event(now: number, flags: number): void {
    if (!this.#isStanding && !this.#stand(now, flags)) return;
    if ((flags & calls.EPOLLOUT) !== 0 && this.backlogLength > 0) this.#sendBacklog(now);
    if ((flags & HUNG_UP) !== 0) this.#hungUp = true;
    if (this.#inEnded && this.#outEnded && (flags & BOTH_OVER) !== 0) return this.#bothEnded(now);
    if ((flags & (calls.EPOLLIN | HUNG_UP)) === 0 || this.#isGone) return;
    this.isReadable = true;
    this.loop.makeReady(this);
  }

  fetch(now: number): boolean {
    if (this.isPaused || this.#isGone || this.#inEnded) return false;
    const { loop } = this;
    const count = this.#held === undefined ? this.receive(now) : this.#takeHeld(this.#held);
    if (count === -EAGAIN) return false;
    this.#fetched = count;
    this.#fetchedAt = loop.inputAt;
    if (count > 0) loop.inputAt += count;
    return true;
  }

  deliver(now: number): void {
    const count = this.#fetched;
    const from = this.#fetchedAt;
    if (this.#isGone) return;
    if (count < 0) return this.#lose(now, this.reasonOf(count));
    if (this.isPaused) return this.#hold(from, from + count);
    if (count > 0) {
      this.#peer.received(now, this.loop.input.bytes, from, from + count);
      if (this.#isGone) return;
      if (this.isReadable) this.loop.makeReady(this);
      else if (this.#peer.awaitsMore === true) calls.acknowledge(this.fd);
      return;
    }
    this.#inEnded = true;
    this.#peer.ended(now);
    if (this.#outEnded) this.#lose(now, "");
  }

  flush(): void {
    const from = this.stagedAt;
    const to = from + this.stagedLength;
    this.stagedLength = 0;
    if (this.#isGone || this.#failure !== undefined) return;
    this.transmit(this.loop.arena, from, to);
    if (this.isEnding) this.#endWhenOut();
  }

  tellFailure(now: number): void {
    if (this.#failure === undefined) return;
    // What the other side said before it went may still be there: an answer sent too early.
    const isCut = this.#failure !== "" && this.#connecting === undefined && !this.#inEnded;
    if (isCut) this.#readLast(now);
    this.#lose(now, this.#failure);
  }

  /**
   * The connect failed at once, or the descriptor could not be watched; "": it is over as it should be.
   * Told at the end of the turn.
   */
  fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.loop.fail(this);
  }

  // ---- what TLS does otherwise ----

  /** Puts what is there into the loop's input, at `inputAt`: bytes, 0 at the end, or `-errno`. */
  protected receive(_now: number): number {
    const { input, inputAt } = this.loop;
    return this.receiveRaw(input.address + inputAt, READ_BYTES);
  }

  /** Sends the engine's bytes. */
  protected transmit(memory: NativeMemory, from: number, to: number): void {
    this.sendRaw(memory, from, to);
  }

  /** Before the connection stands. */
  protected queueEarly(bytes: Uint8Array, from: number, to: number): void {
    this.#enqueue(bytes, from, to);
  }

  /** The connection stands; ends with `tellConnected`. */
  protected opened(now: number): void {
    this.tellConnected(now);
  }

  /** After the engine's last byte, before FIN; once. */
  protected seal(): void {}

  /** Of a failed `receive`. */
  protected reasonOf(result: number): string {
    return errnoName(result);
  }

  /** The wire is gone. */
  protected dispose(): void {}

  // ---- for it ----

  /** Bytes received, 0 at FIN, or `-errno`. */
  protected receiveRaw(address: number, room: number): number {
    const count = calls.receiveStream(this.fd, address, room, 0);
    // A short read has emptied the socket; what comes later is an event of its own.
    if (count <= 0 || (count < room && !this.#hungUp)) this.isReadable = false;
    return count;
  }

  protected sendRaw(memory: NativeMemory, from: number, to: number): void {
    // Room may have come since something was put in line.
    if (this.backlogLength > 0) {
      this.#enqueue(memory.bytes, from, to);
      return;
    }
    // The last bytes leave in one segment with the end, which follows in this turn.
    const flags = this.isEnding || this.#isFollowed ? calls.MSG_MORE : 0;
    const result = calls.sendStream(this.fd, memory.address + from, to - from, flags);
    if (result < 0 && result !== -EAGAIN) {
      this.fail(errnoName(result));
      return;
    }
    const sent = Math.max(0, result);
    if (sent < to - from) this.#enqueue(memory.bytes, from + sent, to);
  }

  protected get backlogLength(): number {
    return this.#backlog === undefined ? 0 : this.#backlog.length;
  }

  #enqueue(bytes: Uint8Array, from: number, to: number): void {
    this.#backlog ??= new Backlog(this.loop);
    this.#backlog.append(bytes, from, to);
    // Only an event tells when there is room again.
    if (this.isUnwatched) this.watch();
  }

  protected tellConnected(now: number): void {
    const peer = this.#connecting;
    this.#connecting = undefined;
    peer?.connected(now);
  }

  #hold(from: number, to: number): void {
    // An end is not kept: it is there again when it is asked for again.
    if (from < to) this.#held = this.loop.input.bytes.slice(from, to);
    this.isReadable = true;
  }

  #takeHeld(held: Uint8Array): number {
    const { input, inputAt } = this.loop;
    this.#held = undefined;
    input.bytes.set(held, inputAt);
    return held.length;
  }

  /** At the end of a turn, when nothing else lies in the loop's input. */
  #readLast(now: number): void {
    for (let i = 0; i < LAST_READS && this.fetch(now); i++) {
      this.deliver(now);
      this.loop.inputAt = 0;
    }
  }

  #sendBacklog(now: number): void {
    const result = this.#backlog!.send(this.fd);
    if (result < 0) {
      this.fail(errnoName(result));
      return;
    }
    if (this.isEnding && this.stagedLength === 0) this.#endWhenOut();
    if (!this.#isBlocked || this.backlogLength > MARK_BYTES / 2) return;
    this.#isBlocked = false;
    this.#peer.drained(now);
  }

  #endWhenOut(): void {
    if (!this.#isSealed) {
      this.#isSealed = true;
      this.seal();
    }
    if (this.backlogLength > 0 || this.#outEnded) return;
    this.#outEnded = true;
    // Also before it is closed: with something unread in the socket, that drops what has not left yet.
    calls.shutdownWriting(this.fd);
    // RST, which it sends as well then, may overtake the answer.
    if (this.#isLast && !this.isReadable) this.fail("");
  }

  /** The other side has confirmed our end - or it had gone already, and refuses what we sent. */
  #bothEnded(now: number): void {
    const error = calls.pendingError(this.fd);
    this.#lose(now, error === 0 ? "" : errnoName(-error));
  }

  /** False when there is no connection (yet). */
  #stand(now: number, flags: number): boolean {
    if ((flags & (calls.EPOLLERR | calls.EPOLLHUP)) !== 0) {
      const error = calls.pendingError(this.fd);
      if (error !== 0) {
        this.#lose(now, errnoName(-error));
        return false;
      }
    }
    if ((flags & calls.EPOLLOUT) === 0) return false;
    this.#isStanding = true;
    if (this.backlogLength > 0) this.#sendBacklog(now);
    this.opened(now);
    return !this.#isGone;
  }

  #hasArrived(): void {
    this.isUnwatched = false;
    this.loop.arrivals.forget(this);
  }

  #lose(now: number, reason: string): void {
    if (this.#isGone) return;
    this.#release();
    this.#peer.closed(now, reason);
  }

  #release(): void {
    this.#isGone = true;
    this.isEnding = true;
    if (this.isUnwatched) this.#hasArrived();
    this.stagedLength = 0;
    this.#backlog?.clear();
    this.#held = undefined;
    this.loop.release(this);
    this.dispose();
  }
}
