/**
 * Who serves the next request. One object per pool and worker, changed in place: servers are matched
 * by name, and what is running or learned stays.
 *
 * The engine's part of the bargain:
 * - each attempt is `started` once and `finished` once, also one that was cut;
 * - the first attempt of a request is told to `retries.requested`, each further one asks
 *   `retries.tryRetry`;
 * - `takeEvents` after every call that changes something, `finished` included;
 * - while `waiting` > 0: `nextGrant` and `nextDropped` until undefined, after `enqueue`, `finished`,
 *   `wake` and every change.
 */

import { assert } from "../../lib/assert.ts";
import type { Prng } from "../../lib/prng.ts";
import { lowSuccessRates, mayBeEjected, observeResult, startInterval } from "./outlier.ts";
import { USUAL_DECAY_MS, observeFailure, observeLatency } from "./peak-latency.ts";
import { explainPick, type ExplainedPick } from "./pick-explanation.ts";
import { PickAnswer } from "./pick-answer.ts";
import { PoolLog } from "./pool-log.ts";
import type {
  AdminChange,
  HealthVerdict,
  Outcome,
  Pick,
  PickRequest,
  PoolEvent,
  PoolStatus,
  ServerOverride,
} from "./pool-ports.ts";
import type { PoolSettings } from "./pool-settings.ts";
import { serverStatus } from "./pool-status.ts";
import { RetryBudget } from "./retry-budget.ts";
import { Roster } from "./roster.ts";
import { ServerFacts } from "./server-facts.ts";
import type { Server } from "./server.ts";
import { StickTable } from "./stick-table.ts";
import { StickyCookie } from "./sticky-cookie.ts";
import { WaitQueue, type Dropped, type Grant, type QueueClass, type Ticket } from "./wait-queue.ts";

/** `Waiter`: whatever the engine wants back when a waiting request gets its place. */
export class Pool<Waiter = unknown> {
  readonly retries: RetryBudget;
  readonly #log = new PoolLog();
  readonly #facts: ServerFacts;
  readonly #roster: Roster;
  readonly #queue: WaitQueue<Waiter>;
  readonly #answer: PickAnswer;
  #cookie: StickyCookie | undefined;
  #table: StickTable | undefined;
  #settings: PoolSettings;
  #decayMs = USUAL_DECAY_MS;
  /** End of the interval in which success rates are counted; Infinity while nothing happens. */
  #intervalEndsAt = Infinity;
  /** Ends of ejections and drains. */
  #nextEndAt = Infinity;

  constructor(settings: PoolSettings, prng: Prng, now: number) {
    this.#settings = settings;
    this.retries = new RetryBudget(settings.retry, now);
    this.#facts = new ServerFacts(settings, this.#log);
    this.#roster = new Roster(settings, { log: this.#log, facts: this.#facts, prng }, now);
    this.#queue = new WaitQueue(settings.queue);
    this.#answer = new PickAnswer(this.#roster);
    this.#learn(settings);
    this.#settled();
  }

  get settings(): PoolSettings {
    return this.#settings;
  }

  /** In the order of the configuration; those that are leaving come last. */
  get servers(): readonly Server[] {
    return this.#roster.servers;
  }

  server(name: string): Server | undefined {
    return this.#roster.get(name);
  }

  /** Reads and makes the cookies that bind clients, if that is how this pool does it. */
  get cookie(): StickyCookie | undefined {
    return this.#cookie;
  }

  /** Knows bound clients by a key of their requests, if that is how this pool does it. */
  get table(): StickTable | undefined {
    return this.#table;
  }

  /** In place: what runs and what was learned stays with the server's name. */
  update(now: number, settings: PoolSettings): void {
    this.#learn(settings);
    this.#facts.update(settings);
    if (!settings.outlier.enabled) this.#endEjections(now);
    this.#roster.update(now, settings);
    this.#queue.update(settings.queue);
    this.retries.update(settings.retry);
    this.#settled();
  }

