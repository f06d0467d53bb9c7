/**
 * Memory without a file that all balance workers have mapped: what they count and know together. Only pages
 * that were written to take any room.
 */

import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { SharedCount, SharedSources, SharedState } from "../core/proxy/shared-state.ts";
import type { ArrivalCells } from "../core/route/rate-limiter.ts";
import { closeFd, NativeMemory, osFailure, type OsFailure } from "./ffi.ts";
import { ARRIVALS_BYTES, SharedArrivals } from "./shared-arrivals.ts";
import { COUNTS_BYTES, SharedCounts } from "./shared-counts.ts";
import { EJECTIONS_BYTES, EjectionCells } from "./shared-ejections.ts";
import { mapShared, openMemory, sealSize } from "./shared-memory.ts";
import { SOURCES_BYTES, SourceTables } from "./shared-sources.ts";

const PAGE = 4096;
/** Secret, so that nobody can choose addresses that fall together: 16 bytes, then nothing. */
const SALT_BYTES = PAGE;
const COUNTS_AT = SALT_BYTES;
const EJECTIONS_AT = COUNTS_AT + wholePages(COUNTS_BYTES);
const ARRIVALS_AT = EJECTIONS_AT + wholePages(EJECTIONS_BYTES);
const SOURCES_AT = ARRIVALS_AT + wholePages(ARRIVALS_BYTES);
const SIZE = SOURCES_AT + wholePages(SOURCES_BYTES);

function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

/** A descriptor to be handed to each process. */
export function createWorkerMemory(): number | OsFailure {
  const fd = openMemory("nines-workers");
  if (fd < 0) return osFailure("make shared memory", fd);
  try {
    ftruncateSync(fd, SIZE);
    writeSync(fd, randomBytes(16), 0, 16, 0);
  } catch (error) {
    closeFd(fd);
    return osFailure("size shared memory", (error as NodeJS.ErrnoException).errno ?? -1);
  }
  // Nobody who has it may pull it from under the others.
  sealSize(fd);
  return fd;
}

export class WorkerMemory implements SharedState {
  readonly ejections: EjectionCells;
  readonly #counts: SharedCounts;
  readonly #sources: SourceTables;
  readonly #arrivals: SharedArrivals;

  /** Takes a place among those who count. `fd` stays the caller's. */
  static join(fd: number): WorkerMemory | OsFailure {
    const call = "share counts";
    let own: number;
    try {
      own = openSync(`/proc/self/fd/${fd}`, "r+");
    } catch (error) {
      return osFailure(call, (error as NodeJS.ErrnoException).errno ?? -1);
    }
    const failed = (result: number): OsFailure => {
      closeSync(own);
      return osFailure(call, result);
    };
    const address = mapShared(own, SIZE);
    if (address < 0) return failed(address);
    const memory = new NativeMemory(SIZE, address);
    const counts = SharedCounts.join(own, memory, COUNTS_AT);
    return typeof counts === "number" ? failed(counts) : new WorkerMemory(memory, counts);
  }

  private constructor({ bytes }: NativeMemory, counts: SharedCounts) {
    const { buffer } = bytes;
    const salt = Buffer.from(bytes.subarray(0, 16)).toString("hex");
    this.#counts = counts;
    this.ejections = new EjectionCells(buffer, EJECTIONS_AT);
    this.#arrivals = new SharedArrivals(buffer, ARRIVALS_AT, salt);
    this.#sources = new SourceTables(buffer, SOURCES_AT, { counts, salt });
  }

  count(name: string): SharedCount | undefined {
    return this.#counts.of(name);
  }

  sources(frontend: string): SharedSources {
    return this.#sources.of(frontend);
  }

  arrivals(limit: string): ArrivalCells {
    return this.#arrivals.of(limit);
  }

  /** The place is free again. */
  leave(): void {
    this.#counts.leave();
  }
}
