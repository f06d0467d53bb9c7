/**
 * The proxy engine: a pure machine over byte spans. Transports bring clients (`accept`) and carry
 * bytes (`Wire`); time comes in with every call; what is decided goes out as calls of wires and
 * sinks. One engine per worker process.
 */

import { assert } from "../../lib/assert.ts";
import type { AdminChange, HealthVerdict, ServerOverride } from "../balance/pool-ports.ts";
import type { StickRecord } from "../balance/stick-table.ts";
import { ClientConnection } from "./client-connection.ts";
import { Crowd } from "./crowd.ts";
import { type EngineOptions, EngineParts } from "./engine-parts.ts";
import { explainRequest } from "./explain-request.ts";
import { Frontend } from "./frontend.ts";
import type { BalanceSettings, FrontendSettings } from "./frontend-settings.ts";
import { Intake } from "./intake.ts";
import type { AskedRequest, RequestExplanation } from "./request-explanation.ts";
import { type AnyDispatcher, Pools } from "./pools.ts";
import { LoneCount, type SharedCount, type SharedState } from "./shared-state.ts";
import { TcpSession } from "./tcp-session.ts";
import { COUNTERS } from "./traffic.ts";
import type { ClientOrigin, Peer, Wire } from "./wire.ts";

/** Told to other workers at a time. */
const STICK_CHANGES = 10_000;
/** The name under which requests in flight are counted: no frontend has a blank in its name. */
const LOAD = "requests in flight";

export class Engine {
  readonly #parts: EngineParts;
  readonly #intake: Intake;
  readonly #frontends = new Map<string, Frontend>();
  readonly #pools: Pools;
  readonly #clients = new Crowd<ClientConnection | TcpSession>();
  #shared: SharedState | undefined;
  #load: SharedCount | undefined;

