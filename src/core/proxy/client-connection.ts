// oxlint-disable max-lines -- one state machine; to be taken apart
/**
 * One connection of a client: its requests one after the other, each an `Exchange`. Bytes that
 * cannot be taken yet are kept, and then the client is not read from: at most one read more than a
 * head is ever held for it.
 */

import { latin1Text } from "../../lib/text-bytes.ts";
import type { PoolSettings } from "../balance/pool-settings.ts";
import { MORE } from "../http/field-block.ts";
import { refusal } from "../http/refusals.ts";
import type { RequestHead } from "../http/request-head.ts";
import { ACCESS_TEXTS, type EndCause, type EndPhase } from "./access-record.ts";
import { connectionWord } from "./answer-writer.ts";
import { ByteQueue } from "./byte-buffers.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import type { Frontend } from "./frontend.ts";
import type { Intake } from "./intake.ts";
import { errorPage, type OwnAnswer, textAnswer, writeOwnHead } from "./own-answer.ts";
import { Timed } from "./timer-wheel.ts";
import { COUNTERS } from "./traffic.ts";
import type { ClientOrigin, Peer, Wire } from "./wire.ts";

/** After our last word the client may finish its own; what it says is not looked at any more. */
const LINGER_MS = 2000;

export type ClientPhase =
  /** Between requests, or within a head. */
  | "head"
  /** A request is being served. */
  | "busy"
  | "tunnel"
  /** The last answer is on its way out. */
  | "lingering"
  | "closed";

export class ClientConnection extends Timed implements Peer {
  readonly origin: ClientOrigin;
  readonly frontend: Frontend;
  readonly #parts: EngineParts;
  readonly #intake: Intake;
  readonly #wire: Wire;
  /** What came and cannot be taken yet. */
  readonly #pending: ByteQueue;
  /** Borrowed while a head is being read. */
  #head: RequestHead | undefined;
  #phase: ClientPhase = "head";
  #exchange: Exchange | undefined;
  #requests = 0;
  #startedAt: number;
  #isTaking = false;
  #isPaused = false;
  #lingerQueued = 0;
  #isRetired = false;
  /** When it came, or when its last answer was complete. */
  idleSince: number;
  /** The client has ended its half of the connection. */
  hasEnded = false;
  /** It does not read what is sent to it. */
  isBlocked = false;

  constructor(
    parts: EngineParts,
    intake: Intake,
    { wire, origin, frontend }: { wire: Wire; origin: ClientOrigin; frontend: Frontend },
  ) {
    super();
    this.#parts = parts;
    this.#intake = intake;
    this.#wire = wire;
    this.origin = origin;
    this.frontend = frontend;
    this.#pending = new ByteQueue(parts.buffers);
    this.#startedAt = this.idleSince = parts.now;
    parts.wheel.set(this, parts.now + frontend.settings.timeouts.headMs);
  }

  get phase(): ClientPhase {
    return this.#phase;
  }

  /** Nothing is lost when it is closed now. */
  get isIdle(): boolean {
    return this.#phase === "head" && this.#head === undefined;
  }

  // ---- what the wire reports ----

