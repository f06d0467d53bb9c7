/**
 * All byte streams of a process on one epoll descriptor: one entry into JavaScript per turn however many
 * connections have something to say, and no object, closure or stream per event. `node:net` spends about
 * as much on each of them as the proxy does. Node's loop watches that descriptor; where streams are what the
 * process is for, it is the other way round (`leadNode`).
 *
 * A turn: what is readable is read, one connection behind the other, and then given to their peers; what
 * peers send is gathered and goes out at the end, one `send` per connection; closed descriptors are
 * closed last, so that no event of the same turn can mean their successor.
 *
 * Reading, the engine and sending are three different programs to the processor: each is done for
 * many connections at a time, so that its code is fetched into the caches once and not for each of them.
 */

import { Batch } from "./batch.ts";
import { monotonicMs } from "./clock.ts";
import { closeFd, EINTR, errnoName, NativeMemory, osFailure } from "./ffi.ts";
import { leadNode, type NodeLoop } from "./node-loop.ts";
import { watchReadable, type Watch } from "./poll.ts";
import { Arrivals } from "./stream-arrivals.ts";
import * as calls from "./stream-calls.ts";

/** Events taken from the kernel at a time. */
const EVENTS = 256;
/**
 * More rounds than that wait for the next turn, so that timers get their time. No fewer: within a turn the end of
 * a server's connection is known before a request of a client could be given to it.
 */
const ROUNDS = 4;
/** Enough for every connection to have said something. */
const MOST_ROUNDS = 256;
/** One read at most: 64 KiB, which many servers write at a time, and the head or frame before it. */
export const READ_BYTES: number = 72 * 1024;
/** Peers get what was read as soon as it is more than that: it is to be still in the caches. */
const GATHERED_BYTES = 64 * 1024;
/** Reads of one connection in one turn; then timers and new events get theirs. */
const READS_PER_TURN = 4;
/** What all connections may send in one turn before it goes out early. */
const ARENA_BYTES = 512 * 1024;
/** A connection's queue is made of such pieces; free ones are kept up to a bound. */
const CHUNK_BYTES = 32 * 1024;
const KEPT_CHUNKS = 128;
/** Takes any bytes, and unlike `set` needs no view of what is copied: no garbage, and half the time. */
const { copy } = Buffer.prototype;

/** Something with a descriptor in the epoll set. */
export abstract class Watched {
  readonly fd: number;
  /** Tells an event of an earlier owner of the same descriptor number. */
  generation = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  abstract event(now: number, flags: number): void;
}

/** What the loop does for a connection at the end of a turn. */
export abstract class Sender extends Watched {
  /** The bytes gathered in the arena in this turn. */
  stagedAt = 0;
  stagedLength = 0;
  isReady = false;
  /**
   * Leads to a server: its bytes are given to the peer before those of clients, so that a connection
   * that is free again, or was closed, is known before the next request looks for one.
   */
  readonly isToServer: boolean;

  constructor(fd: number, isToServer: boolean) {
    super(fd);
    this.isToServer = isToServer;
  }

  /** Sends what is staged. Reports nothing: trouble is noted and told by `tellFailure`. */
  abstract flush(): void;
  abstract tellFailure(now: number): void;
  /** Reads once, to the loop's `inputAt`, which it moves on. False: there is nothing to tell. */
  abstract fetch(now: number): boolean;
  /** Tells its peer what `fetch` has read. */
  abstract deliver(now: number): void;
}

export interface LoopHooks {
  /** Before anything of a turn is done. */
  beforeTurn?(now: number): void;
  /** At the end of every turn: the moment to set timers anew. */
  afterTurn(now: number): void;
}

export class StreamLoop {
  /** What was read lies here; valid only during `received`. */
  readonly input: NativeMemory = new NativeMemory(GATHERED_BYTES + READ_BYTES);
  /** Where the next read goes: there is room for one. */
  inputAt = 0;
  readonly arrivals: Arrivals = new Arrivals();
  readonly arena: NativeMemory = new NativeMemory(ARENA_BYTES);
  readonly #epoll: number;
  /** Undefined: this loop waits itself. */
  readonly #watch: Watch | undefined;
  readonly #node: NodeLoop | undefined;
  readonly #events = new NativeMemory(EVENTS * calls.EPOLL_EVENT_SIZE);
  readonly #watched: (Watched | undefined)[] = [];
  readonly #hooks: LoopHooks;
  readonly #chunks: NativeMemory[] = [];
  #generation = 0;
  #staged = new Batch<Sender>();
  #flushing = new Batch<Sender>();
  #failed: Sender[] = [];
  #ready = new Batch<Sender>();
  #reading = new Batch<Sender>();
  readonly #fetched = new Batch<Sender>();
  readonly #closing: number[] = [];
  #arenaAt = 0;
  #inTurn = false;
  #isClosed = false;
  /** When the turn began: what happens in it happens at that moment. */
  #now = 0;
  #turnAsked = false;
  #nodeTouched = false;
  /** libuv has something to do. */
  #nodeIsDue = false;

