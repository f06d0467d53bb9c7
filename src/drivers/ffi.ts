/**
 * The libc calls that Node does not offer: raw, packet and netlink sockets, timerfd, scheduling.
 *
 * Rules of this file:
 * - A call never throws for operating trouble: it returns what libc returned, or `-errno`.
 * - Memory that the kernel is given by address (hot paths) is a `NativeMemory`; whoever passes an
 *   address keeps that object referenced until the call returned. Other calls take a `Uint8Array`.
 * - Structures are laid out by hand, for 64-bit little endian Linux (x86-64 and arm64 agree on
 *   all that is used here).
 */

import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { address as koffiAddress, errno as koffiErrno, load, view as koffiView } from "koffi";

const libc = load(null);

/** Bytes outside V8's moving heap, with the address that the kernel can be given. */
export class NativeMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** User space addresses have 47 or 48 bits: exact in a double, and cheaper than a bigint. */
  readonly address: number;

  /** `address`: of memory that a library holds as long as this process lives; else it is made. */
  constructor(size: number, address?: number) {
    // An ArrayBuffer made explicitly is never inside the heap, unlike a small typed array.
    const buffer = address === undefined ? new ArrayBuffer(size) : koffiView(BigInt(address), size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.address = address ?? Number(koffiAddress(buffer));
  }

  /** Writes a pointer into a structure. */
  setPointer(offset: number, target: number): void {
    this.view.setBigUint64(offset, BigInt(target), true);
  }
}

/** Why an operation of a driver did not happen. */
export interface OsFailure {
  /** The call and what it was for, e.g. `bind to eth0`. */
  readonly call: string;
  /** Positive, as in errno.h. */
  readonly errno: number;
  /** One sentence for logs: call, name of the errno, its meaning. */
  readonly message: string;
}

/** `result` is a `-errno`. */
export function osFailure(call: string, result: number): OsFailure {
  const reason = `${errnoName(result)}, ${getSystemErrorMessage(result)}`;
  return { call, errno: -result, message: `${call}: ${reason}` };
}

export function isOsFailure(value: object | number): value is OsFailure {
  return typeof value === "object" && "errno" in value && "call" in value;
}

/** `EPERM` for -1. */
export function errnoName(result: number): string {
  return getSystemErrorName(result);
}

export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EAGAIN = 11;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const EBADMSG = 74;
export const EOPNOTSUPP = 95;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ETIMEDOUT = 110;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;
export const SOL_SOCKET = 1;
export const SO_PRIORITY = 12;
export const SO_RCVTIMEO = 20;
export const SO_BINDTODEVICE = 25;
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;
export const SO_TIMESTAMPNS = 35;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;

// `uintptr_t` takes plain numbers: 200 ns a call, against 500 to 800 with typed arrays.
const raw = {
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  close: libc.func("int close(int fd)"),
  bind: libc.func("int bind(int fd, const void *address, uint32_t length)"),
  getsockname: libc.func("int getsockname(int fd, void *address, void *length)"),
  setsockopt: libc.func(
    "int setsockopt(int fd, int level, int option, const void *value, uint32_t length)",
  ),
  send: libc.func("int64_t send(int fd, const void *bytes, size_t length, int flags)"),
  recv: libc.func("int64_t recv(int fd, void *bytes, size_t length, int flags)"),
  recvInto: libc.func("int64_t recv(int fd, uintptr_t bytes, size_t length, int flags)"),
  sendmsg: libc.func("int64_t sendmsg(int fd, uintptr_t message, int flags)"),
  recvmsg: libc.func("int64_t recvmsg(int fd, uintptr_t message, int flags)"),
  recvmmsg: libc.func(
    "int recvmmsg(int fd, uintptr_t messages, uint32_t count, int flags, uintptr_t timeout)",
  ),
  read: libc.func("int64_t read(int fd, uintptr_t bytes, size_t length)"),
  write: libc.func("int64_t write(int fd, uintptr_t bytes, size_t length)"),
  ifNameToIndex: libc.func("uint32_t if_nametoindex(const char *name)"),
  clockGettime: libc.func("int clock_gettime(int clock, uintptr_t now)"),
  timerfdCreate: libc.func("int timerfd_create(int clock, int flags)"),
  timerfdSettime: libc.func(
    "int timerfd_settime(int fd, int flags, uintptr_t next, uintptr_t old)",
  ),
  eventfd: libc.func("int eventfd(uint32_t value, int flags)"),
  syscall: libc.func("long syscall(long number, long a, long b, long c, long d)"),
  schedSetscheduler: libc.func("int sched_setscheduler(int pid, int policy, const void *param)"),
  schedGetscheduler: libc.func("int sched_getscheduler(int pid)"),
  schedSetaffinity: libc.func("int sched_setaffinity(int pid, size_t size, const void *mask)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request, uintptr_t argument)"),
  setrlimit: libc.func("int setrlimit(int resource, const void *limit)"),
  waitpid: libc.func("int waitpid(int pid, uintptr_t status, int options)"),
} as const;

function checked(result: number): number {
  return result < 0 ? -koffiErrno() : result;
}

