/**
 * One FIFO for notifications, as keepalived has it: opened for reading and writing, so that the
 * kernel keeps up to 64 KiB of lines while no reader is there, and written without ever blocking.
 */

import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { makeFifo } from "./descriptors.ts";
import { errnoName } from "./ffi.ts";
import { scriptUser } from "./user-database.ts";

export interface NotifyFifoTarget {
  readonly path: string;
  readonly user?: string;
  readonly group?: string;
}

export class NotifyFifo {
  readonly #path: string;
  readonly #fd: number;
  readonly #made: boolean;

  private constructor(path: string, fd: number, made: boolean) {
    this.#path = path;
    this.#fd = fd;
    this.#made = made;
  }

  /** Makes the FIFO (0600, the target's user) unless it is there. A text says why it cannot. */
  static open(target: NotifyFifoTarget): NotifyFifo | string {
    const { path } = target;
    try {
      const made = lstatSync(path, { throwIfNoEntry: false }) === undefined;
      if (made) {
        const problem = make(target);
        if (problem !== undefined) return problem;
      }
      const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;
      const fd = openSync(path, flags);
      if (fstatSync(fd).isFIFO()) return new NotifyFifo(path, fd, made);
      closeSync(fd);
      return `${path} is there and is no FIFO; move it away`;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      return `FIFO ${path} cannot be opened (${code})`;
    }
  }

  /** A line of at most 4096 bytes is taken whole or not at all (PIPE_BUF, pipe(7)). */
  write(line: string): "written" | "full" | "failed" {
    try {
      writeSync(this.#fd, line);
      return "written";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "EAGAIN" ? "full" : "failed";
    }
  }

  /** It goes with its `close`. */
  get isOurs(): boolean {
    return this.#made;
  }

  /** `remove`: also the file, if it was made here, and nobody has put another one there since. */
  close(remove: boolean): void {
    const { dev, ino } = fstatSync(this.#fd);
    closeSync(this.#fd);
    if (!remove || !this.#made) return;
    try {
      const there = lstatSync(this.#path);
      if (there.dev === dev && there.ino === ino) unlinkSync(this.#path);
    } catch {
      // Somebody else removed it already.
    }
  }
}

function make({ path, user, group }: NotifyFifoTarget): string | undefined {
  const result = makeFifo(path);
  if (result < 0) return `FIFO ${path} cannot be made (${errnoName(result)})`;
  if (user === undefined) return undefined;
  const owner = scriptUser(user, group);
  if (typeof owner === "string") return `FIFO ${path}: ${owner}`;
  try {
    chownSync(path, owner.uid, owner.gid);
    return undefined;
  } catch (error) {
    // Found there the next time, it would be taken for one that is as it should be.
    unlinkSync(path);
    const { code } = error as NodeJS.ErrnoException;
    return `FIFO ${path} cannot be given to ${user} (${code}; that needs CAP_CHOWN)`;
  }
}