  /** Changes no counts: `started` does, as soon as the attempt is made. */
  pick(now: number, request: PickRequest): Pick {
    const answer = this.#answer;
    const { sticky, tried } = request;
    answer.bound = sticky === undefined ? undefined : this.#roster.get(sticky);
    const bound = answer.bound;
    if (bound?.reachable === true && !tried.includes(bound)) {
      return bound.full ? answer.set(undefined, "queue") : answer.set(bound, "sticky");
    }
    if (this.#queue.anyWaiting > 0 && tried.length === 0) return answer.set(undefined, "queue");
    return this.#choose(now, request);
  }

  /** What `pick` goes by, a line each. Changes nothing. */
  explain(asked: ExplainedPick): string[] {
    const { serving } = this.#roster;
    return serving === undefined ? [] : explainPick(this.#settings.algorithm, serving, asked);
  }

  started(_now: number, server: Server): void {
    server.active++;
    server.started++;
    const { load } = server;
    if (load === undefined) return;
    load.active++;
    load.actives[server.slot]!++;
  }

  /** `latencyMs`: from the attempt's start to the first byte of its answer; -1 = none came. */
  finished(now: number, server: Server, outcome: Outcome, latencyMs: number): void {
    assert(server.active > 0, "an attempt was finished that was not started");
    server.active--;
    const { load } = server;
    if (load !== undefined) {
      load.active--;
      load.actives[server.slot]!--;
    }
    if (outcome === "ok") {
      if (latencyMs >= 0) observeLatency(server, now, latencyMs, this.#decayMs);
      this.#observe(now, server, false);
    } else if (outcome !== "cancelled") {
      server.failed++;
      observeFailure(server, now, latencyMs, this.#decayMs);
      this.#observe(now, server, true);
    }
    if (server.active === 0 && !server.inService) {
      this.#facts.emptied(now, server);
      if (server.leaving) this.#roster.forget(server);
    }
  }

  /** False: no such server. */
  setHealth(now: number, server: string, verdict: HealthVerdict): boolean {
    const known = this.#configured(server);
    if (known === undefined) return false;
    const { admin } = known;
    if (!this.#facts.heard(now, known, verdict)) return true;
    // Of a thousand new servers the first verdicts change nothing for the others.
    if (known.admin !== admin || this.#roster.refresh(now, known)) this.#settle(now);
    return true;
  }

  /** Undefined: the configuration's word again. False: no such server. */
  setAdmin(now: number, server: string, change: AdminChange | undefined): boolean {
    const known = this.#configured(server);
    if (known === undefined) return false;
    this.#facts.ordered(now, known, change);
    this.#settle(now);
    return true;
  }

  /** 0-256; undefined: the configuration's again. False: no such server. */
  setWeight(now: number, server: string, weight: number | undefined): boolean {
    const known = this.#configured(server);
    if (known === undefined) return false;
    this.#facts.weighted(now, known, weight);
    this.#settle(now);
    return true;
  }

  /** What `setAdmin` and `setWeight` said, to be said again after a restart. */
  overrides(): ServerOverride[] {
    return this.servers
      .filter((s) => s.adminChange !== undefined || s.weightChange !== undefined)
      .map(({ name, adminChange, weightChange }) => ({
        server: name,
        ...(adminChange !== undefined && { admin: adminChange }),
        ...(weightChange !== undefined && { weight: weightChange }),
      }));
  }

  /** Gets in line; the request is copied. Undefined: the line is full, or there is none. */
  enqueue(
    now: number,
    waiter: Waiter,
    request: PickRequest,
    queueClass: QueueClass,
  ): Ticket<Waiter> | undefined {
    const { sticky, tried } = request;
    const named = sticky === undefined ? undefined : this.#roster.get(sticky);
    const bound = named?.reachable === true && !tried.includes(named) ? named : undefined;
    const ticket = this.#queue.ticket(now, waiter, request);
    return this.#queue.enqueue(ticket, queueClass, bound) ? ticket : undefined;
  }

  /** The client has gone. Also right for a ticket that was granted or dropped. */
  leave(ticket: Ticket<Waiter>): void {
    this.#queue.leave(ticket);
  }

  /** Requests in line, and refused ones that were not fetched yet. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** The next one in line and its server; `started` must follow at once. */
  nextGrant(now: number): Grant<Waiter> | undefined {
    if (this.#queue.waiting === 0) return undefined;
    return this.#queue.nextGrant(now, (request) => {
      const bound = request.sticky === undefined ? undefined : this.#roster.get(request.sticky);
      if (bound?.reachable === true && !request.tried.includes(bound)) {
        return bound.full ? undefined : bound;
      }
      return this.#choose(now, request).server;
    });
  }

  /** One that is to be refused. */
  nextDropped(now: number): Dropped<Waiter> | undefined {
    return this.#queue.waiting === 0 ? undefined : this.#queue.nextDropped(now);
  }

  /** When `wake` is wanted; Infinity = never. May move with every call. */
  get deadline(): number {
    const own = Math.min(this.#nextEndAt, this.#intervalEndsAt, this.#roster.deadline);
    return this.#queue.waiting === 0 ? own : Math.min(own, this.#queue.deadline);
  }

  wake(now: number): void {
    if (now < Math.min(this.#nextEndAt, this.#intervalEndsAt, this.#roster.deadline)) return;
    for (const server of this.servers) {
      if (server.ejectedUntil <= now) this.#facts.returned(now, server, "its ejection is over");
      if (server.drainEndsAt <= now) this.#facts.drainEnds(now, server);
    }
    if (this.#intervalEndsAt <= now) this.#endInterval(now);
    this.#settle(now);
  }

  /** What happened since the last call, oldest first. */
  takeEvents(): readonly PoolEvent[] {
    return this.#log.take();
  }

  status(now: number): PoolStatus {
    return {
      name: this.#settings.name,
      algorithm: this.#settings.algorithm.kind,
      tier: this.#roster.serving?.number,
      panic: this.#roster.panic,
      waiting: this.waiting,
      retryBalance: this.retries.balance(now),
      servers: this.servers.map((server) => serverStatus(server, now)),
    };
  }

  #choose(now: number, request: PickRequest): Pick {
    const answer = this.#answer;
    const { tiers, serving } = this.#roster;
    if (serving === undefined) return answer.set(undefined, "none-usable");
    // A retry that has tried the whole tier goes on with the next.
    for (let i = tiers.indexOf(serving); i < tiers.length; i++) {
      const tier = tiers[i]!;
      const server = tier.pick(now, request);
      if (server !== undefined) {
        if (request.sticky !== undefined) return answer.set(server, "redispatched");
        if (tier.panic) return answer.set(server, "panic");
        return answer.set(server, i === 0 ? "algorithm" : "tier");
      }
      if (tier.hasUntried(request.tried)) return answer.set(undefined, "queue");
    }
    return answer.set(undefined, "all-tried");
  }

  #observe(now: number, server: Server, failed: boolean): void {
    const { outlier } = this.#settings;
    if (!outlier.enabled) return;
    if (this.#intervalEndsAt === Infinity) this.#intervalEndsAt = now + outlier.intervalMs;
    const reason = observeResult(server, failed, outlier);
    if (reason !== undefined && this.#tryEject(now, server, reason)) this.#settle(now);
  }

  /** Not more than allowed, and never the last one that can serve. */
  #tryEject(now: number, server: Server, reason: string): boolean {
    if (!server.inService) return false;
    const present = this.servers.filter((other) => !other.leaving);
    const out = present.filter((other) => other.ejected).length;
    if (out >= mayBeEjected(present.length, this.#settings.outlier)) return false;
    const spare = present.some((other) => other !== server && other.healthy && !other.ejected);
    if (spare) this.#facts.ejected(now, server, reason);
    return spare;
  }

  #endInterval(now: number): void {
    const { outlier } = this.#settings;
    for (const { server, reason } of lowSuccessRates(this.servers, outlier)) {
      this.#tryEject(now, server, reason);
    }
    startInterval(now, this.servers, outlier.intervalMs);
    const unforgiven = this.servers.some((server) => server.ejectionLevel > 0);
    this.#intervalEndsAt = unforgiven ? now + outlier.intervalMs : Infinity;
  }

  #endEjections(now: number): void {
    for (const server of this.servers) {
      if (server.ejected) this.#facts.returned(now, server, "outliers are not looked for any more");
    }
  }

  #configured(name: string): Server | undefined {
    const server = this.#roster.get(name);
    return server?.leaving === true ? undefined : server;
  }

  #learn(settings: PoolSettings): void {
    const { algorithm } = settings;
    this.#settings = settings;
    this.#decayMs = algorithm.kind === "peak-ewma" ? algorithm.decayMs : USUAL_DECAY_MS;
    if (!settings.outlier.enabled) this.#intervalEndsAt = Infinity;
    this.#bind(settings);
  }

  #bind({ name, servers, stickiness }: PoolSettings): void {
    const names = servers.map((server) => server.name);
    this.#cookie =
      stickiness.kind === "cookie" ? new StickyCookie(stickiness, name, names) : undefined;
    if (stickiness.kind !== "table") this.#table = undefined;
    else if (this.#table !== undefined) this.#table.update(stickiness.size, stickiness.ttlMs);
    else this.#table = new StickTable(stickiness.size, stickiness.ttlMs);
  }

  #settle(now: number): void {
    this.#roster.settle(now);
    this.#settled();
  }

  #settled(): void {
    let next = Infinity;
    for (const { ejectedUntil, drainEndsAt } of this.servers) {
      next = Math.min(next, ejectedUntil, drainEndsAt);
    }
    this.#nextEndAt = next;
  }
}
