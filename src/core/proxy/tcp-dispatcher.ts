/**
 * Brings the connections of one TCP pool to its servers: picks, waits in line, connects, and tries
 * another server as long as none has accepted: until then no byte has gone to anybody.
 */

import { hashText } from "../balance/hash.ts";
import { Pool } from "../balance/pool.ts";
import type { Outcome } from "../balance/pool-ports.ts";
import type { HashKey, PoolSettings } from "../balance/pool-settings.ts";
import type { Server } from "../balance/server.ts";
import { sourceKey } from "../balance/source-key.ts";
import { stickKey } from "../balance/stick-table.ts";
import type { Prng } from "../../lib/prng.ts";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import { Crowd } from "./crowd.ts";
import type { EngineParts } from "./engine-parts.ts";
import * as failures from "./failures.ts";
import { connectTarget } from "./proxy-header.ts";
import type { TcpSeat, TcpSession } from "./tcp-session.ts";
import { COUNTERS, Traffic } from "./traffic.ts";
import { WaitingLine } from "./waiting-line.ts";

/** Everybody waits in one class: nothing is known of a connection but where it comes from. */
const CLASS = 2;

/** One server's connections. */
export class TcpGroup {
  readonly server: Server;
  readonly traffic: Traffic = new Traffic();
  readonly sessions: Crowd<TcpSeat> = new Crowd();

  constructor(server: Server) {
    this.server = server;
  }
}

export class TcpDispatcher {
  readonly pool: Pool<TcpSession>;
  readonly traffic: Traffic = new Traffic();
  readonly #parts: EngineParts;
  readonly #groups = new Map<Server, TcpGroup>();
  readonly #line: WaitingLine<TcpSession>;

