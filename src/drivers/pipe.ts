/** pipe(2), which Node has no call for. */

import { errno as koffiErrno, load } from "koffi";
import { osFailure, type OsFailure } from "./ffi.ts";

const libc = load(null);
const pipe2 = libc.func("int pipe2(void *fds, int flags)");
const fcntl = libc.func("int fcntl(int fd, int command, long argument)");

const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;

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
