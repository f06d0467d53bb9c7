/**
 * Which client sticks to which server, as all workers have told it: kept in the control process, so that
 * a worker that dies takes nothing along but what it had not told yet (a tenth of a second, or what is
 * beyond 100,000 new bindings a second).
 */

import type { PoolSettings } from "../core/balance/pool-settings.ts";
import { StickTable } from "../core/balance/stick-table.ts";
import type { WorkerLink } from "./balance-hub.ts";
import type { StickEntries } from "./balance-protocol.ts";

/** Of all pools together: some 200 MB. Larger tables are kept in part, the ones used last. */
const MAX_KEPT = 1_000_000;
/** One message: a worker that reads it answers nobody else meanwhile. */
export const STICKS_PER_MESSAGE = 10_000;

export class StickKeeper {
  readonly #tables = new Map<string, StickTable>();

  configure(pools: readonly PoolSettings[]): void {
    const sticky = pools.flatMap(({ name, stickiness }) =>
      stickiness.kind === "table" ? [{ name, ...stickiness }] : [],
    );
    const share = Math.floor(MAX_KEPT / Math.max(1, sticky.length));
    for (const { name, size, ttlMs } of sticky) {
      const kept = Math.min(size, share);
      const known = this.#tables.get(name);
      if (known === undefined) this.#tables.set(name, new StickTable(kept, ttlMs));
      else known.update(kept, ttlMs);
    }
    const names = new Set(sticky.map(({ name }) => name));
    for (const name of this.#tables.keys()) if (!names.has(name)) this.#tables.delete(name);
  }

  hear(now: number, tables: readonly StickEntries[]): void {
    for (const { pool, entries } of tables) this.#tables.get(pool)?.load(now, entries);
  }

  /** Everything, to a worker that is new. */
  tell(now: number, link: WorkerLink): void {
    for (const [pool, table] of this.#tables) {
      const all = table.dump(now);
      for (let i = 0; i < all.length; i += STICKS_PER_MESSAGE) {
        const entries = all.slice(i, i + STICKS_PER_MESSAGE);
        link.send({ type: "sticks", tables: [{ pool, entries }] });
      }
    }
  }

  /** What a worker of an earlier control process knows. */
  async learn(now: () => number, link: WorkerLink): Promise<void> {
    if (this.#tables.size === 0) return;
    for (let from = 0; from < MAX_KEPT; from += STICKS_PER_MESSAGE) {
      const { reply } = await link.ask({ type: "export-sticks", from });
      const tables = reply?.sticks ?? [];
      this.hear(now(), tables);
      if (tables.every(({ entries }) => entries.length === 0)) return;
    }
  }
}
