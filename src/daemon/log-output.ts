/** Where the log goes: a file, or standard error (plain lines on a terminal, else JSON lines). */

import { closeSync, fstatSync, ftruncateSync, openSync, statSync } from "node:fs";
import { writeWhole } from "../drivers/whole-write.ts";
import type { LoggedEvent } from "./control-api.ts";
import { eventLine } from "./event-log.ts";

export interface LogOutput {
  write(event: LoggedEvent): void;
  /** After a log rotation: goes on in a new file of the same name. */
  reopen(): void;
}

/** Throws when `file` cannot be opened. */
export function openLog(file: string | undefined): LogOutput {
  // A reader that went away must not take the node with it.
  process.stderr.on("error", () => {});
  return file === undefined ? new StandardError() : new LogFile(file);
}

/** What waits for a reader that has stopped reading, bytes. */
const MOST_WAITING = 1_048_576;

/** A reader that is slow misses lines and is told how many; the node neither waits nor hoards them. */
class StandardError implements LogOutput {
  readonly #format = process.stderr.isTTY ? eventLine : JSON.stringify;
  #missing = 0;

  write(event: LoggedEvent): void {
    if (process.stderr.writableLength > MOST_WAITING) {
      this.#missing++;
      return;
    }
    if (this.#missing > 0) this.#put(missingLine(event, this.#missing));
    this.#missing = 0;
    this.#put(event);
  }

  reopen(): void {}

  #put(event: LoggedEvent): void {
    process.stderr.write(`${this.#format(event)}\n`);
  }
}

/**
 * A full disk must not end a node that keeps a service up, nor leave half a line: the events stay
 * in memory, and the next line that fits tells how many are missing.
 */
class LogFile implements LogOutput {
  readonly #path: string;
  #fd: number;
  #missing = 0;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a", 0o600);
  }

  write(event: LoggedEvent): void {
    try {
      if (this.#missing > 0) this.#append(missingLine(event, this.#missing));
      this.#missing = 0;
      this.#append(event);
    } catch (error) {
      if (this.#missing === 0) this.#complain(error);
      this.#missing++;
    }
  }

  #append(event: LoggedEvent): void {
    const { size } = fstatSync(this.#fd);
    try {
      writeWhole(this.#fd, `${JSON.stringify(event)}\n`);
    } catch (error) {
      // A pipe or a terminal has no size, and nothing can be taken back there.
      if (fstatSync(this.#fd).size > size) ftruncateSync(this.#fd, size);
      throw error;
    }
  }

  #complain(error: unknown): void {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    process.stderr.write(`nines: the log ${this.#path} cannot be written (${code})\n`);
  }

  reopen(): void {
    try {
      if (statSync(this.#path).ino === fstatSync(this.#fd).ino) return;
    } catch {
      // Moved away: that is the case this is for.
    }
    try {
      const fresh = openSync(this.#path, "a", 0o600);
      closeSync(this.#fd);
      this.#fd = fresh;
    } catch (error) {
      // Its folder is gone, say. The old file goes on, and the next reload tries again.
      this.#complain(error);
    }
  }
}

function missingLine({ seq, time, monoMs }: LoggedEvent, count: number): LoggedEvent {
  const lines = count === 1 ? "line is" : "lines are";
  const reason = `${count} ${lines} missing here: the log could not be written`;
  return {
    seq: seq - 1,
    time,
    monoMs,
    source: "control",
    level: "warning",
    instance: "",
    kind: "note",
    reason,
  };
}