  /**
   * `leads`: waits for all of the process, which saves a wake-up half of what it costs; one loop may, and it does not
   * keep the process alive. Throws when the kernel refuses, or when another loop leads.
   */
  constructor(hooks: LoopHooks, leads = false) {
    this.#hooks = hooks;
    this.#epoll = calls.epollCreate();
    if (this.#epoll < 0) throw new Error(`no epoll descriptor: ${errnoName(this.#epoll)}`);
    try {
      this.#node = leads ? leadNode(() => this.#lead()) : undefined;
      if (this.#node === undefined) {
        this.#watch = watchReadable(this.#epoll, () => this.#follow());
      } else {
        succeed("watch Node's loop", calls.epollAdd(this.#epoll, this.#node.fd, calls.EPOLLIN, 0));
      }
    } catch (error) {
      this.#node?.close();
      closeFd(this.#epoll);
      throw error;
    }
  }

  /** 0 or `-errno`. `events` as for epoll_ctl. */
  add(watched: Watched, events: number): number {
    this.#generation = (this.#generation + 1) >>> 0;
    const result = calls.epollAdd(this.#epoll, watched.fd, events, this.#generation);
    if (result < 0) return result;
    watched.generation = this.#generation;
    this.#watched[watched.fd] = watched;
    return 0;
  }

  /** The descriptor is no longer watched; it goes on living with somebody else. */
  remove(watched: Watched): void {
    if (this.#watched[watched.fd] !== watched) return;
    this.#watched[watched.fd] = undefined;
    calls.epollRemove(this.#epoll, watched.fd);
  }

  /** Not watched any more; closed at the end of the turn. */
  release(watched: Watched): void {
    if (this.#watched[watched.fd] === watched) this.#watched[watched.fd] = undefined;
    if (watched.fd >= 0) this.#closing.push(watched.fd);
    this.#askTurn();
  }

  /** Does `body` as a turn of its own: for timers and messages that make the engine send. */
  run(body: (now: number) => void): void {
    if (this.#inTurn) {
      body(this.#now);
      return;
    }
    this.#inTurn = true;
    const now = monotonicMs();
    this.#now = now;
    this.#hooks.beforeTurn?.(now);
    body(now);
    this.#finish(now);
  }

  /**
   * As `run`, after all that has come was read: for who judges by silence. A process that stood still
   * for a moment finds its timers due first, and what was sent to it meanwhile unread.
   */
  runAfterInput(body: (now: number) => void): void {
    if (!this.#inTurn) this.#turn(monotonicMs(), this.#poll(0), MOST_ROUNDS);
    this.run(body);
  }

  /** `sender` has something to tell its peer (a failure, the end), but not from inside its call. */
  fail(sender: Sender): void {
    this.#failed.push(sender);
    this.#askTurn();
  }

  makeReady(sender: Sender): void {
    if (sender.isReady) return;
    sender.isReady = true;
    this.#ready.push(sender);
    this.#askTurn();
  }

  /** Copies bytes that go out at the end of the turn. */
  stage(sender: Sender, bytes: Uint8Array, from: number, to: number): void {
    while (from < to) {
      if (this.#arenaAt === ARENA_BYTES) this.#flushAll();
      const isOpen = sender.stagedLength > 0;
      if (isOpen && sender.stagedAt + sender.stagedLength !== this.#arenaAt) sender.flush();
      if (sender.stagedLength === 0) {
        sender.stagedAt = this.#arenaAt;
        this.#staged.push(sender);
      }
      const count = Math.min(to - from, ARENA_BYTES - this.#arenaAt);
      copy.call(bytes, this.arena.bytes, this.#arenaAt, from, from + count);
      this.#arenaAt += count;
      sender.stagedLength += count;
      from += count;
    }
    this.#askTurn();
  }

  takeChunk(): NativeMemory {
    return this.#chunks.pop() ?? new NativeMemory(CHUNK_BYTES);
  }

  giveChunk(chunk: NativeMemory): void {
    if (this.#chunks.length < KEPT_CHUNKS) this.#chunks.push(chunk);
  }

  /** A Node stream was written to: its callbacks need an entry into JavaScript that runs ticks. */
  touchNode(): void {
    this.#nodeTouched = true;
  }

  /** Watched descriptors, for tests and gauges. */
  get size(): number {
    return this.#watched.reduce((count, one) => count + (one === undefined ? 0 : 1), 0);
  }

  /** The caller has destroyed all wires. */
  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
    this.#node?.close();
    this.arrivals.close();
    for (const fd of this.#closing.splice(0)) closeFd(fd);
    closeFd(this.#epoll);
  }

  #askTurn(): void {
    if (this.#inTurn || this.#turnAsked) return;
    this.#turnAsked = true;
    setImmediate(() => {
      this.#turnAsked = false;
      this.run((now) => this.#readReady(now));
    });
  }

  /** Node waits, and has seen that there is something. */
  #follow(): void {
    if (this.#inTurn) return;
    // By somebody's `run`: his business, not a reason to leave early.
    if (this.#nodeTouched) this.#letNodeGoOn();
    this.#turn(monotonicMs(), this.#poll(0), ROUNDS);
    if (this.#nodeTouched) this.#letNodeGoOn();
  }

  /** Waits, until Node has something to do. */
  #lead(): void {
    if (this.#nodeTouched) this.#letNodeGoOn();
    this.#nodeIsDue = false;
    for (;;) {
      const patience = this.#node!.patience();
      const count = this.#poll(patience);
      // It is time for a timer, or a signal has interrupted.
      if (count === 0 || count === -EINTR) return;
      succeed("wait", count);
      this.#turn(monotonicMs(), count, ROUNDS);
      if (this.#nodeTouched) return this.#letNodeGoOn();
      if (this.#nodeIsDue || patience === 0 || this.#isClosed) return;
    }
  }

  /** Entered from C: what Node's streams have put off would wait for somebody else's event. */
  #letNodeGoOn(): void {
    this.#nodeTouched = false;
    setImmediate(doNothing);
  }

  /** `count`: of events that were taken. */
  #turn(now: number, count: number, rounds: number): void {
    this.#inTurn = true;
    this.#now = now;
    this.#hooks.beforeTurn?.(now);
    if (count > 0) this.#dispatch(now, count);
    for (let round = 1; round < rounds && count === EVENTS; round++) {
      count = this.#poll(0);
      if (count > 0) this.#dispatch(now, count);
    }
    this.#readReady(now);
    this.#finish(now);
  }

  #poll(patienceMs: number): number {
    return calls.epollWait(this.#epoll, this.#events.address, EVENTS, patienceMs);
  }

  #dispatch(now: number, count: number): void {
    const { view } = this.#events;
    for (let i = 0, at = 0; i < count; i++, at += calls.EPOLL_EVENT_SIZE) {
      const fd = view.getUint32(at + calls.EPOLL_EVENT_DATA, true);
      const watched = this.#watched[fd];
      if (watched === undefined) {
        if (fd === this.#node?.fd) this.#nodeIsDue = true;
        continue;
      }
      if (watched.generation !== view.getUint32(at + calls.EPOLL_EVENT_DATA + 4, true)) continue;
      watched.event(now, view.getUint32(at, true));
    }
  }

  #readReady(now: number): void {
    for (let i = 0; i < READS_PER_TURN && this.#ready.length > 0; i++) {
      const reading = this.#ready;
      this.#ready = this.#reading;
      this.#reading = reading;
      for (let j = 0; j < reading.length; j++) {
        const sender = reading.at(j);
        sender.isReady = false;
        if (!sender.fetch(now)) continue;
        this.#fetched.push(sender);
        if (this.inputAt > GATHERED_BYTES) this.#deliver(now);
      }
      reading.clear();
      this.#deliver(now);
    }
  }

  #deliver(now: number): void {
    const fetched = this.#fetched;
    for (let i = 0; i < fetched.length; i++) {
      if (fetched.at(i).isToServer) fetched.at(i).deliver(now);
    }
    for (let i = 0; i < fetched.length; i++) {
      if (!fetched.at(i).isToServer) fetched.at(i).deliver(now);
    }
    fetched.clear();
    this.inputAt = 0;
  }

  #finish(now: number): void {
    do {
      if (this.#staged.length > 0) this.#flushAll();
      if (this.#failed.length > 0) this.#tellFailures(now);
      this.arrivals.settle(now);
    } while (this.#staged.length > 0 || this.#failed.length > 0);
    if (this.#closing.length > 0) for (const fd of this.#closing.splice(0)) closeFd(fd);
    this.#hooks.afterTurn(now);
    this.#inTurn = false;
    if (this.#ready.length > 0) this.#askTurn();
  }

  #flushAll(): void {
    const flushing = this.#staged;
    this.#staged = this.#flushing;
    this.#flushing = flushing;
    for (let i = 0; i < flushing.length; i++) {
      if (flushing.at(i).stagedLength > 0) flushing.at(i).flush();
    }
    flushing.clear();
    this.#arenaAt = 0;
  }

  #tellFailures(now: number): void {
    const failed = this.#failed;
    this.#failed = [];
    for (const sender of failed) sender.tellFailure(now);
  }
}

function doNothing(): void {}

function succeed(doing: string, result: number): void {
  if (result < 0) throw new Error(osFailure(doing, result).message);
}
