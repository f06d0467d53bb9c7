/**
 * The file `STATEDIR/journal.db`: SQLite in WAL mode with full synchronisation, so that what was
 * written stays written when the process is killed or the power goes. Each family of tables has a
 * driver of its own, which migrates its own part and prepares its own statements.
 *
 * Only for processes that may wait for a disk: SQLite here is synchronous.
 */

import { closeSync, existsSync, fchmodSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

/** A file up to this size is looked through as a whole when it is opened: well under a second. */
const CHECKED_BYTES = 32 * 1024 * 1024;
/** Readers never block the writer in WAL mode; another writer is a checkpoint at most. */
const BUSY_MS = 2_000;
/** 4 MB of pages in memory. */
const CACHE_KIB = 4_096;

export function journalPath(stateDirectory: string): string {
  return join(stateDirectory, "journal.db");
}

export interface OpenedJournal {
  readonly database: DatabaseSync;
  /** The file before could not be read and stands there now; the number of its last record. */
  readonly setAside?: { readonly path: string; readonly why: string; readonly lastSeq: number };
}

/** Opens or makes it; one that is corrupt is set aside under `….corrupt-WALLMS`. Throws otherwise. */
export function openJournal(path: string, wallMs: number): OpenedJournal {
  try {
    return { database: openWhole(path) };
  } catch (error) {
    const why = corruptionOf(error);
    if (why === undefined) throw error;
    const lastSeq = salvageLastSeq(path);
    const aside = setAside(path, wallMs);
    return { database: openWhole(path), setAside: { path: aside, why, lastSeq } };
  }
}

/** For other processes, also when nobody writes. Throws when there is no journal. */
export function openJournalToRead(path: string): DatabaseSync {
  const options = { readOnly: true, timeout: BUSY_MS };
  const open = (place: string | URL): DatabaseSync => {
    const database = new DatabaseSync(place, options);
    // Nothing was looked at before that.
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return database;
  };
  try {
    return open(path);
  } catch (error) {
    // Who may not write beside the file cannot share its WAL; where there is none, none is needed.
    if (!existsSync(path) || existsSync(`${path}-wal`)) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    return open(url);
  }
}

/** Why an error means that the file itself is broken; undefined: it means something else. */
export function corruptionOf(error: unknown): string | undefined {
  const { errcode, message } = error as { readonly errcode?: number; readonly message?: string };
  const code = (errcode ?? 0) & 0xff;
  const isCorrupt = code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
  return isCorrupt || error instanceof BrokenFile ? (message ?? "it is broken") : undefined;
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

class BrokenFile extends Error {
  override readonly name = "BrokenFile";
}

/** Numbered steps that were done are not done again. */
export function migrate(database: DatabaseSync, part: string, steps: readonly string[]): void {
  database.exec(
    "CREATE TABLE IF NOT EXISTS part (name TEXT PRIMARY KEY, version INTEGER NOT NULL)",
  );
  const row = database.prepare("SELECT version FROM part WHERE name = ?").get(part);
  const done = Number(row?.["version"] ?? 0);
  if (done > steps.length) {
    const known = `this program knows ${part} up to version ${steps.length}`;
    throw new Error(`the journal was written by a newer program (${part} ${done}; ${known})`);
  }
  for (let i = done; i < steps.length; i++) {
    inTransaction(database, () => {
      database.exec(steps[i]!);
      database
        .prepare(
          "INSERT INTO part VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        )
        .run(part, i + 1);
    });
  }
}

/** All of `work` or nothing of it. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk may have rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The file is written by one process: a second one gets undefined until the first has ended. */
export function claimJournal(path: string): DatabaseSync | undefined {
  makePrivate(`${path}-writer`);
  const lock = new DatabaseSync(`${path}-writer`, { timeout: 0 });
  try {
    // The kernel gives the lock back when the process dies, however it dies.
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch {
    lock.close();
    return undefined;
  }
}

/** For its owner only: it tells who did what. SQLite gives its other files the mode of this one. */
function makePrivate(path: string): void {
  try {
    const fd = openSync(path, "a", 0o600);
    try {
      fchmodSync(fd, 0o600);
    } finally {
      closeSync(fd);
    }
  } catch {
    // What is wrong with the file is told when it is opened as a database.
  }
}

function openWhole(path: string): DatabaseSync {
  makePrivate(path);
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    database.exec(`
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cell_size_check = ON;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = 4000;
      PRAGMA journal_size_limit = 33554432;
    `);
    if (statSync(path).size <= CHECKED_BYTES) refuseBroken(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function refuseBroken(database: DatabaseSync): void {
  const [row] = database.prepare("PRAGMA quick_check(1)").all();
  const verdict = Object.values(row ?? {})[0];
  if (verdict !== "ok") throw new BrokenFile(String(verdict));
}

function setAside(path: string, wallMs: number): string {
  const aside = `${path}.corrupt-${wallMs}`;
  renameSync(path, aside);
  for (const suffix of ["-wal", "-shm"]) {
    if (!existsSync(path + suffix)) continue;
    if (suffix === "-wal") renameSync(path + suffix, aside + suffix);
    else rmSync(path + suffix);
  }
  return aside;
}

/** Numbers go on where the broken file ended, as far as it can still tell. */
function salvageLastSeq(path: string): number {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const row = database.prepare("SELECT max(seq) AS seq FROM record").get();
      return Number(row?.["seq"] ?? 0);
    } finally {
      database.close();
    }
  } catch {
    return 0;
  }
}
