/** One connection of a client: its requests one after the other, each an `Exchange`. */

import type { PoolSettings } from "../balance/pool-settings.ts";
import type { RequestHead } from "../http/request-head.ts";
import { accessText } from "./access-line.ts";
import { ACCESS_TEXTS, type EndCause, type EndPhase } from "./access-record.ts";
import { connectionWord } from "./answer-writer.ts";
import { type ClientPhase, ClientReader } from "./client-reader.ts";
import type { CrowdMember } from "./crowd.ts";
import type { EngineParts } from "./engine-parts.ts";
import { type Exchange, phaseOf } from "./exchange.ts";
import { bodyStopped, type Failure } from "./failures.ts";
import type { Frontend } from "./frontend.ts";
import type { Intake } from "./intake.ts";
import { errorPage, type OwnAnswer, sorryPage, writeOwnHead } from "./own-answer.ts";
import { Timed } from "./timer-wheel.ts";
import { COUNTERS } from "./traffic.ts";
import { type ClientOrigin, type Peer, untaken, type Wire } from "./wire.ts";

/** After our last word the client may finish its own; what it says is not looked at any more. */
const LINGER_MS = 2000;

export class ClientConnection extends Timed implements CrowdMember, Peer {
  crowdPlace = -1;
  readonly origin: ClientOrigin;
  readonly frontend: Frontend;
  readonly #parts: EngineParts;
  readonly #intake: Intake;
  readonly #wire: Wire;
  readonly #reader: ClientReader;
  #phase: ClientPhase = "head";
  #exchange: Exchange | undefined;
  #requests = 0;
  #startedAt: number;
  /** Bytes on their way out when the timer was set. */
  #armedUntaken = 0;
  #isRetired = false;
  #endedAt = Infinity;
  /** When it came, or when its last answer was complete and it could ask for more. */
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
    this.#reader = new ClientReader(parts, intake, this, wire);
    this.#startedAt = this.idleSince = parts.now;
    parts.wheel.set(this, parts.now + frontend.settings.timeouts.headMs);
  }

  get phase(): ClientPhase {
    return this.#phase;
  }

  /** The one that is being served. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  /** More of its bytes may be taken. */
  get isOpen(): boolean {
    return this.#phase !== "lingering" && this.#phase !== "closed";
  }

  /** Nothing is lost when it is closed now. */
  get isIdle(): boolean {
    return this.#asksNothing && this.#wire.queued === 0;
  }

  /** The end of its last answer may still be on its way out. */
  get #asksNothing(): boolean {
    return this.#phase === "head" && this.#reader.head === undefined && this.#reader.isEmpty;
  }

  get hasSaidAll(): boolean {
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.isFinalWord || exchange.wantsUpgrade) return false;
    return this.#reader.isEmpty;
  }

  // ---- what the wire reports ----

  received(now: number, bytes: Uint8Array, from: number, to: number): void {
    this.#parts.now = now;
    this.frontend.traffic.add(COUNTERS.bytesIn, to - from);
    if (this.#phase === "lingering" || this.#phase === "closed") return;
    this.#reader.received(bytes, from, to);
  }

  drained(now: number): void {
    this.#parts.now = now;
    if (!this.isBlocked) return;
    this.isBlocked = false;
    if (this.#phase === "lingering" || this.#phase === "closed") return;
    const exchange = this.#exchange;
    if (exchange === undefined) this.#awaitRequest();
    else {
      this.armFor(exchange);
      exchange.server?.wire.resume();
    }
    this.#reader.continue();
  }

  ended(now: number): void {
    this.#parts.now = now;
    this.hasEnded = true;
    this.#endedAt = now;
    if (this.#phase === "tunnel") {
      if (this.#reader.isEmpty) this.#exchange!.dispatcher!.clientEnded(this.#exchange!);
    } else if (this.#exchange?.phase === "queued") {
      // Whoever waits in line and hangs up has gone; to serve him takes somebody else's place.
      this.#leave("C", "Q", "the client left the line");
    } else this.#reader.settle();
  }

  closed(now: number, reason: string): void {
    if (this.#phase === "closed") return;
    this.#parts.now = now;
    const exchange = this.#exchange;
    const wasLingering = this.#phase === "lingering";
    this.#forget();
    if (exchange === undefined) return;
    const clean = reason === "" && (exchange.phase === "tunnel" || wasLingering);
    const left = `the client left: ${reason || "closed"}`;
    // Its end came while it waited: it had given up, and did not only fall silent.
    if (wasLingering && !clean && this.#endedAt < exchange.answeredAt) {
      exchange.blame("C", "H", "the client had left before its answer came");
    } else if (!clean) exchange.blame("C", phaseOf(exchange), left);
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
      if (this.isBlocked) return this.#lingerOn();
      if (this.#reader.head === undefined) return this.#letGo();
      this.refuseHead(408, "c", `no whole request head within ${headMs} ms`);
    } else if (this.isBlocked) {
      if (untaken(this.#wire) < this.#armedUntaken) return this.#armBlocked();
      this.#leave("c", "D", `the client read nothing for ${bodyMs} ms`);
    } else if (this.#intake.relay.isAwaited(exchange)) {
      this.fail(exchange, bodyStopped(exchange, bodyMs));
    }
  }

  // ---- what the server's side asks for ----

  send(bytes: Uint8Array, from: number, to: number): void {
    const exchange = this.#exchange;
    this.frontend.traffic.add(COUNTERS.bytesOut, to - from);
    if (exchange !== undefined) exchange.record.bytesOut += to - from;
    if (this.#wire.send(bytes, from, to)) return;
    this.#armedUntaken += to - from;
    if (this.isBlocked) return;
    this.isBlocked = true;
    exchange?.server?.wire.pause();
    this.#armBlocked();
  }

  /** The server can take (more of) the request; `more`: and its wire is not full. */
  serverReady(more: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    exchange.isServerBlocked = !more;
    if (!exchange.requestDone) this.armFor(exchange);
    this.#reader.continue();
  }

  beginTunnel(): void {
    this.#phase = "tunnel";
    // The client may have read nothing of the switch itself.
    this.armFor(this.#exchange!);
    this.#reader.continue();
  }

  /** The server has ended its half of the tunnel. */
  endTunnel(): void {
    this.#wire.end();
  }

  /** The answer is complete and handed over. */
  answerDone(): void {
    const exchange = this.#exchange!;
    const { isFinalWord, closesClient } = exchange;
    const closes = closesClient || (this.hasEnded && this.#reader.isEmpty);
    // Whether it has gone or only listens is known when it takes the answer, or refuses it.
    if (closes && this.hasEnded && exchange.phase === "answering") return this.#linger();
    this.#finish(exchange);
    if (closes) return this.#linger(isFinalWord && this.#reader.isEmpty);
    this.#phase = "head";
    this.#awaitRequest();
    this.#reader.continue();
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
    const id = accessText(this.#exchange!.record, ACCESS_TEXTS.requestId);
    this.answer(sorry === undefined ? errorPage(status, id) : sorryPage(sorry));
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
    // What it says of the request is too long to be said.
    if (end < 0) return this.answer(errorPage(431, ""));
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
    if (this.#asksNothing) this.#letGo();
  }

  /** The operator's patience is over. */
  kill(reason: string): void {
    if (this.#exchange !== undefined) this.#exchange.blame("K", phaseOf(this.#exchange), reason);
    this.close();
  }

  // ---- what its reader asks for ----

  /** The first byte of a head. */
  headBegins(): void {
    const { now, wheel } = this.#parts;
    this.#startedAt = now;
    // The first head's time runs since the connection was made.
    if (this.#requests > 0) wheel.set(this, now + this.frontend.settings.timeouts.headMs);
  }

  /** The client ended its half and everything that came was taken. */
  endCame(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (this.#reader.head === undefined) return this.#linger();
      this.#reader.giveHead();
      this.begin();
      this.#leave("C", "R", "the client ended within a request head");
    } else if (this.#phase === "tunnel") {
      exchange.dispatcher!.clientEnded(exchange);
    } else if (!exchange.requestDone) {
      this.#leave("C", phaseOf(exchange), "the client ended within a request body");
    }
  }

  begin(): Exchange {
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
    record.cameFrom(frontend.name, origin);
    record.requestMs = this.#parts.now - this.#startedAt;
    return exchange;
  }

  /** `head`: as far as it was understood, where its octets are still there. */
  refuseHead(status: number, cause: EndCause, reason: string, head?: RequestHead): void {
    const exchange = this.begin();
    exchange.isHead = this.#reader.head?.method === "HEAD";
    if (head?.hasLine === true) this.#intake.keepLine(exchange, head);
    this.#reader.giveHead();
    exchange.blame(cause, "R", reason);
    exchange.keepAlive = false;
    this.answerInstead(status, undefined);
  }

  /** Who owes the next byte: the client a body, or to read; or nobody here. */
  armFor(exchange: Exchange): void {
    const { wheel, now } = this.#parts;
    if (this.isBlocked) return this.#armBlocked();
    const owes = this.#intake.relay.isAwaited(exchange);
    wheel.set(this, owes ? now + this.frontend.settings.timeouts.bodyMs : Infinity);
  }

  // ---- endings ----

  /** The request is no good: an answer says so, if none has begun. */
  fail(exchange: Exchange, { status, cause, phase, reason }: Failure): void {
    exchange.blame(cause, phase, reason);
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

  /** Nothing more is expected of it; the answer it may still be reading stays whole. */
  #letGo(): void {
    if (this.#wire.queued === 0) this.close();
    else this.#linger();
  }

  /** Whoever does not read cannot be blamed for not asking, nor is what he asked already lost. */
  #awaitRequest(): void {
    const { now, wheel } = this.#parts;
    this.idleSince = now;
    if (this.isBlocked) this.#armBlocked();
    else wheel.set(this, now + this.frontend.settings.timeouts.keepAliveMs);
  }

  /** As long as the client takes what is there for it, it is given the time. */
  #armBlocked(): void {
    this.#armedUntaken = untaken(this.#wire);
    this.#parts.wheel.set(this, this.#parts.now + this.frontend.settings.timeouts.bodyMs);
  }

  /** Ends our half; the other may take its time, but not for ever. */
  #linger(isLast = false): void {
    this.#phase = "lingering";
    this.#reader.drop();
    this.#wire.end(isLast);
    // The first look says only whether anything is left.
    this.#armedUntaken = Infinity;
    this.#parts.wheel.set(this, this.#parts.now + LINGER_MS);
  }

  #lingerOn(): void {
    if (this.#wire.queued === 0 || untaken(this.#wire) >= this.#armedUntaken) this.close();
    else this.#armBlocked();
  }

  #forget(): void {
    this.#phase = "closed";
    this.#exchange = undefined;
    this.#reader.clear();
    this.#parts.wheel.remove(this);
    this.#intake.left(this);
  }
}
