/** The pools of one engine: of requests and of TCP connections, and those that are on their way out. */

import { Prng } from "../../lib/prng.ts";
import type { PoolSettings } from "../balance/pool-settings.ts";
import type { Server } from "../balance/server.ts";
import type { SharedEjections } from "../balance/shared-ejections.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { BalanceSettings } from "./frontend-settings.ts";
import { TcpDispatcher } from "./tcp-dispatcher.ts";

export type AnyDispatcher = Dispatcher | TcpDispatcher;

export class Pools {
  readonly #parts: EngineParts;
  /** Of requests, by name. */
  readonly http: Map<string, Dispatcher> = new Map();
  /** Of connections, by name. */
  readonly tcp: Map<string, TcpDispatcher> = new Map();
  /** Taken out of the configuration, and not quiet yet. */
  readonly #retired = new Set<AnyDispatcher>();
  #shared: SharedEjections | undefined;
  #seenVersion = -1;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get all(): AnyDispatcher[] {
    return [...this.http.values(), ...this.tcp.values()];
  }

  find(name: string): AnyDispatcher | undefined {
    return this.http.get(name) ?? this.tcp.get(name);
  }

  /** In place: what was learned of servers stays with their names. */
  configure({ frontends, pools }: BalanceSettings): void {
    const carried = frontends.filter(({ mode }) => mode === "tcp");
    const ofTcp = new Set(carried.map(({ defaultPool }) => defaultPool));
    const kept = new Set(pools.map(({ name }) => name));
    const before = new Map(this.all.map(({ pool, settings }) => [settings.name, pool.servers]));
    for (const [name] of this.http) if (!kept.has(name) || ofTcp.has(name)) this.#retire(name);
    for (const [name] of this.tcp) if (!kept.has(name) || !ofTcp.has(name)) this.#retire(name);
    for (const settings of pools) {
      const { name } = settings;
      const known = this.find(name);
      if (known !== undefined) known.update(settings);
      else if (ofTcp.has(name)) this.tcp.set(name, this.#tcpPool(settings));
      else this.http.set(name, this.#httpPool(settings));
      if (known === undefined) this.#begin(this.find(name)!, before.get(name) ?? []);
    }
  }

  /** `before`: its servers when it carried something else. */
  #begin({ pool }: AnyDispatcher, before: readonly Server[]): void {
    const { now } = this.#parts;
    pool.learnFrom(now, before);
    if (this.#shared !== undefined) pool.share(now, this.#shared);
  }

  /** From now on ejections are those of all workers. */
  share(shared: SharedEjections): void {
    this.#shared = shared;
    for (const { pool } of this.all) pool.share(this.#parts.now, shared);
  }

  /** Cheap while no other worker has decided anything. */
  follow(now: number): void {
    const version = this.#shared?.version ?? this.#seenVersion;
    if (version === this.#seenVersion) return;
    this.#seenVersion = version;
    for (const dispatcher of this.all) {
      dispatcher.pool.follow(now);
      dispatcher.changed();
    }
  }

  get deadline(): number {
    let deadline = Infinity;
    for (const { pool } of this.http.values()) deadline = Math.min(deadline, pool.deadline);
    for (const { pool } of this.tcp.values()) deadline = Math.min(deadline, pool.deadline);
    for (const { pool } of this.#retired) deadline = Math.min(deadline, pool.deadline);
    return deadline;
  }

  wake(now: number): void {
    for (const dispatcher of this.http.values()) wakePool(dispatcher, now);
    for (const dispatcher of this.tcp.values()) wakePool(dispatcher, now);
    for (const dispatcher of this.#retired) {
      wakePool(dispatcher, now);
      if (dispatcher.isQuiet) this.#retired.delete(dispatcher);
    }
  }

  #retire(name: string): void {
    const dispatcher = this.find(name)!;
    dispatcher.retire();
    dispatcher.pool.shareNoMore();
    this.http.delete(name);
    this.tcp.delete(name);
    this.#retired.add(dispatcher);
  }

  #httpPool(settings: PoolSettings): Dispatcher {
    return new Dispatcher(this.#parts, settings, new Prng(this.#parts.prng.uint32()));
  }

  #tcpPool(settings: PoolSettings): TcpDispatcher {
    return new TcpDispatcher(this.#parts, settings, new Prng(this.#parts.prng.uint32()));
  }
}

function wakePool(dispatcher: AnyDispatcher, now: number): void {
  if (dispatcher.pool.deadline > now) return;
  dispatcher.pool.wake(now);
  dispatcher.changed();
}
