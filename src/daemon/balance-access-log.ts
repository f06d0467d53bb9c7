/**
 * Access logs of one worker: lines are gathered and written by the thread pool, never waited for.
 * A disk that does not keep up loses lines, and they are counted.
 */

import { close, openSync, write } from "node:fs";
import { MAX_ACCESS_LINE } from "../core/proxy/access-line.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { counted } from "../lib/plural.ts";

/** Written when that many bytes are gathered, or after that long. */
const FLUSH_BYTES = 64 * 1024;
const BUFFER_BYTES = FLUSH_BYTES + MAX_ACCESS_LINE;
const FLUSH_AFTER_MS = 500;
/** Gathered while a write is going on; more is dropped. */
const MAX_GATHERED = 4 * 1024 * 1024;
const STANDARD_ERROR = 2;
/** A disk that is full now and then is told of that often. */
const TELL_EVERY_MS = 60_000;
const LINE_END = 0x0a;

/** Writes one line at a position and gives the position after it. */
export type LineWriter = (out: Uint8Array, at: number) => number;

/** What an operator should know of lines that are lost. */
export type TellTrouble = (reason: string) => void;

export class AccessLog {
  readonly #path: string;
  readonly #tell: TellTrouble;
  #toldAtMs = -Infinity;
  /** `dropped` at the last line that was written, while lines are lost and that was told. */
  #droppedBefore: number | undefined;
  /** A full disk took the beginning of a line. */
  #isTorn = false;
  #fd: number;
  #gathering: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  /** The other of two that take turns. */
  #spare: Buffer | undefined;
  #used = 0;
  #isWriting = false;
  /** Rotated away; the write that is on its way may still go there. */
  readonly #outgoing: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  dropped = 0;

  /** `-` is standard error, where the daemon's log goes. Throws when the file cannot be opened. */
  constructor(path: string, tell: TellTrouble) {
    this.#path = path;
    this.#tell = tell;
    this.#fd = openLog(path);
  }

  /** `line` needs at most `MAX_ACCESS_LINE` bytes. */
  add(line: LineWriter): void {
    if (!this.#makeRoom()) {
      this.#lose(1, "the disk is too slow");
      return;
    }
    this.#used = line(this.#gathering, this.#used);
    if (this.#used >= FLUSH_BYTES) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), FLUSH_AFTER_MS);
  }

  get #name(): string {
    return this.#path === "-" ? "on standard error" : this.#path;
  }

  /** After a rotation: goes on in a new file of the same name. */
  reopen(): void {
    if (this.#path === "-") return;
    try {
      const fresh = openLog(this.#path);
      this.#outgoing.push(this.#fd);
      this.#fd = fresh;
      this.#isTorn = false;
      if (!this.#isWriting) this.#closeOutgoing();
    } catch (error) {
      // Better the old file than none.
      this.#tell(`access log ${this.#name}: the old file goes on: ${(error as Error).message}`);
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
    const written = this.#gathering;
    const lines = written.subarray(0, this.#used);
    // Else the first line would hang on what is left of that one.
    const bytes = this.#isTorn ? Buffer.concat([Buffer.of(LINE_END), lines]) : lines;
    this.#gathering = this.#spare ?? Buffer.allocUnsafe(BUFFER_BYTES);
    this.#spare = undefined;
    this.#used = 0;
    this.#writeAll(this.#fd, bytes, () => {
      if (written.length === BUFFER_BYTES) this.#spare = written;
    });
  }

  #writeAll(fd: number, bytes: Uint8Array, done: () => void): void {
    write(fd, bytes, (error, count) => {
      if (error === null && count < bytes.length) {
        this.#isTorn = fd === this.#fd && bytes[count - 1] !== LINE_END;
        this.#writeAll(fd, bytes.subarray(count), done);
        return;
      }
      done();
      if (error === null) this.#noteWritten();
      else this.#lose(linesIn(bytes), error.message);
      this.#isWriting = false;
      this.#closeOutgoing();
      // Without a timer theirs has run out while this write was on its way.
      if (this.#used >= FLUSH_BYTES || this.#timer === undefined) this.#write();
    });
  }

  #noteWritten(): void {
    this.#isTorn = false;
    if (this.#droppedBefore === undefined) return;
    const lost = counted(this.dropped - this.#droppedBefore, "line");
    this.#droppedBefore = undefined;
    this.#tell(`access log ${this.#name}: written again, ${lost} lost`);
  }

  #lose(lines: number, why: string): void {
    const before = this.dropped;
    this.dropped += lines;
    const now = monotonicMs();
    if (this.#droppedBefore !== undefined || now - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = now;
    this.#droppedBefore = before;
    this.#tell(`access log ${this.#name}: lines are lost: ${why}`);
  }

  #closeOutgoing(): void {
    for (const fd of this.#outgoing.splice(0)) close(fd, () => {});
  }
}

/** All logs of one worker by their paths: frontends may share one. */
export class AccessLogs {
  readonly #tell: TellTrouble;
  readonly #logs = new Map<string, AccessLog>();

  constructor(tell: TellTrouble) {
    this.#tell = tell;
  }

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
        this.#logs.set(path, new AccessLog(path, this.#tell));
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

/** A line end in front belongs to a line that is there. */
function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === LINE_END) count++;
  return bytes[0] === LINE_END ? count - 1 : count;
}
