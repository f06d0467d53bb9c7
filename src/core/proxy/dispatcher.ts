/**
 * Brings the requests of one pool to its servers: picks, waits in line, connects, sends, and tries
 * again elsewhere when that is safe. What a server answers is `answer-relay.ts`.
 */

import type { Prng } from "../../lib/prng.ts";
import { Pool } from "../balance/pool.ts";
import type { Outcome } from "../balance/pool-ports.ts";
import type { PoolSettings } from "../balance/pool-settings.ts";
import type { Server } from "../balance/server.ts";
import { AnswerRelay } from "./answer-relay.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import { countFailed, latencyOf } from "./exchange-traffic.ts";
import * as failures from "./failures.ts";
import { connectTarget } from "./proxy-header.ts";
import { mayEverRepeat, mayRepeat, takeRetry } from "./repeating.ts";
import { ServerConnection, type ServerListener } from "./server-connection.ts";
import type { ServerGroup } from "./server-group.ts";
import { ServerGroups } from "./server-groups.ts";
import { COUNTERS, Traffic } from "./traffic.ts";
import { WaitingLine } from "./waiting-line.ts";

export class Dispatcher implements ServerListener {
  readonly pool: Pool<Exchange>;
  readonly traffic: Traffic = new Traffic();
  readonly #parts: EngineParts;
  readonly #groups: ServerGroups;
  readonly #relay: AnswerRelay;
  readonly #line: WaitingLine<Exchange>;

