/**
 * The proxy engine: a pure machine over byte spans. Transports bring clients (`accept`) and carry
 * bytes (`Wire`); time comes in with every call; what is decided goes out as calls of wires and
 * sinks. One engine per worker process.
 */

import { Prng } from "../../lib/prng.ts";
import type { AdminChange, HealthVerdict, ServerOverride } from "../balance/pool-ports.ts";
import type { StickRecord } from "../balance/stick-table.ts";
import { ClientConnection } from "./client-connection.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type EngineOptions, EngineParts } from "./engine-parts.ts";
import { explainRequest } from "./explain-request.ts";
import { Frontend } from "./frontend.ts";
import type { BalanceSettings } from "./frontend-settings.ts";
import { Intake } from "./intake.ts";
import type { AskedRequest, RequestExplanation } from "./request-explanation.ts";
import { COUNTERS } from "./traffic.ts";
import type { ClientOrigin, Peer, Wire } from "./wire.ts";

/** Told to other workers at a time. */
const STICK_CHANGES = 1000;

export class Engine {
  readonly #parts: EngineParts;
  readonly #intake: Intake;
  readonly #frontends = new Map<string, Frontend>();
  readonly #pools = new Map<string, Dispatcher>();
  /** Taken out of the configuration, and not quiet yet. */
  readonly #retired = new Set<Dispatcher>();
  readonly #clients = new Set<ClientConnection>();

