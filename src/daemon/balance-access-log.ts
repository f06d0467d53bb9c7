/**
 * Access logs of one worker: lines are gathered and written by the thread pool, never waited for.
 * A disk that does not keep up loses lines, and they are counted.
 */

import { close, openSync, write } from "node:fs";
import { MAX_ACCESS_LINE } from "../core/proxy/access-line.ts";

/** Written when that many bytes are gathered, or after that long. */
const FLUSH_BYTES = 32 * 1024;
const FLUSH_AFTER_MS = 500;
/** Gathered while a write is going on; more is dropped. */
const MAX_GATHERED = 4 * 1024 * 1024;
const STANDARD_ERROR = 2;

/** Writes one line at a position and gives the position after it. */
export type LineWriter = (out: Uint8Array, at: number) => number;

export class AccessLog {
  readonly #path: string;
  #fd: number;
  #gathering = Buffer.allocUnsafe(FLUSH_BYTES + MAX_ACCESS_LINE);
  #used = 0;
  #isWriting = false;
  /** Rotated away; the write that is on its way may still go there. */
  readonly #outgoing: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  dropped = 0;

  /** `-` is standard error, where the daemon's log goes. Throws when the file cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openLog(path);
  }

  /** `line` needs at most `MAX_ACCESS_LINE` bytes. */
  add(line: LineWriter): void {
    if (!this.#makeRoom()) {
      this.dropped++;
      return;
    }
    this.#used = line(this.#gathering, this.#used);
    if (this.#used >= FLUSH_BYTES) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), FLUSH_AFTER_MS);
  }

  /** After a rotation: goes on in a new file of the same name. */
  reopen(): void {
    if (this.#path === "-") return;
    try {
      const fresh = openLog(this.#path);
      this.#outgoing.push(this.#fd);
      this.#fd = fresh;
      if (!this.#isWriting) this.#closeOutgoing();
    } catch {
      // Better the old file than none.
    }
  }

  /** Resolves when everything gathered so far is written. */
  async flush(): Promise<void> {
    while (this.#isWriting || this.#used > 0) {
      this.#write();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async close(): Promise<void> {
    await this.flush();
    if (this.#path !== "-") close(this.#fd, () => {});
  }

  #makeRoom(): boolean {
    const needed = this.#used + MAX_ACCESS_LINE;
    if (needed <= this.#gathering.length) return true;
    if (needed > MAX_GATHERED) return false;
    const larger = Buffer.allocUnsafe(Math.min(MAX_GATHERED, 2 * needed));
    this.#gathering.copy(larger, 0, 0, this.#used);
    this.#gathering = larger;
    return true;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isWriting || this.#used === 0) return;
    this.#isWriting = true;
    const bytes = this.#gathering.subarray(0, this.#used);
    this.#gathering = Buffer.allocUnsafe(FLUSH_BYTES + MAX_ACCESS_LINE);
    this.#used = 0;
    this.#writeAll(this.#fd, bytes);
  }

  #writeAll(fd: number, bytes: Uint8Array): void {
    write(fd, bytes, (error, count) => {
      if (error === null && count < bytes.length) {
        this.#writeAll(fd, bytes.subarray(count));
        return;
      }
      if (error !== null) this.dropped += linesIn(bytes);
      this.#isWriting = false;
      this.#closeOutgoing();
      // Without a timer theirs has run out while this write was on its way.
      if (this.#used >= FLUSH_BYTES || this.#timer === undefined) this.#write();
    });
  }

  #closeOutgoing(): void {
    for (const fd of this.#outgoing.splice(0)) close(fd, () => {});
  }
}

/** All logs of one worker by their paths: frontends may share one. */
export class AccessLogs {
  readonly #logs = new Map<string, AccessLog>();

  /** Opens what is new and closes what nobody writes to. The answer is what could not be opened. */
  configure(paths: ReadonlySet<string>): string | undefined {
    let trouble: string | undefined;
    for (const [path, log] of this.#logs) {
      if (paths.has(path)) continue;
      this.#logs.delete(path);
      void log.close();
    }
    for (const path of paths) {
      if (this.#logs.has(path)) continue;
      try {
        this.#logs.set(path, new AccessLog(path));
      } catch (error) {
        trouble = `access log: ${(error as Error).message}`;
      }
    }
    return trouble;
  }

  get(path: string): AccessLog | undefined {
    return this.#logs.get(path);
  }

  get dropped(): number {
    let sum = 0;
    for (const log of this.#logs.values()) sum += log.dropped;
    return sum;
  }

  reopen(): void {
    for (const log of this.#logs.values()) log.reopen();
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.flush()));
  }
}

function openLog(path: string): number {
  return path === "-" ? STANDARD_ERROR : openSync(path, "a", 0o640);
}

function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0a) count++;
  return count;
}
