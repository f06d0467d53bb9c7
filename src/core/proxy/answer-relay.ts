/** Brings what a server answers to the client: heads written anew, bodies framed anew. */

import { BodyReader } from "../http/body-reader.ts";
import { MORE, type HeadLimits } from "../http/field-block.ts";
import { refusal } from "../http/refusals.ts";
import { ResponseHead } from "../http/response-head.ts";
import type { Outcome } from "../balance/pool-ports.ts";
import type { EndCause } from "./access-record.ts";
import { AnswerWriter } from "./answer-writer.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import type { Failure } from "./failures.ts";
import { COUNTERS } from "./traffic.ts";

/** Of a server's head. Servers are trusted more than clients, but not with our memory. */
const LIMITS: HeadLimits = { bytes: 64 * 1024, fields: 512 };
/** Interim answers to one request; a server that sends more is broken. */
const MAX_INTERIM = 32;
/** A body of up to that many bytes is put behind its head: more are cheaper to send by themselves. */
const JOINED_BYTES = 96;
/** One chunk of ours holds at most that many bytes. */
const CHUNK_BYTES = 64 * 1024;

export class AnswerRelay {
  readonly #parts: EngineParts;
  readonly #dispatcher: Dispatcher;
  readonly #head = new ResponseHead();
  readonly #writer: AnswerWriter;

  constructor(parts: EngineParts, dispatcher: Dispatcher) {
    this.#parts = parts;
    this.#dispatcher = dispatcher;
    this.#writer = new AnswerWriter(parts);
  }

  /** Gives the position up to which bytes were used. */
  received(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    switch (exchange.phase) {
      case "asked":
        return this.#readHead(exchange, bytes, from, to);
      case "answering":
        return this.#readBody(exchange, bytes, from, to);
      case "tunnel":
        this.#dispatcher.progressed(exchange);
        exchange.client!.send(bytes, from, to);
        return to;
      default:
        return to;
    }
  }

  /** The server ended its stream, or the connection broke, in the middle of an answer. */
  serverLost(exchange: Exchange, reason: string): void {
    if (exchange.phase === "tunnel") return this.#tunnelLost(exchange, reason);
    if (reason === "" && exchange.answerBody.end()) return this.#done(exchange);
    const { server } = exchange.record;
    const what = reason === "" || reason === "closed" ? "ended" : reason;
    exchange.blame("S", "D", `${server}: ${what} after ${exchange.answerBody.total} bytes`);
    this.#count(exchange, COUNTERS.answerErrors);
    this.#break(exchange, "reset");
  }

  /** The operator or a check took the server away. */
  cut(exchange: Exchange, cause: EndCause, reason: string): void {
    exchange.blame(cause, "D", reason);
    this.#break(exchange, "cancelled");
  }

  timeUp(exchange: Exchange): void {
    const { wheel, now } = this.#parts;
    const { idleMs, tunnelMs } = this.#timeouts;
    const { server } = exchange.record;
    if (exchange.client!.isBlocked) {
      // The server is held back by us: the client's own time-out decides.
      wheel.set(exchange, now + idleMs);
    } else if (exchange.phase === "tunnel") {
      exchange.blame("s", "D", `nothing passed the tunnel for ${tunnelMs} ms`);
      this.#break(exchange, "cancelled");
    } else {
      exchange.blame("s", "D", `${server}: silent for ${idleMs} ms within an answer`);
      this.#count(exchange, COUNTERS.timeouts);
      this.#break(exchange, "timeout");
    }
  }

  /** The client has ended its half of a tunnel. */
  clientEnded(exchange: Exchange): void {
    exchange.clientEnded = true;
    exchange.server!.wire.end();
    this.#halfClosed(exchange);
  }

  // ---- heads ----