  constructor(now: number, options: EngineOptions) {
    this.#parts = new EngineParts(now, options);
    this.#intake = new Intake(this.#parts, {
      pools: this.#pools,
      left: (client) => this.#left(client),
    });
  }

  /** In place: what runs goes on, what was learned of servers stays with their names. */
  configure(now: number, settings: BalanceSettings): void {
    this.#parts.now = now;
    for (const pool of settings.pools) {
      const known = this.#pools.get(pool.name);
      if (known !== undefined) known.update(pool);
      else this.#pools.set(pool.name, this.#newPool(pool));
    }
    for (const [name, dispatcher] of this.#pools) {
      if (settings.pools.some((pool) => pool.name === name)) continue;
      dispatcher.retire();
      this.#pools.delete(name);
      this.#retired.add(dispatcher);
    }
    for (const frontend of settings.frontends) {
      const known = this.#frontends.get(frontend.name);
      if (known !== undefined) known.configure(frontend);
      else this.#frontends.set(frontend.name, new Frontend(frontend));
    }
    // Clients of a frontend that is gone finish what they have begun.
    for (const name of this.#frontends.keys()) {
      if (!settings.frontends.some((frontend) => frontend.name === name)) this.#close(name);
    }
  }

  /** Wall clock, ms since 1970; cookies go by it. */
  setWallClock(now: number, wallMs: number): void {
    this.#parts.now = now;
    this.#parts.setWallClock(wallMs);
  }

  /** A client that the transport has accepted. The wire may already be destroyed on return. */
  accept(now: number, wire: Wire, origin: ClientOrigin): Peer {
    this.#parts.now = now;
    const frontend = this.#frontends.get(origin.frontend);
    const refused = frontend === undefined ? "gone" : frontend.admit(origin.source);
    if (frontend === undefined || refused !== undefined) {
      frontend?.traffic.add(COUNTERS.connectionsRefused, 1);
      wire.destroy(true);
      return NOBODY;
    }
    frontend.traffic.add(COUNTERS.connections, 1);
    frontend.traffic.add(COUNTERS.openConnections, 1);
    const client = new ClientConnection(this.#parts, this.#intake, { wire, origin, frontend });
    this.#clients.add(client);
    return client;
  }

  /** A handshake or a PROXY header failed: it never became a client. */
  refusedConnection(frontend: string, kind: ConnectionRefusal): void {
    const counter = kind === "handshake" ? COUNTERS.handshakesFailed : COUNTERS.connectionsRefused;
    this.#frontends.get(frontend)?.traffic.add(counter, 1);
  }

  // ---- what is known of servers ----

  /** False, as of the next two: there is no such server. */
  setHealth(now: number, pool: string, server: string, verdict: HealthVerdict): boolean {
    return this.#change(now, pool, (dispatcher) => dispatcher.pool.setHealth(now, server, verdict));
  }

  setAdmin(now: number, pool: string, server: string, change: AdminChange | undefined): boolean {
    return this.#change(now, pool, (dispatcher) => dispatcher.pool.setAdmin(now, server, change));
  }

  setWeight(now: number, pool: string, server: string, weight: number | undefined): boolean {
    return this.#change(now, pool, (dispatcher) => dispatcher.pool.setWeight(now, server, weight));
  }

  /** What operators had said before; servers that are not named keep what they have. */
  applyOverrides(
    now: number,
    overrides: readonly { readonly pool: string; readonly servers: readonly ServerOverride[] }[],
  ): void {
    for (const { pool, servers } of overrides) {
      for (const { server, admin, weight } of servers) {
        if (admin !== undefined) this.setAdmin(now, pool, server, admin);
        if (weight !== undefined) this.setWeight(now, pool, server, weight);
      }
    }
  }

  /** Everything that sticks, or what is new since the last call with `changes`. */
  exportSticks(now: number, changes: boolean): { pool: string; entries: StickRecord[] }[] {
    const tables = [];
    for (const { pool, settings } of this.#pools.values()) {
      const { table } = pool;
      if (table === undefined) continue;
      const entries = changes ? table.takeChanges(now, STICK_CHANGES) : table.dump(now);
      if (entries.length > 0) tables.push({ pool: settings.name, entries });
    }
    return tables;
  }

  importSticks(
    now: number,
    tables: readonly { readonly pool: string; readonly entries: readonly StickRecord[] }[],
  ): void {
    for (const { pool, entries } of tables) this.#pools.get(pool)?.pool.table?.load(now, entries);
  }

  // ---- what is to be seen ----

  get frontends(): Iterable<Frontend> {
    return this.#frontends.values();
  }

  get dispatchers(): Iterable<Dispatcher> {
    return this.#pools.values();
  }

  get connections(): number {
    return this.#clients.size;
  }

  get inFlight(): number {
    return this.#parts.inFlight;
  }

  /** Bytes kept for connections: zero when none has anything unfinished. */
  get lentBytes(): number {
    return this.#parts.buffers.lentBytes;
  }

  get isReady(): boolean {
    return this.#parts.isReady;
  }

  /** `/readyz` says it; nothing else changes. */
  set isReady(ready: boolean) {
    this.#parts.isReady = ready;
  }

  explain(now: number, asked: AskedRequest): RequestExplanation {
    this.#parts.now = now;
    return explainRequest({ frontends: this.#frontends, pools: this.#pools, now }, asked);
  }

  // ---- the end ----

  /**
   * Each answer is the last of its connection. Whoever has been idle for `silentMs` is let go: one
   * that has just had an answer may be sending its next request, which would be lost. May be said
   * again.
   */
  drain(now: number, silentMs = 0): void {
    this.#parts.now = now;
    this.#parts.isDraining = true;
    this.#parts.isReady = false;
    for (const client of this.#clients) {
      if (client.isIdle && now - client.idleSince >= silentMs) client.close();
    }
  }

  /** It does not end after all: connections last again. */
  resume(now: number): void {
    this.#parts.now = now;
    this.#parts.isDraining = false;
    this.#parts.isReady = true;
  }

  /** Whatever still runs. */
  cut(now: number, reason: string): void {
    this.#parts.now = now;
    for (const client of this.#clients) client.kill(reason);
    for (const dispatcher of this.#pools.values()) {
      for (const group of dispatcher.groups) group.closeIdle();
    }
  }

  // ---- time ----

  /** When `wake` is wanted; Infinity = never. May move with every call. */
  get deadline(): number {
    let deadline = this.#parts.wheel.deadline;
    for (const { pool } of this.#pools.values()) deadline = Math.min(deadline, pool.deadline);
    for (const { pool } of this.#retired) deadline = Math.min(deadline, pool.deadline);
    return deadline;
  }

  wake(now: number): void {
    const parts = this.#parts;
    parts.now = now;
    parts.wheel.wake(now);
    for (const dispatcher of this.#pools.values()) wakePool(dispatcher, now);
    for (const dispatcher of this.#retired) {
      wakePool(dispatcher, now);
      if (dispatcher.isQuiet) this.#retired.delete(dispatcher);
    }
  }

  #newPool(settings: BalanceSettings["pools"][number]): Dispatcher {
    return new Dispatcher(this.#parts, settings, new Prng(this.#parts.prng.uint32()));
  }

  #change(now: number, pool: string, change: (dispatcher: Dispatcher) => boolean): boolean {
    this.#parts.now = now;
    const dispatcher = this.#pools.get(pool);
    if (dispatcher === undefined || !change(dispatcher)) return false;
    dispatcher.changed();
    return true;
  }

  #close(name: string): void {
    this.#frontends.delete(name);
    for (const client of this.#clients) {
      if (client.frontend.name === name) client.retire();
    }
  }

  #left(client: ClientConnection): void {
    if (!this.#clients.delete(client)) return;
    client.frontend.left(client.origin.source);
    client.frontend.traffic.add(COUNTERS.openConnections, -1);
  }
}

function wakePool(dispatcher: Dispatcher, now: number): void {
  if (dispatcher.pool.deadline > now) return;
  dispatcher.pool.wake(now);
  dispatcher.changed();
}

/** Why somebody never became a client: the TLS handshake failed, or the connection was too much. */
export type ConnectionRefusal = "handshake" | "connection";

/** Of connections that were refused: there is nothing to say to them. */
const NOBODY: Peer = { received() {}, drained() {}, ended() {}, closed() {} };
