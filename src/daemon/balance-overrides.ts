/**
 * What operators changed at run time (drain, maint, weight), kept in the state directory over
 * restarts. It counts until the operator takes it back or the configuration of that server changes.
 */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AdminChange, ServerOverride } from "../core/balance/pool-ports.ts";
import type { PoolSettings, ServerSettings } from "../core/balance/pool-settings.ts";
import type { PoolOverrides } from "./balance-protocol.ts";

interface Override {
  readonly admin?: AdminChange;
  readonly weight?: number;
}

export class Overrides {
  readonly #path: string;
  /** By pool, then by server. */
  readonly #pools = new Map<string, Map<string, Override>>();

  /** What an earlier life left. A file that cannot be understood counts as empty. */
  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, "balance-overrides.json");
    for (const { pool, servers } of readOverrides(this.#path)) {
      this.#pools.set(pool, new Map(servers.map(({ server, ...override }) => [server, override])));
    }
  }

  list(): readonly PoolOverrides[] {
    return [...this.#pools].map(([pool, servers]) => ({
      pool,
      servers: [...servers].map(([server, override]): ServerOverride => ({ server, ...override })),
    }));
  }

  /** An order that comes again without a reason keeps the one that somebody gave for it. */
  withReason(pool: string, server: string, change: AdminChange): AdminChange {
    if (change.reason !== "") return change;
    const { admin } = this.#of(pool, server);
    const isSame = admin?.state === change.state;
    return { ...change, reason: isSame ? admin.reason : "the operator said so" };
  }

  /** The answer says why it could not be kept for the next start; it counts all the same. */
  setAdmin(pool: string, server: string, change: AdminChange): string | undefined {
    const { weight } = this.#of(pool, server);
    this.#set(pool, server, { admin: change, ...(weight === undefined ? {} : { weight }) });
    return this.#save();
  }

  /** Undefined: as configured. */
  setWeight(pool: string, server: string, weight: number | undefined): string | undefined {
    const { admin } = this.#of(pool, server);
    const kept = admin === undefined ? {} : { admin };
    this.#set(pool, server, weight === undefined ? kept : { ...kept, weight });
    return this.#save();
  }

  /** Forgets servers that are gone, and words that the configuration has overtaken. */
  reconcile(before: readonly PoolSettings[], after: readonly PoolSettings[]): string | undefined {
    let isChanged = false;
    for (const [pool, servers] of this.#pools) {
      for (const [name, override] of servers) {
        const was = find(before, pool, name);
        const is = find(after, pool, name);
        const kept = is === undefined ? {} : stillMeant(override, was, is);
        if (Object.keys(kept).length === Object.keys(override).length) continue;
        isChanged = true;
        this.#set(pool, name, kept);
      }
    }
    return isChanged ? this.#save() : undefined;
  }

  #of(pool: string, server: string): Override {
    return this.#pools.get(pool)?.get(server) ?? {};
  }

  #set(pool: string, server: string, override: Override): void {
    const servers = this.#pools.get(pool) ?? new Map<string, Override>();
    if (Object.keys(override).length === 0) servers.delete(server);
    else servers.set(server, override);
    if (servers.size === 0) this.#pools.delete(pool);
    else this.#pools.set(pool, servers);
  }

  #save(): string | undefined {
    try {
      const fresh = `${this.#path}.new`;
      const text = `${JSON.stringify(this.list(), undefined, 2)}\n`;
      writeFileSync(fresh, text, { mode: 0o600, flush: true });
      renameSync(fresh, this.#path);
      return undefined;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      return `it counts now, but cannot be kept in ${this.#path} (${code})`;
    }
  }
}

function stillMeant(
  { admin, weight }: Override,
  was: ServerSettings | undefined,
  is: ServerSettings,
): Override {
  const adminHolds = admin !== undefined && (was === undefined || was.admin === is.admin);
  const weightHolds = weight !== undefined && (was === undefined || was.weight === is.weight);
  return { ...(adminHolds ? { admin } : {}), ...(weightHolds ? { weight } : {}) };
}

function find(
  pools: readonly PoolSettings[],
  pool: string,
  server: string,
): ServerSettings | undefined {
  const { servers } = pools.find(({ name }) => name === pool) ?? { servers: [] };
  return servers.find(({ name }) => name === server);
}

/** The file is ours (0600): only its shape can be broken. */
function readOverrides(path: string): readonly PoolOverrides[] {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(value) ? value.filter((entry) => isPoolOverrides(entry)) : [];
  } catch {
    return [];
  }
}

function isPoolOverrides(value: unknown): value is PoolOverrides {
  if (typeof value !== "object" || value === null) return false;
  const { pool, servers } = value as Partial<PoolOverrides>;
  return typeof pool === "string" && Array.isArray(servers);
}
