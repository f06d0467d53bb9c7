/**
 * libc calls for byte streams (TCP and unix sockets) and their readiness: accept4, connect, recv,
 * send, epoll. Same rules as `ffi.ts`: nothing throws, a failure is `-errno`, memory for the
 * kernel is given by address and kept referenced by the caller.
 */

import { errno as koffiErrno, load } from "koffi";
import { ioctl, NativeMemory, setSocketOption, SOL_SOCKET } from "./ffi.ts";

export const SOCK_STREAM = 1;
export const MSG_PEEK = 0x2;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLEXCLUSIVE: number = 1 << 28;
export const EPOLLET: number = 1 << 31;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const SHUT_WR = 1;
export const EINPROGRESS = 115;
export const EMFILE = 24;
export const ENFILE = 23;

export const SO_REUSEADDR = 2;
export const SO_REUSEPORT = 15;
export const SO_ERROR = 4;
export const SO_LINGER = 13;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_QUICKACK = 12;
/** Also called SIOCOUTQ. tcp(7). */
const TIOCOUTQ = 0x5411;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPPROTO_IP = 0;
export const IP_FREEBIND = 15;
export const IPV6_FREEBIND = 78;
export const EAFNOSUPPORT = 97;
export const ECONNREFUSED = 111;

const EPOLL_CLOEXEC = 0o2000000;

const libc = load(null);

const raw = {
  accept4: libc.func("int accept4(int fd, uintptr_t address, uintptr_t length, int flags)"),
  getsockname: libc.func("int getsockname(int fd, uintptr_t address, uintptr_t length)"),
  connect: libc.func("int connect(int fd, const void *address, uint32_t length)"),
  listen: libc.func("int listen(int fd, int backlog)"),
  shutdown: libc.func("int shutdown(int fd, int how)"),
  getsockopt: libc.func("int getsockopt(int fd, int level, int option, void *value, void *length)"),
  recv: libc.func("int64_t recv(int fd, uintptr_t bytes, size_t length, int flags)"),
  send: libc.func("int64_t send(int fd, uintptr_t bytes, size_t length, int flags)"),
  epollCreate1: libc.func("int epoll_create1(int flags)"),
  epollCtl: libc.func("int epoll_ctl(int epoll, int operation, int fd, uintptr_t event)"),
  epollWait: libc.func("int epoll_wait(int epoll, uintptr_t events, int count, int timeout)"),
} as const;

function checked(result: number): number {
  return result < 0 ? -koffiErrno() : result;
}

/** `address`: room for a `sockaddr`; `length`: address of its size, in and out. */
export function acceptStream(fd: number, address: number, length: number, flags: number): number {
  return checked(raw.accept4(fd, address, length, flags));
}

/** The address that `fd` is bound to; arguments as of `acceptStream`. */
export function streamName(fd: number, address: number, length: number): number {
  return checked(raw.getsockname(fd, address, length));
}

export function connectStream(fd: number, address: Uint8Array): number {
  return checked(raw.connect(fd, address, address.length));
}

export function listenStream(fd: number, backlog: number): number {
  return checked(raw.listen(fd, backlog));
}

export function shutdownWriting(fd: number): number {
  return checked(raw.shutdown(fd, SHUT_WR));
}

/** An even number: what is owed now, and later as before. tcp(7), `__tcp_sock_set_quickack`. */
const ACKNOWLEDGE_ONCE = new Uint8Array(Int32Array.of(2).buffer);

/**
 * Acknowledges what was received, which the kernel may put off for 40 ms. A sender without
 * TCP_NODELAY keeps its last, short segment until then. On a unix socket nothing happens.
 */
export function acknowledge(fd: number): void {
  setSocketOption(fd, IPPROTO_TCP, TCP_QUICKACK, ACKNOWLEDGE_ONCE);
}

/** The error that waits on the socket, as a positive errno; 0 = none. Reading clears it. */
export function pendingError(fd: number): number {
  return Math.abs(socketOption(fd, SOL_SOCKET, SO_ERROR));
}

/** A C `int`, or `-errno`. getsockopt(2). */
export function socketOption(fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  const result = checked(
    raw.getsockopt(fd, level, option, value, new Uint32Array([value.byteLength])),
  );
  return result < 0 ? result : value[0]!;
}

/** 0 = the other side has closed its direction; `-EAGAIN` = nothing there. */
export function receiveStream(fd: number, address: number, length: number, flags: number): number {
  const result: number = raw.recv(fd, address, length, flags);
  return result < 0 ? -koffiErrno() : result;
}

/** Bytes that the kernel took; never a signal. With `MSG_MORE` they may wait for what follows. */
export function sendStream(fd: number, address: number, length: number, flags = 0): number {
  const result: number = raw.send(fd, address, length, MSG_NOSIGNAL | flags);
  return result < 0 ? -koffiErrno() : result;
}

export function epollCreate(): number {
  return checked(raw.epollCreate1(EPOLL_CLOEXEC));
}

const count = new NativeMemory(4);

/** Bytes sent that the other side has not acknowledged; 0 where nobody knows. */
export function unacknowledged(fd: number): number {
  return ioctl(fd, TIOCOUTQ, count) < 0 ? 0 : count.view.getInt32(0, true);
}

/** Where an event says what it belongs to: packed on x86-64 only. */
export const EPOLL_EVENT_SIZE: number = process.arch === "x64" ? 12 : 16;
export const EPOLL_EVENT_DATA: number = EPOLL_EVENT_SIZE - 8;

const control = new NativeMemory(16);

/** `fd` and `generation` come back with each event. epoll_ctl(2). */
export function epollAdd(epoll: number, fd: number, events: number, generation: number): number {
  const { view } = control;
  view.setUint32(0, events >>> 0, true);
  view.setUint32(EPOLL_EVENT_DATA, fd, true);
  view.setUint32(EPOLL_EVENT_DATA + 4, generation >>> 0, true);
  return checked(raw.epollCtl(epoll, EPOLL_CTL_ADD, fd, control.address));
}

export function epollRemove(epoll: number, fd: number): number {
  return checked(raw.epollCtl(epoll, EPOLL_CTL_DEL, fd, control.address));
}

/** Number of events written at `events`, after `ms` at the latest; -1 = waits for one. */
export function epollWait(epoll: number, events: number, count: number, ms: number): number {
  return checked(raw.epollWait(epoll, events, count, ms));
}