  constructor(parts: EngineParts, settings: PoolSettings, prng: Prng) {
    this.#parts = parts;
    this.pool = new Pool(settings, prng, parts.now);
    this.#groups = new ServerGroups(settings.name);
    this.#relay = new AnswerRelay(parts, this);
    this.#line = new WaitingLine(parts, {
      pool: this.pool,
      trafficOf: (exchange) => exchange.client!.frontend.traffic,
      attempt: (exchange, server) => this.#attempt(exchange, server),
      refuse: (exchange, failure) => this.#refuse(exchange, failure),
    });
    this.changed();
  }

  get settings(): PoolSettings {
    return this.pool.settings;
  }

  /** Of all servers that were ever asked and are still there. */
  get groups(): Iterable<ServerGroup> {
    return this.#groups.all;
  }

  /** In place. */
  update(settings: PoolSettings): void {
    const { tls } = this.settings;
    this.pool.update(this.#parts.now, settings);
    // Kept connections trust whom the old settings trusted.
    if (JSON.stringify(tls) !== JSON.stringify(settings.tls)) this.#groups.outdated();
    this.changed();
  }

  /** It is no longer configured: what runs is finished, nothing is kept. */
  retire(): void {
    this.#groups.retire();
  }

  /** Nobody waits for it and nothing runs. */
  get isQuiet(): boolean {
    return this.pool.waiting === 0 && this.traffic.get("inFlight") === 0;
  }

  // ---- from the client's side ----

  /** After an injected delay, if there is one, 0 = none. */
  begin(exchange: Exchange, delayMs: number): void {
    if (delayMs === 0) return this.#depart(exchange);
    exchange.phase = "delayed";
    this.#parts.wheel.set(exchange, this.#parts.now + delayMs);
  }

  #depart(exchange: Exchange): void {
    if (exchange.abortStatus === 0) return this.#start(exchange);
    exchange.blame("P", "T", "injected fault");
    exchange.client!.answerInstead(exchange.abortStatus, undefined);
  }

  /** The request is decided upon and written; its first bytes are in `outbound`. */
  #start(exchange: Exchange): void {
    const { now } = this.#parts;
    this.pool.retries.requested(now);
    this.traffic.add(COUNTERS.requests, 1);
    this.traffic.add(COUNTERS.inFlight, 1);
    exchange.placedAt = now;
    this.#place(exchange);
    this.changed();
  }

  /** More of the request is in `outbound`, or its last byte was relayed. */
  progressed(exchange: Exchange): void {
    const { phase } = exchange;
    if (phase === "asked" || phase === "answering" || phase === "tunnel") this.#arm(exchange);
  }

  /** The client has ended its half of a tunnel. */
  clientEnded(exchange: Exchange): void {
    this.#relay.clientEnded(exchange);
  }

  /** The client is gone or gets no answer: whatever was begun for it ends. */
  abandon(exchange: Exchange): void {
    this.#line.leave(exchange);
    if (exchange.server !== undefined) this.detach(exchange, "cancelled");
    this.changed();
  }

  // ---- from the server's side ----

  connected(exchange: Exchange): void {
    const { now, wheel } = this.#parts;
    exchange.connectedAt = now;
    exchange.phase = "asked";
    wheel.set(exchange, Infinity);
    this.#ask(exchange);
  }

  answerReceived(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    return this.#relay.received(exchange, bytes, from, to);
  }

  serverDrained(exchange: Exchange): void {
    exchange.client?.serverReady(true);
    this.progressed(exchange);
  }

  serverLost(exchange: Exchange, reason: string): void {
    const { server } = exchange.record;
    switch (exchange.phase) {
      case "connecting":
        return this.attemptFailed(
          exchange,
          failures.isOurs(reason) ? "cancelled" : "connect-failed",
          failures.notConnected(server, reason || "closed"),
        );
      case "asked":
        return this.#lostUnanswered(exchange, reason === "closed" ? "" : reason);
      default:
        return this.#relay.serverLost(exchange, reason);
    }
  }

  timeUp(exchange: Exchange): void {
    const { connectMs, responseMs } = this.settings.timeouts;
    const { server } = exchange.record;
    switch (exchange.phase) {
      case "delayed":
        return this.#depart(exchange);
      case "connecting":
        return this.attemptFailed(
          exchange,
          "connect-failed",
          failures.connectedTooLate(server, connectMs),
        );
      case "asked":
        return this.attemptFailed(
          exchange,
          "timeout",
          failures.answeredTooLate(server, responseMs),
        );
      case "answering":
      case "tunnel":
        return this.#relay.timeUp(exchange);
      default:
    }
  }

  // ---- what became of an attempt ----

  /** The attempt is over without an answer that could be passed on: another one, or an error. */
  attemptFailed(exchange: Exchange, outcome: Outcome, failure: failures.Failure): void {
    const { server } = exchange.server!.group;
    countFailed(this.traffic, exchange, outcome);
    const again = this.#mayRetry(exchange);
    this.detach(exchange, outcome);
    if (again) {
      exchange.pick.tried.push(server);
      exchange.failure = failure;
      this.#tryAgain(exchange);
    } else {
      this.#refuse(exchange, failure);
    }
    this.changed();
  }

  /** The server's part is over, well or not: the connection is closed. */
  detach(exchange: Exchange, outcome: Outcome): void {
    const connection = exchange.server!;
    const { server } = connection.group;
    exchange.server = undefined;
    connection.destroy(exchange.phase === "tunnel");
    this.pool.finished(this.#parts.now, server, outcome, latencyOf(exchange));
  }

  /** The answer is complete: the connection may serve again. */
  complete(exchange: Exchange, outcome: Outcome): void {
    const connection = exchange.server!;
    const { settings } = this;
    exchange.server = undefined;
    // No server owes anything any more, however long the client takes to read what it has got.
    this.#parts.wheel.set(exchange, Infinity);
    connection.release(settings.timeouts.keepAliveMs, settings.maxIdlePerServer);
    this.pool.finished(this.#parts.now, connection.group.server, outcome, latencyOf(exchange));
  }

  /** Another server for a request whose answer says that this one cannot; undefined = none. */
  anotherFor(exchange: Exchange): Server | undefined {
    const { server } = exchange.server!.group;
    const { tried } = exchange.pick;
    if (!mayRepeat(exchange)) return undefined;
    tried.push(server);
    const other = this.pool.pick(this.#parts.now, exchange.pick).server;
    if (other !== undefined && takeRetry(exchange, this.pool, this.#parts.now)) return other;
    tried.pop();
    return undefined;
  }

  /** Goes to `server`, which `anotherFor` named. */
  retryAt(exchange: Exchange, server: Server): void {
    exchange.outbound.rewind();
    this.#attempt(exchange, server);
  }

  /** Places, health or settings may have changed: events are told, those in line are served. */
  changed(): void {
    const { pool } = this;
    for (const event of pool.takeEvents()) {
      this.#parts.sinks.event(this.settings.name, event);
      const { server } = event;
      if (server === undefined) continue;
      if (event.kind === "cut-connections") this.#cut(server, event.reason);
      if (event.kind === "moved") this.#groups.moved(server);
      if (event.kind === "removed") this.#groups.removed(server);
    }
    if (pool.waiting > 0) this.#line.serve();
  }

  // ---- placing ----

  #place(exchange: Exchange): void {
    const own = this.#parts.signedIn.find(exchange.client!, this.settings.name);
    // One that is drained keeps none but those that it must (stickiness).
    if (own?.group.server.inService === true) exchange.pick.sticky = own.group.server.name;
    const pick = this.pool.pick(this.#parts.now, exchange.pick);
    if (pick.server !== undefined) {
      this.#attempt(exchange, pick.server);
    } else if (pick.why === "queue") {
      exchange.phase = "queued";
      this.#line.join(exchange, exchange.queueClass);
    } else {
      const failure = pick.why === "all-tried" ? exchange.failure : undefined;
      this.#refuse(exchange, failure ?? failures.nobodyThere(pick.reason));
    }
  }

  #attempt(exchange: Exchange, server: Server): void {
    const { now, wheel } = this.#parts;
    const { timeouts, sendProxy } = this.settings;
    const group = this.#groups.of(server);
    this.pool.started(now, server);
    group.traffic.add(COUNTERS.requests, 1);
    exchange.attemptAt = now;
    exchange.connectedAt = exchange.sentAt = -1;
    if (exchange.firstAttemptAt < 0) exchange.firstAttemptAt = now;
    // The bound server cannot serve: the client learns of the other one.
    if ((exchange.pick.sticky ?? server.name) !== server.name) exchange.bindsCookie = true;
    exchange.group = group;
    exchange.hints = 0;
    exchange.answeredAt = -1;
    exchange.record.server = server.name;
    exchange.answerShown = false;
    // Before it is sent every request may be sent; what counts is whether it may be once more.
    const isRepeatable = exchange.isIdempotent && mayRepeat(exchange);
    const isFresh = exchange.staleRetried || sendProxy !== "off";
    const kept = isFresh ? undefined : this.#kept(exchange, group, isRepeatable);
    if (kept !== undefined) {
      exchange.server = kept;
      exchange.connectedAt = now;
      exchange.phase = "asked";
      kept.begin(exchange);
      this.#ask(exchange);
      return;
    }
    const connection = new ServerConnection(this.#parts, group, this);
    exchange.server = connection;
    exchange.phase = "connecting";
    if (sendProxy !== "off") connection.spoil();
    wheel.set(exchange, now + timeouts.connectMs);
    connection.connect(connectTarget(this.settings, server, exchange.client!.origin), exchange);
  }

  /** Where its client has signed in, no other one will do. */
  #kept(exchange: Exchange, group: ServerGroup, mayRepeat: boolean): ServerConnection | undefined {
    const { signedIn, now } = this.#parts;
    const own = signedIn.find(exchange.client!, group.pool);
    if (own === undefined || own.group !== group) return group.takeIdle(now, mayRepeat);
    return signedIn.take(exchange.client!, group.pool);
  }

  /** The connection stands: what is there of the request goes out in one piece. */
  #ask(exchange: Exchange): void {
    exchange.record.isReused = exchange.server!.isReused;
    if (exchange.signsIn) exchange.server!.isSignedIn = true;
    exchange.sentAt = this.#parts.now;
    const more = exchange.outbound.flush(exchange.server!);
    if (!mayEverRepeat(exchange, this.settings.retry)) exchange.outbound.release();
    exchange.isServerBlocked = !more;
    this.#arm(exchange);
    if (!exchange.requestDone) exchange.client!.serverReady(more);
  }

  /**
   * The answer must come in time; a server that does not read counts as one that does not answer.
   * As long as the client owes the rest of its request the server owes nothing, unless that waits
   * for a 100.
   */
  #arm(exchange: Exchange): void {
    const { responseMs, idleMs, tunnelMs } = this.settings.timeouts;
    const { phase, requestDone, isServerBlocked, expectsContinue } = exchange;
    if (phase === "asked" && !requestDone && !isServerBlocked && !expectsContinue) {
      this.#parts.wheel.set(exchange, Infinity);
      return;
    }
    const isTunnel = phase === "tunnel" && !exchange.serverEnded && !exchange.clientEnded;
    const ms = phase === "asked" ? responseMs : isTunnel ? tunnelMs : idleMs;
    this.#parts.wheel.set(exchange, this.#parts.now + ms);
  }

  // ---- trying again ----

  #mayRetry(exchange: Exchange): boolean {
    return mayRepeat(exchange) && takeRetry(exchange, this.pool, this.#parts.now);
  }

  #tryAgain(exchange: Exchange): void {
    exchange.outbound.rewind();
    this.#place(exchange);
  }

  /** No byte of an answer came. On a kept connection the server had most likely closed it before. */
  #lostUnanswered(exchange: Exchange, reason: string): void {
    const connection = exchange.server!;
    const { server } = connection.group;
    const what = reason === "" ? "closed" : reason;
    if (connection.isReused && !exchange.staleRetried && mayRepeat(exchange)) {
      exchange.staleRetried = true;
      this.detach(exchange, "cancelled");
      exchange.outbound.rewind();
      if (server.reachable && !server.full) this.#attempt(exchange, server);
      else this.#place(exchange);
      this.changed();
      return;
    }
    this.attemptFailed(exchange, "reset", failures.lostBeforeAnswer(server.name, what));
  }

  #refuse(exchange: Exchange, failure: failures.Failure): void {
    const { status, cause, phase, reason } = failure;
    exchange.blame(cause, phase, reason);
    // Also for servers that refuse connections, which no check may have noticed yet.
    const isNobodyThere = status === 503 || phase === "C";
    exchange.client!.answerInstead(status, isNobodyThere ? this.settings.sorry : undefined);
  }

  // ---- servers that go ----

  #cut(server: Server, reason: string): void {
    const group = this.#groups.find(server);
    if (group === undefined) return;
    group.closeIdle();
    const why = `${server.name}: ${reason}`;
    // Those that are opened on the way, by other attempts, are not meant.
    for (const connection of Array.from(group.open)) {
      const { exchange } = connection;
      if (exchange === undefined) continue;
      group.traffic.add(COUNTERS.cut, 1);
      if (exchange.phase === "answering" || exchange.phase === "tunnel") {
        this.#relay.cut(exchange, "D", why);
      } else {
        this.attemptFailed(exchange, "cancelled", failures.takenAway(why));
      }
    }
  }
}
