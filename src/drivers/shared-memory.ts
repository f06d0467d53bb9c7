/** Calls for memory that several processes share, and for locks that the kernel takes back from the dead. */

import { errno as koffiErrno, load } from "koffi";
import { NativeMemory } from "./ffi.ts";

const libc = load(null);
const memfdCreate = libc.func("int memfd_create(const char *name, uint32_t flags)");
const mmap = libc.func(
  "int64_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)",
);
const fcntl = libc.func("int fcntl(int fd, int command, long argument)");

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW. */
const FIXED_SIZE = 1 | 2 | 4;
const F_WRLCK = 1;
const F_UNLCK = 2;

/** `struct flock`: type 0, whence 2, start 8, length 16, pid 24. fcntl(2). */
const flock = new NativeMemory(32);

function checked(result: number): number {
  return result < 0 ? -koffiErrno() : result;
}

/** A descriptor of memory without a file, or `-errno`. memfd_create(2). */
export function openMemory(name: string): number {
  return checked(memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

/** Its size is final: a process that has it mapped cannot lose it. 0 or `-errno`. */
export function sealSize(fd: number): number {
  return checked(fcntl(fd, F_ADD_SEALS, FIXED_SIZE));
}

/** Mapped for as long as this process lives: its address, or `-errno`. mmap(2). */
export function mapShared(fd: number, size: number): number {
  return checked(Number(mmap(0, size, PROT_READ_WRITE, MAP_SHARED, fd, 0)));
}

/**
 * Locks byte `at` for this opening of the file, without waiting: 0, or `-errno` (EAGAIN: another opening
 * has it). It ends with the opening, however the process ends.
 */
export function lockByte(fd: number, at: number): number {
  return checked(fcntl(fd, F_OFD_SETLK, locking(F_WRLCK, at)));
}

export function unlockByte(fd: number, at: number): number {
  return checked(fcntl(fd, F_OFD_SETLK, locking(F_UNLCK, at)));
}

/** By another opening. A failed look counts as yes. */
export function isLocked(fd: number, at: number): boolean {
  const result = checked(fcntl(fd, F_OFD_GETLK, locking(F_WRLCK, at)));
  return result < 0 || flock.view.getInt16(0, true) !== F_UNLCK;
}

function locking(type: number, at: number): number {
  flock.bytes.fill(0);
  flock.view.setInt16(0, type, true);
  flock.view.setBigInt64(8, BigInt(at), true);
  flock.view.setBigInt64(16, 1n, true);
  return flock.address;
}