  received(now: number, bytes: Uint8Array, from: number, to: number): void {
    this.#parts.now = now;
    this.frontend.traffic.add(COUNTERS.bytesIn, to - from);
    if (this.#phase === "lingering" || this.#phase === "closed") return;
    const pending = this.#pending;
    if (pending.length > 0) {
      pending.append(bytes, from, to);
      this.#takePending();
    } else {
      const used = this.#take(bytes, from, to);
      if (used < to && this.#isOpen) pending.append(bytes, used, to);
    }
    this.#afterTaking();
  }

  drained(now: number): void {
    this.#parts.now = now;
    if (!this.isBlocked) return;
    this.isBlocked = false;
    if (this.#phase === "lingering" || this.#phase === "closed") return;
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      this.#armFor(exchange);
      exchange.server?.wire.resume();
    }
    this.#continue();
  }

  ended(now: number): void {
    this.#parts.now = now;
    this.hasEnded = true;
    if (this.#phase === "tunnel") {
      if (this.#pending.length === 0) this.#exchange!.dispatcher!.clientEnded(this.#exchange!);
    } else if (this.#exchange?.phase === "queued") {
      // Whoever waits in line and hangs up has gone; to serve him takes somebody else's place.
      this.#leave("C", "Q", "the client left the line");
    } else this.#afterTaking();
  }

  closed(now: number, reason: string): void {
    if (this.#phase === "closed") return;
    this.#parts.now = now;
    const exchange = this.#exchange;
    this.#forget();
    if (exchange === undefined) return;
    const clean = reason === "" && exchange.phase === "tunnel";
    if (!clean) exchange.blame("C", phaseOf(exchange), `the client left: ${reason || "closed"}`);
    exchange.dispatcher?.abandon(exchange);
    this.#finish(exchange);
  }

  /** Too late with whatever it owes. */
  due(now: number): void {
    this.#parts.now = now;
    const { headMs, bodyMs } = this.frontend.settings.timeouts;
    const exchange = this.#exchange;
    if (this.#phase === "lingering") return this.#lingerOn();
    if (exchange === undefined) {
      if (this.#head === undefined) return this.close();
      this.#refuseHead(408, "c", `no whole request head within ${headMs} ms`);
    } else if (this.isBlocked) {
      this.#leave("c", "D", `the client read nothing for ${bodyMs} ms`);
    } else if (!exchange.requestDone) {
      const reason = `${bodyMs} ms without a byte of the request's body`;
      this.#fail(exchange, 408, { cause: "c", phase: "R", reason });
    }
  }

  // ---- what the server's side asks for ----

  send(bytes: Uint8Array, from: number, to: number): void {
    const exchange = this.#exchange;
    this.frontend.traffic.add(COUNTERS.bytesOut, to - from);
    if (exchange !== undefined) exchange.record.bytesOut += to - from;
    if (this.#wire.send(bytes, from, to) || this.isBlocked) return;
    this.isBlocked = true;
    exchange?.server?.wire.pause();
    this.#parts.wheel.set(this, this.#parts.now + this.frontend.settings.timeouts.bodyMs);
  }

  /** The server can take (more of) the request; `more`: and its wire is not full. */
  serverReady(more: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    exchange.isServerBlocked = !more;
    this.#continue();
  }

  serverDrained(): void {
    this.serverReady(true);
  }

  beginTunnel(): void {
    this.#phase = "tunnel";
    this.#parts.wheel.set(this, Infinity);
    this.#continue();
  }

  /** The server has ended its half of the tunnel. */
  endTunnel(): void {
    this.#wire.end();
  }

  /** The answer is complete and handed over. */
  answerDone(): void {
    const exchange = this.#exchange!;
    const closes = exchange.closesClient || (this.hasEnded && this.#pending.length === 0);
    this.#finish(exchange);
    if (closes) return this.#linger();
    this.#phase = "head";
    this.idleSince = this.#parts.now;
    this.#parts.wheel.set(this, this.#parts.now + this.frontend.settings.timeouts.keepAliveMs);
    if (!this.#isTaking) this.#continue();
  }

  /** The answer cannot be completed, and the client must see that it is not whole. */
  cut(): void {
    const exchange = this.#exchange!;
    const { framing } = exchange.answerBody;
    // Without a length only a broken connection tells it from the end.
    const needsReset = framing === "close" || (framing === "chunked" && !exchange.answerChunked);
    this.#finish(exchange);
    this.#forget();
    this.#wire.destroy(needsReset);
  }

  /** Nobody could answer: we do. */
  answerInstead(status: number, sorry: PoolSettings["sorry"]): void {
    const { bytes, spans } = this.#exchange!.record;
    const at = 2 * ACCESS_TEXTS.requestId;
    const id = latin1Text(bytes, spans[at] as number, spans[at + 1] as number);
    this.answer(
      sorry === undefined
        ? errorPage(status, id)
        : textAnswer(sorry.status, sorry.body, sorry.contentType),
    );
  }

  /** An answer of the balancer itself. */
  answer(page: OwnAnswer): void {
    const exchange = this.#exchange!;
    exchange.record.status = page.status;
    if (!exchange.keepAlive || !exchange.requestDone || this.#parts.isDraining) {
      exchange.closesClient = true;
    }
    const { scratch } = this.#parts;
    const end = writeOwnHead(scratch, page, connectionWord(exchange));
    this.send(scratch, 0, end);
    if (!exchange.isHead && page.status !== 204 && page.status !== 304) {
      this.send(page.body, 0, page.body.length);
    }
    this.answerDone();
  }

  /** Without a word, at once. */
  close(): void {
    if (this.#phase === "closed") return;
    const exchange = this.#exchange;
    this.#forget();
    this.#wire.destroy(false);
    if (exchange === undefined) return;
    exchange.dispatcher?.abandon(exchange);
    this.#finish(exchange);
  }

  /** Its frontend is gone: what was begun is finished. */
  retire(): void {
    this.#isRetired = true;
    if (this.#exchange !== undefined) this.#exchange.keepAlive = false;
    if (this.isIdle) this.close();
  }

  /** The operator's patience is over. */
  kill(reason: string): void {
    const exchange = this.#exchange;
    exchange?.blame("K", phaseOf(exchange), reason);
    this.close();
  }

  // ---- taking bytes ----

  /** Gives the position up to which bytes were taken. */
  #take(bytes: Uint8Array, from: number, to: number): number {
    this.#isTaking = true;
    let at = from;
    while (at < to && this.#isOpen) {
      const before = at;
      const exchange = this.#exchange;
      if (exchange === undefined) at = this.#readHead(bytes, at, to);
      else if (this.#phase === "tunnel") at = this.#tunnel(exchange, bytes, at, to);
      else if (!exchange.requestDone) at = this.#readBody(exchange, bytes, at, to);
      if (at === before) break;
    }
    this.#isTaking = false;
    return this.#isOpen ? at : to;
  }

  #takePending(): void {
    const pending = this.#pending;
    while (pending.length > 0) {
      const { from } = pending;
      const used = this.#take(pending.bytes, from, pending.to);
      if (!this.#isOpen) return pending.clear();
      if (used === from) return;
      pending.drop(used - from);
    }
  }

  /** Something that held bytes back is gone. */
  #continue(): void {
    if (this.#isTaking || !this.#isOpen) return;
    this.#takePending();
    this.#afterTaking();
  }

  /** Bytes that cannot be taken: no more are wanted. None left: the end may have come before. */
  #afterTaking(): void {
    if (!this.#isOpen) return;
    const waits = this.#pending.length > 0 && this.#head === undefined;
    if (waits !== this.#isPaused) {
      this.#isPaused = waits;
      if (waits) this.#wire.pause();
      else this.#wire.resume();
    }
    if (this.hasEnded && !waits) this.#endCame();
  }

  #endCame(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (this.#head === undefined) return this.#linger();
      this.#giveHead();
      this.#begin();
      this.#leave("C", "R", "the client ended within a request head");
    } else if (this.#phase === "tunnel") {
      if (!exchange.serverEnded) exchange.dispatcher!.clientEnded(exchange);
    } else if (!exchange.requestDone) {
      this.#leave("C", "R", "the client ended within a request body");
    }
  }

  #readHead(bytes: Uint8Array, from: number, to: number): number {
    // Not before it has read what it asked for.
    if (this.isBlocked) return from;
    const parts = this.#parts;
    if (this.#head === undefined) {
      this.#head = parts.takeHead();
      this.#startedAt = parts.now;
      if (this.#requests > 0) {
        parts.wheel.set(this, parts.now + this.frontend.settings.timeouts.headMs);
      }
    }
    const head = this.#head;
    const after = head.parse(bytes, from, to, this.frontend.headLimits);
    if (after === MORE) return from;
    if (after < 0) {
      const { status, text } = refusal(head.refused!);
      this.frontend.traffic.add(COUNTERS.malformed, 1);
      this.#refuseHead(status, "P", text);
      return to;
    }
    const exchange = this.#begin();
    exchange.record.bytesIn += after - from;
    exchange.requestBody.begin(head.framing, head.length);
    exchange.requestDone = exchange.requestBody.done;
    parts.wheel.set(this, Infinity);
    this.#intake.decide(exchange, head);
    this.#giveHead();
    if (this.#exchange === exchange && !exchange.requestDone) this.#armFor(exchange);
    return after;
  }

  #begin(): Exchange {
    const exchange = this.#parts.takeExchange();
    const { record } = exchange;
    const { origin, frontend } = this;
    frontend.traffic.add(COUNTERS.requests, 1);
    frontend.traffic.add(COUNTERS.inFlight, 1);
    this.#exchange = exchange;
    this.#phase = "busy";
    this.#requests++;
    exchange.client = this;
    exchange.phase = "intake";
    exchange.startedAt = this.#startedAt;
    exchange.isLast =
      this.#isRetired || this.#requests === frontend.settings.limits.requestsPerConnection;
    record.frontend = frontend.name;
    record.source = origin.source;
    record.sourcePort = origin.sourcePort;
    record.tlsVersion = origin.tls?.version ?? "";
    record.http2 = origin.http2;
    record.requestMs = this.#parts.now - this.#startedAt;
    return exchange;
  }

  #refuseHead(status: number, cause: EndCause, reason: string): void {
    const isHead = this.#head?.method === "HEAD";
    this.#giveHead();
    const exchange = this.#begin();
    exchange.isHead = isHead;
    exchange.blame(cause, "R", reason);
    exchange.keepAlive = false;
    this.answerInstead(status, undefined);
  }

  #readBody(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const { requestBody } = exchange;
    const at = this.#intake.relay.take(exchange, bytes, from, to);
    exchange.record.bytesIn += at - from;
    if (requestBody.refused !== undefined) {
      const { status, text } = refusal(requestBody.refused);
      this.frontend.traffic.add(COUNTERS.malformed, 1);
      this.#fail(exchange, status, { cause: "P", phase: "R", reason: text });
      return to;
    }
    const { bodyBytes } = this.frontend.settings.limits;
    if (bodyBytes > 0 && requestBody.total > bodyBytes) {
      const { status, text } = refusal("body-too-large");
      this.#fail(exchange, status, { cause: "P", phase: "R", reason: text });
      return to;
    }
    this.#armFor(exchange);
    return at;
  }

  #tunnel(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const { server, dispatcher } = exchange;
    if (exchange.isServerBlocked) return from;
    exchange.record.bytesIn += to - from;
    if (server === undefined || exchange.serverEnded) return to;
    exchange.isServerBlocked = !server.send(bytes, from, to);
    dispatcher!.progressed(exchange);
    return to;
  }

  /** Who owes the next byte: the client a body, or to read; or nobody here. */
  #armFor(exchange: Exchange): void {
    const { wheel, now } = this.#parts;
    const owes = this.isBlocked || (!exchange.requestDone && !exchange.isServerBlocked);
    wheel.set(this, owes ? now + this.frontend.settings.timeouts.bodyMs : Infinity);
  }

  // ---- endings ----

  get #isOpen(): boolean {
    return this.#phase !== "lingering" && this.#phase !== "closed";
  }

  /** The request is no good: an answer says so, if none has begun. */
  #fail(
    exchange: Exchange,
    status: number,
    why: { readonly cause: EndCause; readonly phase: EndPhase; readonly reason: string },
  ): void {
    exchange.blame(why.cause, why.phase, why.reason);
    const isAnswered = exchange.phase === "answering" || exchange.phase === "tunnel";
    exchange.dispatcher?.abandon(exchange);
    exchange.keepAlive = false;
    if (isAnswered) this.cut();
    else this.answerInstead(status, undefined);
  }

  /** The client has gone or is as good as gone. */
  #leave(cause: EndCause, phase: EndPhase, reason: string): void {
    this.#exchange?.blame(cause, phase, reason);
    this.close();
  }

  #finish(exchange: Exchange): void {
    this.#exchange = undefined;
    this.#intake.finished(exchange, this.frontend);
    this.#parts.giveExchange(exchange);
  }

