/** What all connections of one engine share, and the moment of the call that is being carried out. */

import type { Prng } from "../../lib/prng.ts";
import type { PoolEvent } from "../balance/pool-ports.ts";
import type { AccessRecord } from "./access-record.ts";
import { RequestHead } from "../http/request-head.ts";
import { ByteBuffers } from "./byte-buffers.ts";
import { Exchange } from "./exchange.ts";
import type { AccessLogSettings } from "./frontend-settings.ts";
import { LoneCount, type SharedCount } from "./shared-state.ts";
import { SignedIn } from "./signed-in.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { Connector } from "./wire.ts";

/** Who wants to hear of what happened. Called from inside of the engine's calls: must not call back. */
export interface EngineSinks {
  /** One finished exchange; the record is used again. Only of frontends that keep a log. */
  access(record: AccessRecord, settings: AccessLogSettings): void;
  event(pool: string, event: PoolEvent): void;
}

export interface EngineOptions {
  readonly connector: Connector;
  readonly sinks: EngineSinks;
  readonly prng: Prng;
}

/** A head of an answer (at most 64 KiB), what is added to it, and the first bytes of its body. */
const SCRATCH_BYTES = 192 * 1024;
/** Exchanges and heads that are kept for the next request. */
const KEPT = 1024;

export class EngineParts {
  readonly connector: Connector;
  readonly sinks: EngineSinks;
  readonly prng: Prng;
  readonly wheel: TimerWheel;
  readonly buffers: ByteBuffers = new ByteBuffers();
  /** For what is written and sent within one call. */
  readonly scratch: Uint8Array = new Uint8Array(SCRATCH_BYTES);
  /** Monotonic, ms: of the call that is being carried out. */
  now: number;
  /** No new requests on kept connections: each answer is the last of its connection. */
  isDraining = false;
  readonly signedIn: SignedIn = new SignedIn();
  /** `/readyz` says no. */
  isReady = true;
  /** Requests being served. */
  inFlight = 0;
  /** The same of all workers, where somebody asks for it. */
  load: SharedCount = new LoneCount();
  readonly #exchanges: Exchange[] = [];
  readonly #heads: RequestHead[] = [];
  #wallOffset = 0;

  constructor(now: number, options: EngineOptions) {
    this.now = now;
    this.connector = options.connector;
    this.sinks = options.sinks;
    this.prng = options.prng;
    this.wheel = new TimerWheel(now);
  }

  /** Wall clock, ms since 1970: for cookies, which outlive processes. */
  get wallMs(): number {
    return this.now + this.#wallOffset;
  }

  setWallClock(wallMs: number): void {
    this.#wallOffset = wallMs - this.now;
  }

  takeExchange(): Exchange {
    this.begun();
    return this.#exchanges.pop() ?? new Exchange(this.buffers);
  }

  /** One more is being served. */
  begun(): void {
    this.load.set(++this.inFlight);
  }

  ended(): void {
    this.load.set(--this.inFlight);
  }

  /** From now on load is counted there. */
  countLoad(load: SharedCount): void {
    if (load === this.load) return;
    this.load.set(0);
    this.load = load;
    load.set(this.inFlight);
  }

  /** Ready to read a head. */
  takeHead(): RequestHead {
    const head = this.#heads.pop() ?? new RequestHead();
    head.clear();
    return head;
  }

  giveHead(head: RequestHead): void {
    if (this.#heads.length < KEPT) this.#heads.push(head);
  }

  giveExchange(exchange: Exchange): void {
    this.ended();
    exchange.clear();
    this.wheel.set(exchange, Infinity);
    if (this.#exchanges.length < KEPT) this.#exchanges.push(exchange);
    else this.wheel.remove(exchange);
  }
}
