/**
 * A connection in memory: two ends, each a `Wire` to whoever sits there. Bytes arrive later, in
 * pieces that the cutter chooses, in a buffer that is spoiled afterwards: who keeps a view of bytes
 * that are not his reads rubbish.
 */

import type { Peer, Wire } from "../../core/proxy/wire.ts";
import type { EventQueue } from "../event-queue.ts";
import { ProxyViolation } from "./violation.ts";

export interface LinkNature {
  /** Milliseconds until the next piece arrives. */
  readonly delayMs: () => number;
  /** How many of `waiting` (at least 1) bytes arrive at once: 1 to `waiting`. */
  readonly cut: (waiting: number) => number;
  /** Bytes that the kernels take before any is queued in the sender's process. */
  readonly kernelBytes: number;
  /** `send` says false when more than this is queued. */
  readonly markBytes: number;
}

/** The largest piece that arrives at once, as with real transports. */
const MAX_PIECE = 64 * 1024;
const SPOILED = 0xee;

/** Two ends that are connected to each other. */
export function linkedEnds(queue: EventQueue, nature: LinkNature): [LinkEnd, LinkEnd] {
  const one = new LinkEnd(queue, nature);
  const other = new LinkEnd(queue, nature);
  one.join(other);
  other.join(one);
  return [one, other];
}

export class LinkEnd implements Wire {
  readonly #queue: EventQueue;
  readonly #nature: LinkNature;
  #other: LinkEnd = this;
  #peer: Peer | undefined;
  /** What came from the other end and was not read yet. */
  #incoming: Uint8Array = new Uint8Array(1024);
  #from = 0;
  #to = 0;
  #finComing = false;
  #finRead = false;
  #finSent = false;
  /** Nothing is awaited from the other end: this one is closed when all is out. */
  #isLast = false;
  #paused = false;
  /** No call to or from this end any more. */
  #gone = false;
  #vanished = false;
  /** The reason with which the other end will find the connection broken. */
  #broken = "";
  #wantsDrained = false;
  #scheduled = false;
  /** Most bytes ever queued for the other end. */
  maxQueued = 0;

  constructor(queue: EventQueue, nature: LinkNature) {
    this.#queue = queue;
    this.#nature = nature;
  }

  join(other: LinkEnd): void {
    this.#other = other;
  }

  /** From here on arrivals are reported. */
  attach(peer: Peer): void {
    this.#peer = peer;
    this.#schedule();
  }

  /** Nobody is at the other end any more. */
  get isDeserted(): boolean {
    return this.#other.#gone;
  }

  get gone(): boolean {
    return this.#gone;
  }

  get queued(): number {
    return Math.max(0, this.#other.#to - this.#other.#from - this.#nature.kernelBytes);
  }

  /** Bytes that came and were not taken yet. */
  get waiting(): number {
    return this.#to - this.#from;
  }

  send(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#gone || this.#finSent)
      throw new ProxyViolation("crash", "sends on a wire that it ended or destroyed");
    if (from < 0 || to > bytes.length || from > to)
      throw new ProxyViolation("crash", "sends bytes that are not there");
    if (this.#other.#vanished) return true;
    if (this.#other.#gone) {
      // Nobody is there any more: the kernel of the other side answers with a reset.
      if (to > from) this.#breakLater("ECONNRESET");
      return true;
    }
    this.#other.#take(bytes, from, to);
    this.maxQueued = Math.max(this.maxQueued, this.queued);
    const more = this.queued <= this.#nature.markBytes;
    if (!more) this.#wantsDrained = true;
    return more;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#schedule();
  }

  end(last = false): void {
    if (this.#gone || this.#finSent) return;
    this.#finSent = true;
    this.#isLast = last;
    this.#other.#finComing = true;
    this.#other.#schedule();
    this.#schedule();
  }

  destroy(reset: boolean): void {
    // What is queued in this process is lost.
    const other = this.#other;
    if (!this.#gone) other.#to = Math.min(other.#to, other.#from + this.#nature.kernelBytes);
    this.close(reset);
  }

  /** As a server's `close` once all is in the kernel: what was sent arrives, what comes is refused. */
  close(reset = false): void {
    if (this.#gone) return;
    this.#gone = true;
    const other = this.#other;
    if (other.#gone) return;
    // A kernel that holds unread bytes answers with a reset.
    if (reset || this.#to > this.#from) other.#breakLater("ECONNRESET");
    else other.#finComing = true;
    other.#schedule();
  }

  /** The machine of this end dies without a word, or its network does: nothing passes any more. */
  vanish(): void {
    this.#gone = true;
    this.#vanished = true;
    this.#other.#from = this.#other.#to;
  }

  #take(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#to - this.#from;
    if (this.#to + to - from > this.#incoming.length) {
      const larger = new Uint8Array(Math.max(2 * length, length + to - from, 1024));
      larger.set(this.#incoming.subarray(this.#from, this.#to));
      this.#incoming = larger;
      this.#from = 0;
      this.#to = length;
    }
    this.#incoming.set(bytes.subarray(from, to), this.#to);
    this.#to += to - from;
    this.#schedule();
  }

  #breakLater(reason: string): void {
    if (this.#broken !== "") return;
    this.#broken = reason;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#gone || this.#peer === undefined) return;
    this.#scheduled = true;
    this.#queue.after(this.#nature.delayMs(), () => this.#arrive());
  }

  /** One thing happens at a time: a break, a piece, the end, the close. */
  #arrive(): void {
    this.#scheduled = false;
    const peer = this.#peer;
    if (this.#gone || peer === undefined) return;
    const { now } = this.#queue;
    if (this.#broken !== "") {
      this.#gone = true;
      peer.closed(now, this.#broken);
      return;
    }
    if (this.#to > this.#from && !this.#paused) this.#deliver(peer, now);
    else if (this.#to === this.#from && this.#finComing && !this.#finRead) {
      this.#finRead = true;
      peer.ended(now);
    }
    if (this.#gone) return;
    if (this.#wantsDrained && this.queued <= this.#nature.markBytes / 2) {
      this.#wantsDrained = false;
      peer.drained(now);
    }
    if (this.#gone) return;
    const read = (this.#finRead || this.#isLast) && this.#to === this.#from;
    const sent = this.#finSent && (this.#other.waiting === 0 || this.#other.#gone);
    if (read && sent) {
      this.#gone = true;
      peer.closed(now, "");
      this.#other.#schedule();
    } else if ((this.#to > this.#from && !this.#paused) || (this.#finComing && !this.#finRead)) {
      if (this.#to === this.#from || !this.#paused) this.#schedule();
    }
  }

  #deliver(peer: Peer, now: number): void {
    const waiting = this.#to - this.#from;
    const size = Math.min(Math.max(1, this.#nature.cut(waiting)), waiting, MAX_PIECE);
    // Not at the start of the buffer: who ignores `from` is found out.
    const bytes = new Uint8Array(size + 8).fill(SPOILED);
    bytes.set(this.#incoming.subarray(this.#from, this.#from + size), 5);
    this.#from += size;
    peer.received(now, bytes, 5, 5 + size);
    bytes.fill(SPOILED);
    if (this.#other.#wantsDrained || this.#other.#finSent) this.#other.#schedule();
  }
}