  /** Ends our half; the other may take its time, but not for ever. */
  #linger(): void {
    this.#phase = "lingering";
    this.#giveHead();
    this.#pending.clear();
    if (this.#isPaused) this.#wire.resume();
    this.#isPaused = false;
    this.#wire.end();
    this.#lingerQueued = this.#wire.queued;
    this.#parts.wheel.set(this, this.#parts.now + LINGER_MS);
  }

  /** As long as the client takes what is there for it, it is given the time. */
  #lingerOn(): void {
    const { queued } = this.#wire;
    if (queued === 0 || queued >= this.#lingerQueued) return this.close();
    this.#lingerQueued = queued;
    this.#parts.wheel.set(this, this.#parts.now + this.frontend.settings.timeouts.bodyMs);
  }

  #giveHead(): void {
    if (this.#head !== undefined) this.#parts.giveHead(this.#head);
    this.#head = undefined;
  }

  #forget(): void {
    this.#phase = "closed";
    this.#exchange = undefined;
    this.#giveHead();
    this.#pending.clear();
    this.#parts.wheel.remove(this);
    this.#intake.left(this);
  }
}

function phaseOf(exchange: Exchange): EndPhase {
  switch (exchange.phase) {
    case "queued":
      return "Q";
    case "delayed":
      return "T";
    case "connecting":
      return "C";
    case "asked":
      return exchange.requestDone ? "H" : "D";
    case "answering":
    case "tunnel":
      return "D";
    default:
      return "R";
  }
}
