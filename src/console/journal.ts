/**
 * This node's journal: numbers what it is told, writes it in batches, tells whoever listens. The disk
 * may be full, slow or broken; then records wait in memory, and when some had to go the journal
 * says so itself. Nobody who tells it something waits.
 */

import type { DatabaseSync } from "node:sqlite";
import type { JournalRecord, RecordDraft } from "../core/journal/record.ts";
import type { JournalBounds } from "../core/journal/retention.ts";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { claimJournal, corruptionOf, openJournal } from "../drivers/journal-database.ts";
import {
  type EventPlace,
  JournalReader,
  JournalStore,
  type OldRows,
  type RecordQuery,
} from "../drivers/journal-store.ts";

const FLUSH_MS = 50;
/** On a slow disk: what comes in meanwhile is read for at least twice as long as was waited for it. */
const LONGEST_FLUSH_MS = 1_000;
/** So long after a write that failed comes the next attempt. */
const RETRY_MS = 1_000;
const PRUNE_EVERY_MS = 10_000;
/** Records that wait for a disk; then the oldest go. About 10 MB. */
const MAX_UNSAVED = 20_000;
/** At most so long listeners hold up what comes in, and so many records are told at once. */
const DELIVER_MS = 20;
const DELIVERED = 200;
/** The newest ones, for whoever follows. */
const TAIL = 4_096;

export interface JournalOptions {
  readonly path: string;
  readonly boot: string;
  /** Both may change with the configuration. */
  readonly node: () => string;
  readonly bounds: () => JournalBounds;
}

type Listener = (records: readonly JournalRecord[]) => void;

