/**
 * Takes the bytes of a client in their order: heads, bodies, the bytes of a tunnel. What cannot be
 * taken yet is kept, and then the client is not read from: at most one read more than a head is
 * ever held for it.
 */

import { MORE } from "../http/field-block.ts";
import { refusal } from "../http/refusals.ts";
import type { RequestHead } from "../http/request-head.ts";
import { ByteQueue } from "./byte-buffers.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import type { Intake } from "./intake.ts";
import { COUNTERS } from "./traffic.ts";
import type { Wire } from "./wire.ts";

export type ClientPhase =
  /** Between requests, or within a head. */
  | "head"
  /** A request is being served. */
  | "busy"
  | "tunnel"
  /** The last answer is on its way out. */
  | "lingering"
  | "closed";

export class ClientReader {
  readonly #parts: EngineParts;
  readonly #intake: Intake;
  readonly #client: ClientConnection;
  readonly #wire: Wire;
  /** What came and cannot be taken yet. */
  readonly #pending: ByteQueue;
  /** Borrowed while a head is being read. */
  #head: RequestHead | undefined;
  #isTaking = false;
  #isPaused = false;

  constructor(parts: EngineParts, intake: Intake, client: ClientConnection, wire: Wire) {
    this.#parts = parts;
    this.#intake = intake;
    this.#client = client;
    this.#wire = wire;
    this.#pending = new ByteQueue(parts.buffers);
  }

  /** Of a head that is not complete, if there is one. */
  get head(): RequestHead | undefined {
    return this.#head;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  received(bytes: Uint8Array, from: number, to: number): void {
    const pending = this.#pending;
    if (pending.length > 0) {
      pending.append(bytes, from, to);
      this.#takePending();
    } else {
      const used = this.#take(bytes, from, to);
      if (used < to && this.#client.isOpen) pending.append(bytes, used, to);
    }
    this.settle();
  }

  /** Something that held bytes back is gone. */
  continue(): void {
    if (this.#isTaking || !this.#client.isOpen) return;
    this.#takePending();
    this.settle();
  }

  /** Bytes that cannot be taken: no more are wanted. None left: the end may have come before. */
  settle(): void {
    const client = this.#client;
    if (!client.isOpen) return;
    const waits = this.#pending.length > 0 && this.#head === undefined;
    if (waits !== this.#isPaused) {
      this.#isPaused = waits;
      if (waits) this.#wire.pause();
      else this.#wire.resume();
    }
    if (client.hasEnded && !waits) client.endCame();
  }

  /** Nothing that comes is wanted any more; it is read so that the client can finish. */
  drop(): void {
    this.clear();
    if (this.#isPaused) this.#wire.resume();
    this.#isPaused = false;
  }

  clear(): void {
    this.giveHead();
    this.#pending.clear();
  }

  giveHead(): void {
    if (this.#head !== undefined) this.#parts.giveHead(this.#head);
    this.#head = undefined;
  }

  /** Gives the position up to which bytes were taken. */
  #take(bytes: Uint8Array, from: number, to: number): number {
    const client = this.#client;
    this.#isTaking = true;
    let at = from;
    while (at < to && client.isOpen) {
      const before = at;
      const { exchange } = client;
      if (exchange === undefined) at = this.#readHead(bytes, at, to);
      else if (client.phase === "tunnel") at = this.#tunnel(exchange, bytes, at, to);
      else if (!exchange.requestDone) at = this.#readBody(exchange, bytes, at, to);
      if (at === before) break;
    }
    this.#isTaking = false;
    return client.isOpen ? at : to;
  }

  #takePending(): void {
    const pending = this.#pending;
    while (pending.length > 0) {
      const { from } = pending;
      const used = this.#take(pending.bytes, from, pending.to);
      if (!this.#client.isOpen) return pending.clear();
      if (used === from) return;
      pending.drop(used - from);
    }
  }

  #readHead(bytes: Uint8Array, from: number, to: number): number {
    const client = this.#client;
    // Not before it has read what it asked for.
    if (client.isBlocked) return from;
    const parts = this.#parts;
    if (this.#head === undefined) {
      this.#head = parts.takeHead();
      client.headBegins();
    }
    const head = this.#head;
    const after = head.parse(bytes, from, to, client.frontend.headLimits);
    if (after === MORE) return from;
    if (after < 0) {
      const { status, text } = refusal(head.refused!);
      client.frontend.traffic.add(COUNTERS.malformed, 1);
      client.refuseHead(status, "P", text, head);
      return to;
    }
    const exchange = client.begin();
    exchange.record.bytesIn += after - from;
    exchange.requestBody.begin(head.framing, head.length);
    exchange.requestDone = exchange.requestBody.done;
    parts.wheel.set(client, Infinity);
    this.#intake.decide(exchange, head);
    this.giveHead();
    if (client.exchange === exchange && !exchange.requestDone) client.armFor(exchange);
    return after;
  }

  #readBody(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const { requestBody } = exchange;
    const at = this.#intake.relay.take(exchange, bytes, from, to);
    exchange.record.bytesIn += at - from;
    if (requestBody.refused !== undefined) {
      const { status, text } = refusal(requestBody.refused);
      this.#client.frontend.traffic.add(COUNTERS.malformed, 1);
      this.#client.fail(exchange, { status, cause: "P", phase: "R", reason: text });
      return to;
    }
    const { bodyBytes } = this.#client.frontend.settings.limits;
    if (bodyBytes > 0 && requestBody.total > bodyBytes) {
      const { status, text } = refusal("body-too-large");
      this.#client.fail(exchange, { status, cause: "P", phase: "R", reason: text });
      return to;
    }
    this.#client.armFor(exchange);
    return at;
  }

  #tunnel(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const { server, dispatcher } = exchange;
    if (exchange.isServerBlocked) return from;
    exchange.record.bytesIn += to - from;
    if (server === undefined) return to;
    exchange.isServerBlocked = !server.send(bytes, from, to);
    dispatcher!.progressed(exchange);
    return to;
  }
}