  #readHead(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const head = this.#head;
    let at = from;
    for (;;) {
      head.clear();
      const after = head.parse(bytes, at, to, LIMITS);
      if (after === MORE) return at;
      if (after < 0) {
        this.#bad(exchange, refusal(head.refused!).text);
        return to;
      }
      if (head.status >= 200) return this.#final(exchange, bytes, after, to);
      if (head.status === 101) return this.#switch(exchange, bytes, after, to);
      if (++exchange.hints > MAX_INTERIM) {
        this.#bad(exchange, `more than ${MAX_INTERIM} interim answers`);
        return to;
      }
      this.#interim(exchange);
      at = after;
    }
  }

  /** Passed on to whoever can understand it (RFC 9110 15.2). */
  #interim(exchange: Exchange): void {
    if (exchange.isVersion10) return;
    exchange.answerShown = true;
    const end = this.#writer.interim(this.#head);
    exchange.client!.send(this.#parts.scratch, 0, end);
    // The client may have waited for it (RFC 9110 10.1.1); other hints are not what it waits for.
    if (this.#head.status === 100) {
      exchange.expectsContinue = false;
      exchange.client!.armFor(exchange);
    }
    this.#dispatcher.progressed(exchange);
  }

  #final(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const head = this.#head;
    const connection = exchange.server!;
    if (!head.frame(exchange.isHead)) {
      this.#bad(exchange, refusal(head.refused!).text);
      return to;
    }
    exchange.answeredAt = this.#parts.now;
    if (this.#retriesElsewhere(exchange)) return to;
    // Early, or not to be trusted with another request: the stream may be at any place. Servers
    // that decline an upgrade may have stopped reading HTTP nevertheless.
    if (!exchange.requestDone) exchange.closesClient = true;
    const isDoubtful = exchange.isAmbiguous || exchange.wantsUpgrade;
    if (!exchange.requestDone || !head.keepAlive || isDoubtful) connection.spoil();
    if (connection.serverKeepsMs === Infinity) {
      connection.serverKeepsMs = head.keepAliveMs() ?? Infinity;
    }
    const end = this.#writer.final(exchange, head);
    if (end < 0) {
      this.#bad(exchange, "its head does not fit with what is added to it");
      return to;
    }
    exchange.phase = "answering";
    exchange.answerShown = true;
    exchange.record.status = head.status;
    exchange.outbound.release();
    exchange.answerBody.begin(head.framing, head.length);
    this.#countStatus(exchange);
    this.#dispatcher.progressed(exchange);
    return this.#sendWithBody(exchange, { end, bytes, from, to });
  }

  /** Head and the beginning of the body in one piece, if that is small. */
  #sendWithBody(
    exchange: Exchange,
    { end, bytes, from, to }: { end: number; bytes: Uint8Array; from: number; to: number },
  ): number {
    const { scratch } = this.#parts;
    const client = exchange.client!;
    const body = exchange.answerBody;
    if (!body.done && from < to && !exchange.answerChunked && to - from <= JOINED_BYTES) {
      const at = body.consume(bytes, from, to);
      let out = end;
      for (let i = body.from; i < body.to; i++) scratch[out++] = bytes[i] as number;
      client.send(scratch, 0, out);
      if (!body.done) return this.#readBody(exchange, bytes, at, to);
      return this.#afterBody(exchange, at, to);
    }
    client.send(scratch, 0, end);
    if (body.done) return this.#afterBody(exchange, from, to);
    return this.#readBody(exchange, bytes, from, to);
  }

  #retriesElsewhere(exchange: Exchange): boolean {
    const { settings } = this.#dispatcher;
    if (!settings.retry.onStatus.includes(this.#head.status)) return false;
    const other = this.#dispatcher.anotherFor(exchange);
    if (other === undefined) return false;
    this.#countStatus(exchange);
    this.#dispatcher.detach(exchange, "error-status");
    this.#dispatcher.retryAt(exchange, other);
    this.#dispatcher.changed();
    return true;
  }

  // ---- bodies ----

  #readBody(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const { answerBody: body, answerChunked } = exchange;
    let at = from;
    while (at < to && !body.done) {
      const piece = answerChunked ? Math.min(to, at + CHUNK_BYTES) : to;
      at = body.consume(bytes, at, piece);
      if (body.refused !== undefined) {
        this.#badBody(exchange);
        return to;
      }
      if (body.to > body.from) this.#sendBody(exchange, bytes, body);
    }
    this.#dispatcher.progressed(exchange);
    return this.#afterBody(exchange, at, to);
  }

  #sendBody(exchange: Exchange, bytes: Uint8Array, { from, to }: BodyReader): void {
    const client = exchange.client!;
    if (!exchange.answerChunked) client.send(bytes, from, to);
    else client.send(this.#parts.scratch, 0, this.#writer.chunk(bytes, from, to));
  }

  #afterBody(exchange: Exchange, at: number, to: number): number {
    if (!exchange.answerBody.done) return at;
    // Bytes behind the answer belong to nobody.
    if (at < to) exchange.server!.spoil();
    this.#done(exchange);
    return to;
  }

  #done(exchange: Exchange): void {
    const { status } = exchange.record;
    const client = exchange.client!;
    if (exchange.answerChunked) {
      client.send(this.#parts.scratch, 0, this.#writer.lastChunk(exchange.answerBody.trailers));
    }
    this.#dispatcher.complete(exchange, status >= 500 ? "error-status" : "ok");
    client.answerDone();
    this.#dispatcher.changed();
  }

  // ---- upgrades ----

  #switch(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const head = this.#head;
    if (!exchange.wantsUpgrade || !head.upgrade || !exchange.requestDone) {
      this.#bad(exchange, "an upgrade that was not asked for");
      return to;
    }
    const client = exchange.client!;
    const { now, wheel } = this.#parts;
    exchange.phase = "tunnel";
    exchange.answeredAt = now;
    exchange.answerShown = true;
    exchange.closesClient = true;
    exchange.record.status = 101;
    exchange.server!.spoil();
    exchange.outbound.clear();
    this.#countStatus(exchange);
    this.#count(exchange, COUNTERS.tunnels);
    wheel.set(exchange, now + this.#timeouts.tunnelMs);
    client.send(this.#parts.scratch, 0, this.#writer.switching(head));
    if (from < to) client.send(bytes, from, to);
    client.beginTunnel();
    return to;
  }

  #tunnelLost(exchange: Exchange, reason: string): void {
    if (reason !== "") {
      // It had said all: that it hears nothing more is its right.
      if (exchange.serverEnded) return this.#tunnelOver(exchange);
      if (reason !== "closed") exchange.blame("S", "D", `${exchange.record.server}: ${reason}`);
      return this.#break(exchange, "cancelled");
    }
    exchange.serverEnded = true;
    exchange.client!.endTunnel();
    this.#halfClosed(exchange);
  }

  /**
   * Both halves ended: over, once the server has all; then its wire closes. One: the other gets the time of
   * an idle answer, not of a tunnel.
   */
  #halfClosed(exchange: Exchange): void {
    const isOver = exchange.serverEnded && exchange.clientEnded;
    if (isOver && exchange.server!.wire.queued === 0) this.#tunnelOver(exchange);
    else this.#dispatcher.progressed(exchange);
  }

  #tunnelOver(exchange: Exchange): void {
    const client = exchange.client!;
    this.#dispatcher.complete(exchange, "ok");
    client.answerDone();
    this.#dispatcher.changed();
  }

  // ---- what goes wrong ----

  /** Not HTTP, or HTTP that can be read in two ways. */
  #bad(exchange: Exchange, why: string): void {
    const reason = `${exchange.record.server}: bad answer: ${why}`;
    const failure: Failure = { status: 502, cause: "P", phase: "H", reason };
    if (!exchange.answerShown) return this.#dispatcher.attemptFailed(exchange, "reset", failure);
    exchange.blame("P", "H", reason);
    this.#count(exchange, COUNTERS.answerErrors);
    this.#break(exchange, "reset");
  }

  #badBody(exchange: Exchange): void {
    const why = refusal(exchange.answerBody.refused!).text;
    exchange.blame("P", "D", `${exchange.record.server}: bad answer: ${why}`);
    this.#count(exchange, COUNTERS.answerErrors);
    this.#break(exchange, "reset");
  }

  /** The client must see that its answer is not whole. */
  #break(exchange: Exchange, outcome: Outcome): void {
    const client = exchange.client!;
    this.#dispatcher.detach(exchange, outcome);
    client.cut();
    this.#dispatcher.changed();
  }

  #countStatus(exchange: Exchange): void {
    const { status } = this.#head;
    exchange.server!.group.traffic.answered(status);
    this.#dispatcher.traffic.answered(status);
  }

  #count(exchange: Exchange, counter: Parameters<Dispatcher["traffic"]["add"]>[0]): void {
    exchange.server!.group.traffic.add(counter, 1);
    this.#dispatcher.traffic.add(counter, 1);
  }

  get #timeouts(): Dispatcher["settings"]["timeouts"] {
    return this.#dispatcher.settings.timeouts;
  }
}
