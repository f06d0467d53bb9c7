/**
 * Which client was sent to which server: one entry per key, bounded, forgotten when unused for its
 * time. Entries name servers, not positions, so they survive reloads; `dump` and `load` carry them over
 * a restart, `takeChanges` and `load` from worker to worker.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { latin1Text } from "../../lib/text-bytes.ts";

/** One entry on its way to a file or another process. Times are relative: clocks differ. */
export interface StickRecord {
  /** What `stickKey` gives. */
  readonly key: string;
  readonly server: string;
  /** Until it is forgotten unless it is used. */
  readonly leftMs: number;
  /** Since the client was bound: the younger word counts. */
  readonly ageMs: number;
}

/** Longer keys are kept as their digest. */
const MAX_KEY = 128;
/** No letter of a key of bytes, so that no client can send a text that reads like a digest. */
const DIGEST_MARK = "\u0100";
/** Use is told to other workers when that part of the time has passed since they heard last. */
const TELL_PART = 4;

/** The key for the bytes of a request that name its client. */
export function stickKey(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= MAX_KEY) return latin1Text(bytes, from, to);
  return DIGEST_MARK + sha256(bytes.subarray(from, to)).toHex();
}

interface Entry {
  readonly key: string;
  server: string;
  expiresAt: number;
  boundAt: number;
  toldAt: number;
}

export class StickTable {
  #size: number;
  #ttlMs: number;
  /** Least recently used first. Keys are compared whole and hashed with the engine's own seed. */
  readonly #entries = new Map<string, Entry>();
  /** Not told to other workers yet. */
  readonly #changed = new Set<Entry>();

  constructor(size: number, ttlMs: number) {
    this.#size = size;
    this.#ttlMs = ttlMs;
  }

  update(size: number, ttlMs: number): void {
    this.#size = size;
    this.#ttlMs = ttlMs;
    while (this.#entries.size > size) this.#removeOldest();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Name of the server; undefined = unknown client. Being asked for is being used. */
  find(now: number, key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt <= now) {
      this.#remove(entry);
      return undefined;
    }
    this.#use(entry, now + this.#ttlMs);
    if ((now - entry.toldAt) * TELL_PART >= this.#ttlMs) this.#changed.add(entry);
    return entry.server;
  }

  /** The same for those who only want to know: it counts as no use. */
  look(now: number, key: string): string | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expiresAt <= now ? undefined : entry.server;
  }

  /** Binds a client; nothing happens when it is bound to that server already. */
  stick(now: number, key: string, server: string): void {
    const known = this.#entries.get(key);
    if (known !== undefined && known.server === server && known.expiresAt > now) return;
    const entry = known ?? this.#insert({ key, server, expiresAt: 0, boundAt: now, toldAt: now });
    entry.server = server;
    entry.boundAt = now;
    this.#use(entry, now + this.#ttlMs);
    this.#changed.add(entry);
  }

  dump(now: number): StickRecord[] {
    const records: StickRecord[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.expiresAt > now) records.push(record(entry, now));
    }
    return records;
  }

  /** From a file or another worker. Of two words on one key the younger binding counts. */
  load(now: number, records: Iterable<StickRecord>): void {
    for (const { key, server, leftMs, ageMs } of records) {
      const boundAt = now - ageMs;
      const expiresAt = now + Math.min(leftMs, this.#ttlMs);
      let entry = this.#entries.get(key);
      entry ??= this.#insert({ key, server, expiresAt: 0, boundAt, toldAt: now });
      if (boundAt < entry.boundAt && server !== entry.server) continue;
      if (boundAt === entry.boundAt && server > entry.server) continue;
      entry.server = server;
      entry.boundAt = Math.max(boundAt, entry.boundAt);
      entry.toldAt = now;
      this.#changed.delete(entry);
      if (expiresAt > entry.expiresAt) this.#use(entry, expiresAt);
    }
  }

  /** What others do not know yet, at most `limit` at a time. */
  takeChanges(now: number, limit: number): StickRecord[] {
    const records: StickRecord[] = [];
    for (const entry of this.#changed) {
      if (records.length >= limit) break;
      this.#changed.delete(entry);
      entry.toldAt = now;
      if (entry.expiresAt > now) records.push(record(entry, now));
    }
    return records;
  }

  #use(entry: Entry, expiresAt: number): void {
    entry.expiresAt = expiresAt;
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
  }

  #insert(entry: Entry): Entry {
    if (this.#entries.size >= this.#size) this.#removeOldest();
    this.#entries.set(entry.key, entry);
    return entry;
  }

  #removeOldest(): void {
    for (const oldest of this.#entries.values()) {
      this.#remove(oldest);
      return;
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#changed.delete(entry);
  }
}

function record({ key, server, expiresAt, boundAt }: Entry, now: number): StickRecord {
  return { key, server, leftMs: expiresAt - now, ageMs: now - boundAt };
}
