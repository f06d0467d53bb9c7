/**
 * Who serves the next request. One object per pool and worker, changed in place: servers are matched
 * by name, and what is running or learned stays.
 *
 * The engine's part of the bargain:
 * - each attempt is `started` once and `finished` once, also one that was cut;
 * - the first attempt of a request is told to `retries.requested`, each further one asks
 *   `retries.tryRetry`;
 * - `takeEvents` after every call that changes something but `pick`, `started` and `finished`;
 * - while `waiting` > 0: `nextGrant` and `nextDropped` until undefined, after `enqueue`, `finished`,
 *   `wake` and every change.
 */

import type { Prng } from "../../lib/prng.ts";
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
import { RetryBudget } from "./retry-budget.ts";
import { Server } from "./server.ts";
import type { Dropped, Grant, QueueClass, Ticket } from "./wait-queue.ts";

/** `Waiter`: whatever the engine wants back when a waiting request gets its place. */
export class Pool<Waiter = unknown> {
  readonly retries: RetryBudget;
  readonly prng: Prng;
  #settings: PoolSettings;
  #servers: readonly Server[];

  constructor(settings: PoolSettings, prng: Prng, now: number) {
    this.#settings = settings;
    this.prng = prng;
    this.retries = new RetryBudget(settings.retry, now);
    this.#servers = settings.servers.map((server, id) => new Server(id, server));
  }

  get settings(): PoolSettings {
    return this.#settings;
  }

  /** In the order of the configuration; those that are leaving come last. */
  get servers(): readonly Server[] {
    return this.#servers;
  }

  server(name: string): Server | undefined {
    return this.#servers.find((server) => server.name === name);
  }

  /** In place: what runs and what was learned stays with the server's name. */
  update(_now: number, settings: PoolSettings): void {
    this.#settings = settings;
    this.retries.update(settings.retry);
  }

  pick(_now: number, request: PickRequest): Pick {
    const server = this.#servers.find((s) => !s.full && !request.tried.includes(s));
    return { server, why: server === undefined ? "none-usable" : "algorithm", reason: "" };
  }

  started(_now: number, server: Server): void {
    server.active++;
  }

  /** `latencyMs`: from the attempt's start to the first byte of its answer; -1 = none came. */
  finished(_now: number, server: Server, _outcome: Outcome, _latencyMs: number): void {
    server.active--;
  }

  /** False: no such server (any more). */
  setHealth(_now: number, server: string, _verdict: HealthVerdict): boolean {
    return this.server(server) !== undefined;
  }

  /** False: no such server. */
  setAdmin(_now: number, server: string, _change: AdminChange): boolean {
    return this.server(server) !== undefined;
  }

  /** 0-256; undefined: the configuration's again. False: no such server. */
  setWeight(_now: number, server: string, _weight: number | undefined): boolean {
    return this.server(server) !== undefined;
  }

  /** What `setAdmin` and `setWeight` said, to be said again after a restart. */
  overrides(): ServerOverride[] {
    return [];
  }

  /** Gets in line; the request is copied. Undefined: the line is full, or there is none. */
  enqueue(
    _now: number,
    _waiter: Waiter,
    _request: PickRequest,
    _queueClass: QueueClass,
  ): Ticket<Waiter> | undefined {
    return undefined;
  }

  /** The client has gone. Also right for a ticket that was granted or dropped. */
  leave(_ticket: Ticket<Waiter>): void {}

  get waiting(): number {
    return 0;
  }

  /** The next one in line and its server; `started` must follow at once. */
  nextGrant(_now: number): Grant<Waiter> | undefined {
    return undefined;
  }

  /** One that is to be refused. */
  nextDropped(_now: number): Dropped<Waiter> | undefined {
    return undefined;
  }

  /** When `wake` is wanted; Infinity = never. May move with every call. */
  get deadline(): number {
    return Infinity;
  }

  wake(_now: number): void {}

  /** What happened since the last call, oldest first. */
  takeEvents(): readonly PoolEvent[] {
    return [];
  }

  status(now: number): PoolStatus {
    return {
      name: this.#settings.name,
      algorithm: this.#settings.algorithm.kind,
      tier: undefined,
      panic: false,
      waiting: this.waiting,
      retryBalance: this.retries.balance(now),
      servers: [],
    };
  }
}