  constructor(parts: EngineParts, settings: PoolSettings, prng: Prng) {
    this.#parts = parts;
    this.pool = new Pool(settings, prng, parts.now);
    this.#line = new WaitingLine(parts, {
      pool: this.pool,
      trafficOf: (session) => session.frontend.traffic,
      attempt: (session, server) => this.#attempt(session, server),
      refuse: (session, failure) => this.#refuse(session, failure),
    });
    this.changed();
  }

  get settings(): PoolSettings {
    return this.pool.settings;
  }

  get groups(): Iterable<TcpGroup> {
    return this.#groups.values();
  }

  get isQuiet(): boolean {
    return this.pool.waiting === 0 && this.traffic.get("inFlight") === 0;
  }

  /** In place. */
  update(settings: PoolSettings): void {
    this.pool.update(this.#parts.now, settings);
    this.changed();
  }

  /** No longer configured: what was begun goes on. */
  retire(): void {}

  /** A connection that has just come. */
  begin(session: TcpSession): void {
    const { now } = this.#parts;
    const { algorithm } = this.settings;
    const { source } = session.origin;
    for (const traffic of [session.frontend.traffic, this.traffic]) {
      traffic.add(COUNTERS.requests, 1);
      traffic.add(COUNTERS.inFlight, 1);
    }
    this.#parts.begun();
    this.pool.retries.requested(now);
    if ("key" in algorithm) session.pick.hash = hashText(keyOf(algorithm.key, source));
    const { stickiness } = this.settings;
    if (stickiness.kind === "table") {
      const bytes = utf8Bytes(keyOf(stickiness.key, source));
      session.stickKey = stickKey(bytes, 0, bytes.length);
      session.pick.sticky = this.pool.table?.find(now, session.stickKey);
    }
    this.#place(session);
    this.changed();
  }

  // ---- what a session tells ----

  connected(session: TcpSession): void {
    if (session.stickKey === "") return;
    this.pool.table?.stick(this.#parts.now, session.stickKey, session.record.server);
  }

  notConnected(session: TcpSession, reason: string): void {
    const { server } = session.record;
    const outcome = failures.isOurs(reason) ? "cancelled" : "connect-failed";
    this.#failed(session, outcome, failures.notConnected(server, reason));
  }

  connectedTooLate(session: TcpSession): void {
    const { connectMs } = this.settings.timeouts;
    const failure = failures.connectedTooLate(session.record.server, connectMs);
    this.#failed(session, "connect-failed", failure);
  }

  /** The server's connection broke. Before it had said anything that is its own failure. */
  brokeOff(session: TcpSession, reason: string): void {
    session.blame("S", "D", `${session.record.server}: ${reason}`);
    session.end(true);
  }

  /** Over, well or not. Once for each session. */
  finished(session: TcpSession): void {
    const { now, sinks } = this.#parts;
    const { record, group, frontend } = session;
    this.#line.leave(session);
    if (group?.sessions.delete(session.seat) === true) {
      const hasSpoken = record.answerMs >= 0;
      const isServers = record.cause === "S" && session.phase === "open" && !hasSpoken;
      if (isServers) this.#countFor(group, COUNTERS.answerErrors);
      const outcome = isServers ? "reset" : session.connectedAt < 0 ? "cancelled" : "ok";
      this.#left(session, group, outcome);
    }
    for (const traffic of [frontend.traffic, this.traffic]) traffic.add(COUNTERS.inFlight, -1);
    this.#parts.ended();
    if (record.cause === "C") frontend.traffic.add(COUNTERS.clientAborts, 1);
    record.totalMs = now - session.startedAt;
    const placed = session.firstAttemptAt < 0 ? now : session.firstAttemptAt;
    record.queueMs = placed - session.startedAt;
    if (session.connectedAt >= 0) record.connectMs = session.connectedAt - session.attemptAt;
    record.retries = session.retries;
    const { accessLog } = frontend.settings;
    if (accessLog.format !== "off") sinks.access(record, accessLog);
    this.changed();
  }

  /** Places, health or settings may have changed: events are told, those in line are served. */
  changed(): void {
    const { pool } = this;
    for (const event of pool.takeEvents()) {
      this.#parts.sinks.event(this.settings.name, event);
      const { server } = event;
      if (server === undefined) continue;
      if (event.kind === "cut-connections") this.#cut(server, event.reason);
      if (event.kind === "removed") this.#groups.delete(server);
    }
    if (pool.waiting > 0) this.#line.serve();
  }

  // ---- placing ----

  #place(session: TcpSession): void {
    const { now } = this.#parts;
    const pick = this.pool.pick(now, session.pick);
    if (pick.server !== undefined) return this.#attempt(session, pick.server);
    if (pick.why !== "queue") {
      const failure = pick.why === "all-tried" ? session.failure : undefined;
      return this.#refuse(session, failure ?? failures.nobodyThere(pick.reason));
    }
    session.phase = "waiting";
    this.#line.join(session, CLASS);
  }

  #attempt(session: TcpSession, server: Server): void {
    const { now, wheel, connector } = this.#parts;
    const group = this.#groups.get(server) ?? new TcpGroup(server);
    this.#groups.set(server, group);
    this.pool.started(now, server);
    group.sessions.add(session.seat);
    group.traffic.add(COUNTERS.requests, 1);
    group.traffic.add(COUNTERS.connections, 1);
    group.traffic.add(COUNTERS.openConnections, 1);
    group.traffic.add(COUNTERS.inFlight, 1);
    session.group = group;
    session.attemptAt = now;
    if (session.firstAttemptAt < 0) session.firstAttemptAt = now;
    session.record.server = server.name;
    wheel.set(session, now + this.settings.timeouts.connectMs);
    const target = connectTarget(this.settings, server, session.origin);
    session.connecting((peer) => connector.connect(target, peer));
  }

  /** This attempt came to nothing: another one, or the end. */
  #failed(session: TcpSession, outcome: Outcome, failure: failures.Failure): void {
    const group = session.group!;
    this.#countFor(group, COUNTERS.connectErrors);
    session.detach();
    group.sessions.delete(session.seat);
    this.#left(session, group, outcome);
    if (this.#mayRetry(session, group)) {
      session.pick.tried.push(group.server);
      session.failure = failure;
      this.#place(session);
    } else this.#refuse(session, failure);
    this.changed();
  }

  #mayRetry(session: TcpSession, group: TcpGroup): boolean {
    if (session.retries >= this.settings.retry.attempts) return false;
    if (!this.pool.retries.tryRetry(this.#parts.now)) {
      this.traffic.add(COUNTERS.retriesDenied, 1);
      return false;
    }
    session.retries++;
    this.#countFor(group, COUNTERS.retries);
    return true;
  }

  #refuse(session: TcpSession, { cause, phase, reason }: failures.Failure): void {
    session.blame(cause, phase, reason);
    session.end(true);
  }

  /** The place is free again. How quickly it was connected is all that is known of its speed. */
  #left({ connectedAt, attemptAt }: TcpSession, group: TcpGroup, outcome: Outcome): void {
    const latencyMs = connectedAt < 0 ? -1 : connectedAt - attemptAt;
    group.traffic.add(COUNTERS.openConnections, -1);
    group.traffic.add(COUNTERS.inFlight, -1);
    this.pool.finished(this.#parts.now, group.server, outcome, latencyMs);
  }

  #cut(server: Server, reason: string): void {
    const group = this.#groups.get(server);
    if (group === undefined) return;
    const why = `${server.name}: ${reason}`;
    for (const { session } of Array.from(group.sessions)) {
      group.traffic.add(COUNTERS.cut, 1);
      if (session.phase === "connecting") {
        this.#failed(session, "cancelled", failures.takenAway(why));
        continue;
      }
      session.blame("D", "D", why);
      session.end(true);
    }
  }

  #countFor({ traffic }: TcpGroup, counter: Parameters<Traffic["add"]>[0]): void {
    traffic.add(counter, 1);
    this.traffic.add(counter, 1);
  }
}

/** Of keys that ask for more than an address the configuration lets none through. */
export function keyOf(key: HashKey, source: string): string {
  return key.of === "source" ? sourceKey(key, source) : source;
}
