/** Where the log goes: a file, or standard error (plain lines on a terminal, else JSON lines). */

import { closeSync, fstatSync, openSync, statSync, writeSync } from "node:fs";
import type { LoggedEvent } from "./control-api.ts";
import { eventLine } from "./event-log.ts";

export interface LogOutput {
  write(event: LoggedEvent): void;
  /** After a log rotation: goes on in a new file of the same name. */
  reopen(): void;
}

/** Throws when `file` cannot be opened. */
export function openLog(file: string | undefined): LogOutput {
  if (file !== undefined) return new LogFile(file);
  // A reader that went away must not take the node with it.
  process.stderr.on("error", () => {});
  const format = process.stderr.isTTY ? eventLine : JSON.stringify;
  return {
    write: (event) => void process.stderr.write(`${format(event)}\n`),
    reopen: () => {},
  };
}

class LogFile implements LogOutput {
  readonly #path: string;
  #fd: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a", 0o600);
  }

  write(event: LoggedEvent): void {
    try {
      writeSync(this.#fd, `${JSON.stringify(event)}\n`);
    } catch {
      // A full disk must not end a node that keeps a service up; the events stay in memory.
    }
  }

  reopen(): void {
    try {
      if (statSync(this.#path).ino === fstatSync(this.#fd).ino) return;
    } catch {
      // Moved away: that is the case this is for.
    }
    const fresh = openSync(this.#path, "a", 0o600);
    closeSync(this.#fd);
    this.#fd = fresh;
  }
}
