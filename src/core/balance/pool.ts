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
import { Ejections } from "./ejections.ts";
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
import type { SharedEjections } from "./shared-ejections.ts";
import { StickTable } from "./stick-table.ts";
import { StickyCookie } from "./sticky-cookie.ts";
import { WaitQueue, type Dropped, type Grant, type QueueClass, type Ticket } from "./wait-queue.ts";

/** `Waiter`: whatever the engine wants back when a waiting request gets its place. */
export class Pool<Waiter = unknown> {
  readonly retries: RetryBudget;
  readonly #log = new PoolLog();
  readonly #facts: ServerFacts;
  readonly #ejections: Ejections;
  readonly #roster: Roster;
  readonly #queue: WaitQueue<Waiter>;
  readonly #answer: PickAnswer;
  #cookie: StickyCookie | undefined;
  #table: StickTable | undefined;
  #settings: PoolSettings;
  #decayMs = USUAL_DECAY_MS;
  /** Ends of ejections and drains. */
  #nextEndAt = Infinity;

  constructor(settings: PoolSettings, prng: Prng, now: number) {
    this.#settings = settings;
    this.retries = new RetryBudget(settings.retry, now);
    this.#facts = new ServerFacts(settings, this.#log);
    this.#roster = new Roster(settings, { log: this.#log, facts: this.#facts, prng }, now);
    const servers = (): readonly Server[] => this.servers;
    this.#ejections = new Ejections(settings, { facts: this.#facts, servers });
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
    this.#ejections.update(now, settings);
    this.#roster.update(now, settings);
    if (this.#ejections.follow(now)) this.#roster.settle(now);
    this.#queue.update(settings.queue);
    this.retries.update(settings.retry);
    this.#settled();
  }

  /** From now on ejections are those of all workers. */
  share(now: number, shared: SharedEjections): void {
    this.#ejections.share(shared);
    this.follow(now);
  }

  /** It is not configured any more: one that comes back under its name begins anew. */
  shareNoMore(): void {
    this.#ejections.shareNoMore();
  }

  /** What checks say of these servers under their names holds here, too, and is no news. */
  learnFrom(now: number, others: readonly Server[]): void {
    for (const other of others) {
      const known = this.#configured(other.name);
      const { checkUp: up, checkReason: reason } = other;
      if (up === undefined || known?.settings.check === undefined) continue;
      const { agentPercent: weightPercent, agentAdmin: admin, agentMaxConnections: most } = other;
      const said = most === undefined ? {} : { maxConnections: most };
      this.#facts.heard(now, known, { up, reason, weightPercent, admin, ...said });
    }
    this.#settle(now);
    this.#log.take();
  }

  /** What other workers decided on ejections meanwhile. */
  follow(now: number): void {
    if (this.#ejections.follow(now)) this.#settle(now);
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

  /** Undefined: nothing is known of it any more. False: no such server. */
  setHealth(now: number, server: string, verdict: HealthVerdict | undefined): boolean {
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

  /** An order as it is kept, perhaps told before: one that holds already does not begin anew. */
  keepAdmin(now: number, server: string, change: AdminChange): boolean {
    const known = this.#configured(server);
    if (known?.adminChange !== undefined && isSameOrder(known.adminChange, change)) return true;
    return this.setAdmin(now, server, change);
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
    const own = this.#ownDeadline;
    return this.#queue.waiting === 0 ? own : Math.min(own, this.#queue.deadline);
  }

  wake(now: number): void {
    if (now < this.#ownDeadline) return;
    for (const server of this.servers) {
      if (server.drainEndsAt <= now) this.#facts.drainEnds(now, server);
    }
    this.#ejections.wake(now);
    this.#settle(now);
  }

  get #ownDeadline(): number {
    return Math.min(this.#nextEndAt, this.#ejections.deadline, this.#roster.deadline);
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
    if (this.#ejections.observe(now, server, failed)) this.#settle(now);
  }

  #configured(name: string): Server | undefined {
    const server = this.#roster.get(name);
    return server?.leaving === true ? undefined : server;
  }

  #learn(settings: PoolSettings): void {
    const { algorithm } = settings;
    this.#settings = settings;
    this.#decayMs = algorithm.kind === "peak-ewma" ? algorithm.decayMs : USUAL_DECAY_MS;
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

function isSameOrder(one: AdminChange, other: AdminChange): boolean {
  const { state, reason, deadlineMs } = one;
  return state === other.state && reason === other.reason && deadlineMs === other.deadlineMs;
}