  constructor(now: number, options: EngineOptions) {
    this.#parts = new EngineParts(now, options);
    this.#pools = new Pools(this.#parts);
    this.#intake = new Intake(this.#parts, {
      pools: this.#pools.http,
      left: (client) => this.#left(client),
    });
  }

  /** In place: what runs goes on, what was learned of servers stays with their names. */
  configure(now: number, settings: BalanceSettings): void {
    this.#parts.now = now;
    this.#pools.configure(settings);
    for (const frontend of settings.frontends) {
      const known = this.#frontends.get(frontend.name);
      if (known !== undefined) known.configure(frontend);
      else this.#frontends.set(frontend.name, this.#newFrontend(frontend));
    }
    // Clients of a frontend that is gone finish what they have begun.
    for (const name of this.#frontends.keys()) {
      if (!settings.frontends.some((frontend) => frontend.name === name)) this.#close(name);
    }
    this.#countLoad();
  }

  #newFrontend(settings: FrontendSettings): Frontend {
    const frontend = new Frontend(settings);
    if (this.#shared !== undefined) frontend.share(this.#shared);
    return frontend;
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
    if (frontend.settings.mode === "tcp") return this.#carry(wire, origin, frontend);
    const client = new ClientConnection(this.#parts, this.#intake, { wire, origin, frontend });
    this.#clients.add(client);
    return client;
  }

  #carry(wire: Wire, origin: ClientOrigin, frontend: Frontend): Peer {
    const dispatcher = this.#pools.tcp.get(frontend.settings.defaultPool ?? "");
    assert(dispatcher !== undefined, "the configuration has refused a TCP frontend without a pool");
    const left = (session: TcpSession): void => this.#left(session);
    const client = { wire, origin, frontend, dispatcher, left };
    const session = new TcpSession(this.#parts, client);
    this.#clients.add(session);
    dispatcher.begin(session);
    return session;
  }

  /** A handshake or a PROXY header failed: it never became a client. */
  refusedConnection(frontend: string, kind: ConnectionRefusal): void {
    const counter = kind === "handshake" ? COUNTERS.handshakesFailed : COUNTERS.connectionsRefused;
    this.#frontends.get(frontend)?.traffic.add(counter, 1);
  }

  // ---- what is known of servers ----

  /** Undefined: nothing is known of it any more. False, as of the next two: there is no such server. */
  setHealth(
    now: number,
    pool: string,
    server: string,
    verdict: HealthVerdict | undefined,
  ): boolean {
    return this.#change(now, pool, (dispatcher) => dispatcher.pool.setHealth(now, server, verdict));
  }

  setAdmin(now: number, pool: string, server: string, change: AdminChange | undefined): boolean {
    return this.#change(now, pool, (dispatcher) => dispatcher.pool.setAdmin(now, server, change));
  }

  setWeight(now: number, pool: string, server: string, weight: number | undefined): boolean {
    return this.#change(now, pool, (dispatcher) => dispatcher.pool.setWeight(now, server, weight));
  }

  /**
   * What operators had said before, told with each configuration; servers that are not named keep what
   * they have.
   */
  applyOverrides(
    now: number,
    overrides: readonly { readonly pool: string; readonly servers: readonly ServerOverride[] }[],
  ): void {
    for (const { pool, servers } of overrides) {
      for (const { server, admin, weight } of servers) {
        if (admin !== undefined) {
          this.#change(now, pool, (dispatcher) => dispatcher.pool.keepAdmin(now, server, admin));
        }
        if (weight !== undefined) this.setWeight(now, pool, server, weight);
      }
    }
  }

  /** Everything that sticks, or what is new since the last call with `changes`. */
  exportSticks(now: number, changes: boolean): { pool: string; entries: StickRecord[] }[] {
    const tables = [];
    for (const { pool, settings } of this.#pools.all) {
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
    for (const { pool, entries } of tables) this.#pools.find(pool)?.pool.table?.load(now, entries);
  }

  // ---- what all workers know ----

  share(now: number, shared: SharedState): void {
    this.#parts.now = now;
    this.#shared = shared;
    for (const frontend of this.#frontends.values()) frontend.share(shared);
    this.#pools.share(shared.ejections);
    this.#countLoad();
  }

  /** At the beginning of each turn: what other workers decided meanwhile. */
  follow(now: number): void {
    this.#parts.now = now;
    this.#pools.follow(now);
  }

  /** Only where somebody goes by it. */
  #countLoad(): void {
    const isAsked = [...this.#frontends.values()].some(({ settings }) => settings.shedding.enabled);
    this.#load ??= isAsked ? this.#shared?.count(LOAD) : undefined;
    this.#parts.countLoad(isAsked && this.#load !== undefined ? this.#load : new LoneCount());
  }

  // ---- what is to be seen ----

  get frontends(): Iterable<Frontend> {
    return this.#frontends.values();
  }

  get dispatchers(): Iterable<AnyDispatcher> {
    return this.#pools.all;
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
    const { http, tcp } = this.#pools;
    const { wallMs } = this.#parts;
    const place = { frontends: this.#frontends, pools: http, carried: tcp, now, wallMs };
    return explainRequest(place, asked);
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
    for (const dispatcher of this.#pools.http.values()) {
      for (const group of dispatcher.groups) group.closeIdle();
    }
  }

  // ---- time ----

  /** When `wake` is wanted; Infinity = never. May move with every call. */
  get deadline(): number {
    return Math.min(this.#parts.wheel.deadline, this.#pools.deadline);
  }

  wake(now: number): void {
    const parts = this.#parts;
    parts.now = now;
    parts.wheel.wake(now);
    this.#pools.wake(now);
  }

  #change(now: number, pool: string, change: (dispatcher: AnyDispatcher) => boolean): boolean {
    this.#parts.now = now;
    const dispatcher = this.#pools.find(pool);
    if (dispatcher === undefined || !change(dispatcher)) return false;
    dispatcher.changed();
    return true;
  }

  #close(name: string): void {
    this.#frontends.get(name)?.guests.part();
    this.#frontends.delete(name);
    for (const client of this.#clients) {
      if (client.frontend.name === name) client.retire();
    }
  }

  #left(client: ClientConnection | TcpSession): void {
    if (!this.#clients.delete(client)) return;
    client.frontend.left(client.origin.source);
    client.frontend.traffic.add(COUNTERS.openConnections, -1);
  }
}

/** Why somebody never became a client: the TLS handshake failed, or the connection was too much. */
export type ConnectionRefusal = "handshake" | "connection";

/** Of connections that were refused: there is nothing to say to them. */
const NOBODY: Peer = { received() {}, drained() {}, ended() {}, closed() {} };
