/**
 * One end of a carried connection: says who it is and then its bytes, checks what comes against who
 * said it, and ends in its own manner.
 */

import type { Peer } from "../../core/proxy/wire.ts";
import type { EventQueue } from "../event-queue.ts";
import type { LinkEnd } from "./byte-link.ts";
import { checkPattern } from "./ledger.ts";
import { fillPattern, patternKey } from "./scenario.ts";
import { Sending } from "./sending.ts";
import type { SidePlan } from "./tcp-scenario.ts";
import { ProxyViolation } from "./violation.ts";

const NAME_BYTES = 4;
const NOTHING: Uint8Array = new Uint8Array(0);

export interface SideWorld {
  readonly queue: EventQueue;
  /** Who is at the other end, by the number that came. */
  readonly partner: (number: number) => TcpSide | undefined;
  readonly isClient: boolean;
  readonly number: number;
}

export class TcpSide implements Peer {
  readonly plan: SidePlan;
  readonly #world: SideWorld;
  readonly #wire: LinkEnd;
  readonly #sending: Sending;
  /** A PROXY header that must come first, byte by byte. */
  readonly #head: Uint8Array;
  #headRead = 0;
  #name = 0;
  /** Bytes of the other side, its name included. */
  read = 0;
  /** Whose bytes these are. */
  other: TcpSide | undefined;
  /** So many bytes were sent before a regular end; -1 = there was none. */
  endedAfter = -1;
  /** The other side's regular end was seen. */
  hasEnd = false;
  isOver = false;

  constructor(plan: SidePlan, wire: LinkEnd, world: SideWorld, head: Uint8Array = NOTHING) {
    this.plan = plan;
    this.#world = world;
    this.#wire = wire;
    this.#head = head;
    this.#sending = new Sending(wire);
    wire.attach(this);
    world.queue.after(plan.pauseMs, () => this.#begin());
    if (plan.breaksAfter === 0) this.#breakOff();
  }

  get name(): string {
    return `${this.#world.isClient ? "client" : "connection"} ${this.#world.number}`;
  }

  /** The proxy has it, and counts it as begun. */
  get isBusy(): boolean {
    return !this.isOver && this.endedAfter < 0 && !this.#wire.isDeserted;
  }

  received(_now: number, bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    for (; at < to && this.#headRead < this.#head.length; at++) {
      if (bytes[at] === this.#head[this.#headRead++]) continue;
      throw new ProxyViolation("malformed", "the PROXY header is not what it should be");
    }
    for (; at < to && this.read < NAME_BYTES; at++) {
      this.#name = this.#name * 256 + bytes[at]!;
      if (++this.read === NAME_BYTES) this.#meet();
    }
    const key = this.#key(!this.#world.isClient, this.#name);
    checkPattern(key, this.read - NAME_BYTES, bytes.subarray(at, to), (offset) => {
      const what = `byte ${offset} from number ${this.#name} is another's`;
      return new ProxyViolation(this.#oracle, `${this.name}: ${what}`);
    });
    this.read += to - at;
    if (this.#isBroken()) return;
    const { readPauseMs } = this.plan;
    if (readPauseMs === 0) return;
    this.#wire.pause();
    this.#world.queue.after(readPauseMs, () => this.#wire.resume());
  }

  drained(): void {
    this.#sending.drained();
    this.#isBroken();
  }

  /** A regular end: then it is the other side's, and all of its bytes came before. */
  ended(): void {
    this.hasEnd = true;
    const { other } = this;
    if (other !== undefined && other.endedAfter !== this.read) {
      const said = other.endedAfter < 0 ? "has not ended" : `ended after ${other.endedAfter}`;
      const what = `${this.name} saw an end after ${this.read} bytes; ${other.name} ${said}`;
      throw new ProxyViolation("false-end", what);
    }
    if (this.plan.ending === "last" && !this.#sending.busy) this.#end();
  }

  closed(): void {
    this.#forget();
  }

  die(): void {
    if (!this.isOver) this.#wire.destroy(true);
    this.#forget();
  }

  // ---- what it says ----

  #begin(): void {
    if (this.isOver) return;
    const { isClient, number } = this.#world;
    const { length, breaksAfter } = this.plan;
    const all = new Uint8Array(NAME_BYTES + length);
    new DataView(all.buffer).setUint32(0, number);
    all.set(fillPattern(this.#key(isClient, number), length), NAME_BYTES);
    // Nothing is said beyond the byte at which it breaks.
    const most = breaksAfter < 0 ? all.length : Math.max(0, breaksAfter - this.read);
    const isWhole = most >= all.length;
    this.#sending.push(all.subarray(0, most), () => {
      if (!this.#isBroken() && isWhole) this.#said();
    });
  }

  #said(): void {
    const { ending } = this.plan;
    if (ending === "fin" || (ending === "last" && this.hasEnd)) this.#end();
    if (ending !== "close" || this.isOver) return;
    this.endedAfter = this.#sending.sent;
    this.#wire.close();
    this.#forget();
  }

  #end(): void {
    if (this.isOver || this.endedAfter >= 0) return;
    this.endedAfter = this.#sending.sent;
    this.#wire.end();
  }

  // ---- how it breaks ----

  #isBroken(): boolean {
    const { breaksAfter } = this.plan;
    if (this.isOver) return true;
    if (breaksAfter < 0 || this.#sending.sent + this.read < breaksAfter) return false;
    // An end that was said cannot be taken back.
    if (this.endedAfter >= 0) return false;
    this.#breakOff();
    return true;
  }

  #breakOff(): void {
    switch (this.plan.breaksBy) {
      case "reset":
        this.#wire.destroy(true);
        break;
      case "close":
        this.endedAfter = this.#sending.sent;
        this.#wire.close();
        break;
      case "silence":
        this.#wire.vanish();
    }
    this.#forget();
  }

  #forget(): void {
    this.isOver = true;
    this.#sending.stop();
  }

  // ---- who is there ----

  /** Each has one partner, whoever hears first. */
  #meet(): void {
    const partner = this.#world.partner(this.#name);
    const isMine = partner !== undefined && (partner.other ?? this) === this;
    if (!isMine || (this.other ?? partner) !== partner) {
      const what = `${this.name} hears number ${this.#name}, who talks to somebody else`;
      throw new ProxyViolation(this.#oracle, what);
    }
    this.other = partner;
    partner.other = this;
  }

  get #oracle(): "answer-bytes" | "request-bytes" {
    return this.#world.isClient ? "answer-bytes" : "request-bytes";
  }

  #key(ofClient: boolean, number: number): number {
    return patternKey(String(number), !ofClient);
  }
}