export class Journal {
  readonly #options: JournalOptions;
  readonly #listeners = new Set<Listener>();
  readonly #others: (() => readonly OldRows[])[] = [];
  readonly #openers = new Set<(database: DatabaseSync) => void>();
  #claim: DatabaseSync | undefined;
  #database: DatabaseSync | undefined;
  #store: JournalStore | undefined;
  #reader: JournalReader | undefined;
  #drafts: RecordDraft[] = [];
  #place: EventPlace | undefined;
  #unsaved: JournalRecord[] = [];
  #lost: { from: number; to: number; count: number } | undefined;
  #tail: JournalRecord[] = [];
  #lastSeq = 0;
  /** Listeners know all up to this one. */
  #delivered = 0;
  #isDelivering = false;
  #seen: Record<string, number> = {};
  #newlySeen: Record<string, number> | undefined;
  #trouble: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushMs = FLUSH_MS;
  readonly #stopPruning: () => void;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#open();
    this.#stopPruning = onBeat(() => this.#prune(), PRUNE_EVERY_MS);
  }

  /** The number of the newest record that listeners know. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** How far control's events are in it. */
  get place(): EventPlace | undefined {
    return this.#place;
  }

  /** Why it cannot be written now; undefined: it can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** `place`: which of control's events this is. */
  add(draft: RecordDraft, place?: EventPlace): void {
    this.#drafts.push(draft);
    if (place !== undefined) this.#place = place;
    this.#timer ??= setTimeout(() => this.flush(), this.#flushMs);
  }

  /** As `add`, of something that happened now. */
  say(draft: Omit<RecordDraft, "wallMs" | "monoMs">): void {
    this.add({ wallMs: wallMs(), monoMs: monotonicMs(), ...draft });
  }

  /** Another node's journal is known here up to `seq`. */
  saw(node: string, seq: number): void {
    if (node === this.#options.node() || seq <= (this.#seen[node] ?? 0)) return;
    this.#seen[node] = seq;
    this.#newlySeen = { ...this.#newlySeen, [node]: seq };
  }

  /** Every batch in order, written or - while the disk refuses - about to be. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls back with the open file, now and whenever it is another one: for drivers of other tables in
   * it, which prepare their statements anew.
   */
  onOpen(opened: (database: DatabaseSync) => void): void {
    this.#openers.add(opened);
    const database = this.#database;
    if (database === undefined) return;
    try {
      opened(database);
    } catch (error) {
      this.#fail(error);
      this.#shut();
    }
  }

  /** Other tables that share the file and its bound of size. */
  share(others: () => readonly OldRows[]): void {
    this.#others.push(others);
  }

  /** Empty while the file cannot be read. */
  find(query: RecordQuery): readonly JournalRecord[] {
    try {
      return this.#reader?.find(query) ?? [];
    } catch (error) {
      this.#fail(error);
      return [];
    }
  }

  /** Up to `limit` records after `seq`, from memory where possible. */
  after(seq: number, limit: number): readonly JournalRecord[] {
    const first = this.#tail[0]?.seq ?? this.#lastSeq + 1;
    if (seq < first - 1) {
      const older = this.find({ afterSeq: seq, limit });
      if (older.length > 0 || this.#tail.length === 0) return older;
    }
    const from = Math.max(0, seq + 1 - first);
    return this.#tail.slice(from, from + limit);
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const records = this.#numbered();
    this.#unsaved.push(...records);
    this.#save();
    this.#tail.push(...records);
    if (this.#tail.length > 2 * TAIL) this.#tail.splice(0, this.#tail.length - TAIL);
    this.#deliver();
    if (this.#unsaved.length > 0 || this.#drafts.length > 0) {
      const pauseMs = this.#unsaved.length > 0 ? RETRY_MS : FLUSH_MS;
      this.#timer ??= setTimeout(() => this.flush(), pauseMs);
    }
  }

  /** Writing comes first: listeners that need long get the rest in later turns. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    const untilMs = monotonicMs() + DELIVER_MS;
    while (this.#delivered < this.#lastSeq && monotonicMs() < untilMs) {
      const batch = this.after(this.#delivered, DELIVERED);
      this.#delivered = batch.at(-1)?.seq ?? this.#lastSeq;
      if (batch.length > 0) for (const listener of this.#listeners) listener(batch);
    }
    this.#isDelivering = false;
    if (this.#delivered < this.#lastSeq) setImmediate(() => this.#deliver());
  }

  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    this.#stopPruning();
    this.#database?.close();
    this.#claim?.close();
  }

  #numbered(): JournalRecord[] {
    const node = this.#options.node();
    const { boot } = this.#options;
    const drafts = this.#drafts;
    this.#drafts = [];
    return drafts.map((draft) => {
      const seen = this.#newlySeen;
      this.#newlySeen = undefined;
      const record = { ...draft, node, boot, seq: ++this.#lastSeq };
      return seen === undefined ? record : { ...record, seen };
    });
  }

  #save(): void {
    if (this.#store === undefined) this.#open();
    if (this.#store === undefined || this.#unsaved.length === 0) return this.#bound();
    const fromMs = monotonicMs();
    try {
      this.#store.append(this.#unsaved, this.#place);
      const tookMs = monotonicMs() - fromMs;
      this.#flushMs = Math.min(LONGEST_FLUSH_MS, Math.max(FLUSH_MS, 2 * tookMs));
    } catch (error) {
      this.#fail(error);
      return this.#bound();
    }
    this.#unsaved = [];
    if (this.#trouble !== undefined) this.#recovered();
  }

  /** What happened while nothing could be written is told in the journal itself. */
  #recovered(): void {
    const { count = 0, from = 0, to = 0 } = this.#lost ?? {};
    const missing = count === 0 ? "none is missing" : `${count} are missing, ${from} to ${to}`;
    const reason = `records could not be written (${this.#trouble}); ${missing}`;
    this.#trouble = undefined;
    this.#lost = undefined;
    const data = count === 0 ? {} : { data: { from, to, count } };
    this.say({ source: "console", level: "warning", kind: "gap", subject: "", reason, ...data });
  }

  #bound(): void {
    const surplus = this.#unsaved.length - MAX_UNSAVED;
    if (surplus <= 0) return;
    const gone = this.#unsaved.splice(0, surplus);
    const from = this.#lost?.from ?? gone[0]?.seq ?? 0;
    const to = gone.at(-1)?.seq ?? 0;
    this.#lost = { from, to, count: (this.#lost?.count ?? 0) + gone.length };
  }

  #open(): void {
    try {
      this.#claim ??= claimJournal(this.#options.path);
      if (this.#claim === undefined) return this.#troubled("another process writes this journal");
      const { database, setAside } = openJournal(this.#options.path, wallMs());
      this.#database = database;
      const store = new JournalStore(database);
      store.startAfter(setAside?.lastSeq ?? 0);
      this.#store = store;
      this.#reader = new JournalReader(database);
      this.#renumber(store.lastSeq);
      this.#place ??= store.place;
      for (const opened of this.#openers) opened(database);
      if (setAside !== undefined) this.#toldAside(setAside);
    } catch (error) {
      this.#fail(error);
      // On a full disk somebody could not make its tables: all of them again, later.
      this.#shut();
    }
  }

  /** Records that were made before the file could be opened go after those in it. */
  #renumber(stored: number): void {
    const first = this.#unsaved[0]?.seq;
    if (first === undefined && stored > this.#lastSeq) this.#lastSeq = this.#delivered = stored;
    if (first === undefined || first > stored) return;
    const shift = stored + 1 - first;
    this.#unsaved = this.#unsaved.map((record) => ({ ...record, seq: record.seq + shift }));
    this.#tail = this.#tail.map((record) => ({ ...record, seq: record.seq + shift }));
    this.#lastSeq += shift;
    this.#delivered += shift;
  }

  #toldAside({ path, why, lastSeq }: { path: string; why: string; lastSeq: number }): void {
    const reason = `the journal was broken (${why}): it stands in ${path} now, a new one begins`;
    const data = { path, lastSeq };
    const kind = "journal-set-aside";
    this.say({ source: "console", level: "error", kind, subject: "", reason, data });
  }

  #fail(error: unknown): void {
    this.#troubled(error instanceof Error ? error.message : String(error));
    if (corruptionOf(error) === undefined) return;
    // Opened again it is looked through, and set aside when it is beyond help.
    this.#shut();
  }

  #shut(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#store = undefined;
    this.#reader = undefined;
  }

  #troubled(why: string): void {
    if (this.#trouble === undefined) {
      process.stderr.write(`nines: the journal ${this.#options.path} cannot be written: ${why}\n`);
    }
    this.#trouble = why;
  }

  #prune(): void {
    const now = { wallMs: wallMs(), monoMs: monotonicMs(), boot: this.#options.boot };
    try {
      if (this.#store === undefined) this.#open();
      const others = this.#others.flatMap((rows) => rows());
      const gone = this.#store?.prune(this.#options.bounds(), now, others) ?? 0;
      if (gone > 0) setTimeout(() => this.#prune(), FLUSH_MS).unref();
    } catch (error) {
      this.#fail(error);
    }
  }
}
