/** What Node has no call for: pipes, named pipes, and what a child inherits. */

import { readdirSync } from "node:fs";
import { errno as koffiErrno, load } from "koffi";
import { osFailure, type OsFailure } from "./ffi.ts";

const libc = load(null);
const pipe2 = libc.func("int pipe2(void *fds, int flags)");
const mkfifo = libc.func("int mkfifo(const char *path, uint32_t mode)");
const fcntl = libc.func("int fcntl(int fd, int command, long argument)");

const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFD = 2;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const FIRST_NOT_STANDARD = 3;

export interface Pipe {
  /** Non-blocking. */
  readonly readFd: number;
  /** Blocking: it is for children. */
  readonly writeFd: number;
}

/** Both ends are close-on-exec. The caller closes both. */
export function openPipe(): Pipe | OsFailure {
  const fds = new Int32Array(2);
  if (pipe2(fds, O_CLOEXEC) < 0) return osFailure("open a pipe", -koffiErrno());
  const [readFd, writeFd] = [fds[0]!, fds[1]!];
  if (fcntl(readFd, F_SETFL, O_NONBLOCK) < 0) return osFailure("set up a pipe", -koffiErrno());
  return { readFd, writeFd };
}

/** 0 or `-errno`; readable and writable by the owner only. mkfifo(3). */
export function makeFifo(path: string): number {
  return mkfifo(path, 0o600) < 0 ? -koffiErrno() : 0;
}

/**
 * What this process was given open by whoever started it stays here: a script must not hold, or
 * write to, a lock or a pipe of the operator's shell. Node marks its own descriptors itself.
 */
export function keepInheritedFromChildren(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    // EBADF for the directory that was being read.
    if (fd >= FIRST_NOT_STANDARD) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}