/** A new descriptor, always close-on-exec, or `-errno`. socket(2). */
export function openSocket(domain: number, type: number, protocol: number): number {
  return checked(raw.socket(domain, type | SOCK_CLOEXEC, protocol));
}

export function closeFd(fd: number): number {
  return checked(raw.close(fd));
}

/** bind(2) to a `sockaddr` laid out by the caller. */
export function bindSocket(fd: number, address: Uint8Array): number {
  return checked(raw.bind(fd, address, address.length));
}

/** getsockname(2): fills `address`. */
export function socketName(fd: number, address: Uint8Array): number {
  const length = new Uint32Array([address.length]);
  return checked(raw.getsockname(fd, address, length));
}

/** setsockopt(2); a number is passed as a C `int`. */
export function setSocketOption(
  fd: number,
  level: number,
  option: number,
  value: number | Uint8Array,
): number {
  const bytes = typeof value === "number" ? new Int32Array([value]) : value;
  return checked(raw.setsockopt(fd, level, option, bytes, bytes.byteLength));
}

/** Number of bytes sent, or `-errno`. On a netlink socket this goes to the kernel. */
export function send(fd: number, bytes: Uint8Array, length: number, flags: number): number {
  return checked(raw.send(fd, bytes, length, flags));
}

/** Number of bytes received (with MSG_TRUNC: the real length), or `-errno`. */
export function receive(fd: number, bytes: Uint8Array, flags: number): number {
  return checked(raw.recv(fd, bytes, bytes.length, flags));
}

/** The same for hot paths. */
export function receiveInto(fd: number, memory: NativeMemory, flags: number): number {
  return checked(raw.recvInto(fd, memory.address, memory.bytes.length, flags));
}

/** `message` is the address of a `msghdr`. */
export function sendMessage(fd: number, message: number, flags: number): number {
  return checked(raw.sendmsg(fd, message, flags));
}

export function receiveMessage(fd: number, message: number, flags: number): number {
  return checked(raw.recvmsg(fd, message, flags));
}

/** Number of messages received into the array of `mmsghdr` at `messages`, or `-errno`. */
export function receiveMessages(
  fd: number,
  messages: number,
  count: number,
  flags: number,
): number {
  return checked(raw.recvmmsg(fd, messages, count, flags, 0));
}

export function readInto(fd: number, memory: NativeMemory): number {
  return checked(raw.read(fd, memory.address, memory.bytes.length));
}

export function writeFrom(fd: number, memory: NativeMemory): number {
  return checked(raw.write(fd, memory.address, memory.bytes.length));
}

/** The interface's index in this network namespace, or `-ENODEV`. */
export function interfaceIndex(name: string): number {
  const index: number = raw.ifNameToIndex(name);
  return index === 0 ? -koffiErrno() : index;
}

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const TFD_NONBLOCK = 0o4000;
export const TFD_CLOEXEC = 0o2000000;
export const TFD_TIMER_ABSTIME = 1;

/** Fills a `timespec`: seconds and nanoseconds, 8 bytes each. */
export function clockGettime(clock: number, now: NativeMemory): number {
  return checked(raw.clockGettime(clock, now.address));
}

export function timerfdCreate(clock: number, flags: number): number {
  return checked(raw.timerfdCreate(clock, flags));
}

/** `next`: address of an `itimerspec`. */
export function timerfdSettime(fd: number, flags: number, next: number): number {
  return checked(raw.timerfdSettime(fd, flags, next, 0));
}

export const EFD_NONBLOCK = 0o4000;

export function eventfd(value: number, flags: number): number {
  return checked(raw.eventfd(value, flags));
}

// Both numbers are the same on all architectures (system calls since Linux 5.0).
const SYS_pidfd_open = 434;

/** A descriptor that turns readable when the process ends. pidfd_open(2), Linux 5.3. */
export function pidfdOpen(pid: number): number {
  return checked(raw.syscall(SYS_pidfd_open, pid, 0, 0, 0));
}

const WNOHANG = 1;

/** Its number when it had ended and is collected, 0 while it lives. Never one that Node started. */
export function collectChild(pid: number): number {
  return checked(raw.waitpid(pid, 0, WNOHANG));
}

/** Policy and priority of the calling thread (`pid` 0) or of another. sched_setscheduler(2). */
export function schedSetscheduler(pid: number, policy: number, priority: number): number {
  return checked(raw.schedSetscheduler(pid, policy, new Int32Array([priority])));
}

export function schedGetscheduler(pid: number): number {
  return checked(raw.schedGetscheduler(pid));
}

/** `mask`: bit n of the little endian number = CPU n. */
export function schedSetaffinity(pid: number, mask: Uint8Array): number {
  return checked(raw.schedSetaffinity(pid, mask.length, mask));
}

/** setrlimit(2); soft and hard in the unit of the resource. */
export function setrlimit(resource: number, soft: number, hard: number): number {
  return checked(raw.setrlimit(resource, new BigUint64Array([BigInt(soft), BigInt(hard)])));
}

/** ioctl(2) with a structure as its argument. */
export function ioctl(fd: number, request: number, argument: NativeMemory): number {
  return checked(raw.ioctl(fd, request, argument.address));
}
