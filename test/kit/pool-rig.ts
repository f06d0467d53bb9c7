/** Pools for tests: settings with defaults, and a stream of requests that overlap. */

import { Prng } from "../../src/lib/prng.ts";
import { mixed } from "../../src/core/balance/hash.ts";
import { POOL_DEFAULTS } from "../../src/core/balance/pool-defaults.ts";
import type { Outcome, PickRequest } from "../../src/core/balance/pool-ports.ts";
import { Pool } from "../../src/core/balance/pool.ts";
import type {
  Algorithm,
  PoolSettings,
  ServerSettings,
} from "../../src/core/balance/pool-settings.ts";
import type { Server } from "../../src/core/balance/server.ts";

export type PoolDraft = Partial<Omit<PoolSettings, "servers">>;
export type ServerDraft = Partial<ServerSettings>;

export function serverSettings(index: number, draft: ServerDraft = {}): ServerSettings {
  return {
    name: `web${index + 1}`,
    endpoint: { kind: "ip", address: `192.0.2.${(index % 250) + 1}`, port: 80 },
    weight: 1,
    tier: 0,
    maxConnections: 0,
    check: "http",
    admin: "ready",
    ...draft,
  };
}

export function poolSettings(servers: readonly ServerDraft[], draft: PoolDraft = {}): PoolSettings {
  return {
    ...POOL_DEFAULTS,
    name: "web",
    servers: servers.map((server, i) => serverSettings(i, server)),
    algorithm: { kind: "round-robin" },
    slowStart: { ...POOL_DEFAULTS.slowStart, windowMs: 0 },
    ...draft,
  };
}

export function request(draft: Partial<PickRequest> = {}): PickRequest {
  return { hash: 0, sticky: undefined, tried: [], ...draft };
}

export interface Stream {
  readonly requests: number;
  /** How many run at the same time. Default 1. */
  readonly inFlight?: number;
  /** Default 10. */
  readonly latencyMs?: (server: Server) => number;
  readonly outcome?: (server: Server, index: number) => Outcome;
}

/** A pool with a clock and names instead of objects, for tests that tell a story. */
export class PoolRig {
  readonly pool: Pool<string>;
  now = 1000;
  readonly #keys: Prng;

  constructor(settings: PoolSettings, seed = 1) {
    this.pool = new Pool(settings, new Prng(seed), this.now);
    this.#keys = new Prng(seed + 1);
  }

  /** Goes on in time, waking the pool at each of its deadlines. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.pool.deadline <= end && this.pool.deadline > this.now) {
      this.now = this.pool.deadline;
      this.pool.wake(this.now);
    }
    this.now = end;
    this.pool.wake(end);
  }

  server(name: string): Server {
    const server = this.pool.server(name);
    if (server === undefined) throw new Error(`no server ${name}`);
    return server;
  }

  pick(draft: Partial<PickRequest> = {}): string | undefined {
    return this.pool.pick(this.now, request(draft)).server?.name;
  }

  start(name: string): void {
    this.pool.started(this.now, this.server(name));
  }

  finish(name: string, outcome: Outcome = "ok", latencyMs = 10): void {
    this.pool.finished(this.now, this.server(name), outcome, latencyMs);
  }

  down(name: string, reason = "check failed: status 503, wanted 200-399, 3 of 3"): void {
    this.pool.setHealth(this.now, name, { up: false, reason });
  }

  up(name: string, reason = "status 200"): void {
    this.pool.setHealth(this.now, name, { up: true, reason });
  }

  /** `web1 down: check failed ...`, oldest first. */
  events(): string[] {
    return this.pool
      .takeEvents()
      .map(({ kind, server, reason }) => `${server?.name ?? "pool"} ${kind}: ${reason}`);
  }

  /** Requests by server; a request that nobody took counts for `nobody`. */
  play(stream: Stream): Record<string, number> {
    const counts: Record<string, number> = {};
    const running: Server[] = [];
    const asked = request();
    for (let i = 0; i < stream.requests; i++) {
      asked.hash = mixed(this.#keys.uint32());
      const { server } = this.pool.pick(this.now, asked);
      const name = server?.name ?? "nobody";
      counts[name] = (counts[name] ?? 0) + 1;
      if (server === undefined) continue;
      this.pool.started(this.now, server);
      running.push(server);
      if (running.length >= (stream.inFlight ?? 1)) this.#end(running.shift()!, i, stream);
      this.now++;
    }
    for (const server of running) this.#end(server, stream.requests, stream);
    return counts;
  }

  #end(server: Server, index: number, { latencyMs, outcome }: Stream): void {
    const how = outcome?.(server, index) ?? "ok";
    this.pool.finished(this.now, server, how, latencyMs?.(server) ?? 10);
  }
}

export const ALGORITHMS: readonly Algorithm[] = [
  { kind: "round-robin" },
  { kind: "least-connections" },
  { kind: "two-choices" },
  { kind: "peak-ewma", decayMs: 10_000 },
  { kind: "hash", key: { of: "source" }, boundPercent: 125 },
  { kind: "maglev", key: { of: "source" }, tableSize: 65_537 },
  { kind: "first" },
  { kind: "random" },
];
