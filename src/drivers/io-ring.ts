/**
 * Many receives and sends of one turn by a single system call: io_uring, used only for what would
 * be done at once anyway. Nothing is ever left in the kernel - every operation says MSG_DONTWAIT, so all have
 * their results when `submit` returns, and buffers are the caller's again.
 *
 * io_uring(7), io_uring_setup(2), io_uring_enter(2). Where the kernel refuses it (older than 6.0, switched off by
 * `kernel.io_uring_disabled`, a container's seccomp rules) there is none, and everybody makes a call for each.
 */

import { load } from "koffi";
import { closeFd, NativeMemory } from "./ffi.ts";
import { mapShared } from "./shared-memory.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, receiveStream, sendStream } from "./stream-calls.ts";

const libc = load(null);
/** One number for all architectures of Linux. */
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const setup = libc.func("long syscall(long number, uint32_t entries, uintptr_t parameters)");
const enter = libc.func(
  "long syscall(long number, int ring, uint32_t submitted, uint32_t awaited, uint32_t flags, uintptr_t signals, size_t size)",
);

/** One failure does not keep the rest from being done; only this thread submits. */
const SETUP_FLAGS = (1 << 7) | (1 << 12);
const ENTER_GETEVENTS = 1;
const OP_SEND = 26;
const OP_RECV = 27;
/** Where mmap finds the second of the two areas; the first is at 0. */
const OFFSET_ENTRIES = 0x10000000;

/** `struct io_uring_params`: 40 bytes of its own, then where things are in the ring. */
const PARAMETER_BYTES = 120;
const FLAGS_AT = 8;
const SUBMISSION_AT = 40;
const COMPLETION_AT = 80;
/** `struct io_uring_sqe` and `struct io_uring_cqe`, in words of 4 bytes. */
const ENTRY_WORDS = 16;
const FD = 1;
const ADDRESS = 4;
const LENGTH = 6;
const FLAGS = 7;
const USER_DATA = 8;
const COMPLETION_WORDS = 4;
const RESULT = 2;
const WORD = 4;
const HIGH_WORD = 2 ** 32;

interface MappedRing {
  readonly fd: number;
  readonly room: number;
  /** `struct io_uring_params`, as the kernel has filled it. */
  readonly parameters: DataView;
  readonly ring: Int32Array;
  readonly entries: Int32Array;
}

export class IoRing {
  /** Operations that fit into one `submit`. */
  readonly room: number;
  /** How many wait for `submit`. */
  count = 0;
  readonly #fd: number;
  readonly #ring: Int32Array;
  readonly #entries: Int32Array;
  /** Word numbers in the ring. */
  readonly #submitTail: number;
  readonly #completeHead: number;
  readonly #completeTail: number;
  readonly #completions: number;
  readonly #completionMask: number;
  readonly #results: Int32Array;
  /** Of what the kernel has taken; it counts on and on. */
  #taken = 0;

  /** `room`: a power of two. Undefined: the kernel has none for us. */
  static open(room: number): IoRing | undefined {
    const parameters = new NativeMemory(PARAMETER_BYTES);
    parameters.view.setUint32(FLAGS_AT, SETUP_FLAGS, true);
    const fd = Number(setup(SYS_IO_URING_SETUP, room, parameters.address));
    if (fd < 0) return undefined;
    const ring = mapRing(fd, room, parameters.view);
    if (ring === undefined) closeFd(fd);
    return ring;
  }

  constructor({ fd, room, parameters, ring, entries }: MappedRing) {
    const word = (at: number): number => parameters.getUint32(at, true) / WORD;
    this.#fd = fd;
    this.room = room;
    this.#ring = ring;
    this.#entries = entries;
    this.#results = new Int32Array(room);
    this.#submitTail = word(SUBMISSION_AT + 4);
    this.#completeHead = word(COMPLETION_AT);
    this.#completeTail = word(COMPLETION_AT + 4);
    this.#completions = word(COMPLETION_AT + 20);
    this.#completionMask = ring[word(COMPLETION_AT + 8)]!;
    // Entries are used in the order in which they lie.
    const order = word(SUBMISSION_AT + 24);
    for (let i = 0; i < room; i++) ring[order + i] = i;
  }

  /** As `receiveStream`: its number for `result`. The memory is the kernel's until `submit`. */
  receive(fd: number, address: number, length: number): number {
    this.#entries[this.#next] = OP_RECV;
    return this.#prepare(fd, address, length, MSG_DONTWAIT);
  }

  /** As `sendStream`. */
  send(fd: number, address: number, length: number, flags: number): number {
    this.#entries[this.#next] = OP_SEND;
    return this.#prepare(fd, address, length, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
  }

  /** Does all that was prepared, in its order. */
  submit(): void {
    const { count } = this;
    const first = this.#taken;
    this.count = 0;
    this.#ring[this.#submitTail] = (first + count) | 0;
    const done = Math.max(0, this.#enter(count, 0));
    this.#taken = (first + done) | 0;
    for (let told = this.#collect(); told < done; told += this.#collect()) {
      this.#enter(0, done - told);
    }
    if (done === count) return;
    // The kernel has no memory for so many at once: the others are taken back and done one by one.
    this.#ring[this.#submitTail] = this.#taken;
    for (let i = done; i < count; i++)
      this.#results[i] = this.#alone((first + i) & (this.room - 1));
  }

  /** Of the last `submit`, by the number that preparing it gave: bytes, or `-errno`. */
  result(number: number): number {
    return this.#results[number]!;
  }

  close(): void {
    closeFd(this.#fd);
  }

  /** Where the next entry lies. */
  get #next(): number {
    return ((this.#taken + this.count) & (this.room - 1)) * ENTRY_WORDS;
  }

  #prepare(fd: number, address: number, length: number, flags: number): number {
    const entries = this.#entries;
    const at = this.#next;
    entries[at + FD] = fd;
    entries[at + ADDRESS] = address | 0;
    entries[at + ADDRESS + 1] = address / HIGH_WORD;
    entries[at + LENGTH] = length;
    entries[at + FLAGS] = flags;
    entries[at + USER_DATA] = this.count;
    return this.count++;
  }

  #enter(count: number, awaited: number): number {
    const flags = awaited > 0 ? ENTER_GETEVENTS : 0;
    return Number(enter(SYS_IO_URING_ENTER, this.#fd, count, awaited, flags, 0, 0));
  }

  /** How many results there were. */
  #collect(): number {
    const ring = this.#ring;
    const head = ring[this.#completeHead]!;
    const tail = ring[this.#completeTail]!;
    for (let i = head; i !== tail; i = (i + 1) | 0) {
      const at = this.#completions + (i & this.#completionMask) * COMPLETION_WORDS;
      this.#results[ring[at]!] = ring[at + RESULT]!;
    }
    ring[this.#completeHead] = tail;
    return (tail - head) | 0;
  }

  #alone(slot: number): number {
    const entries = this.#entries;
    const at = slot * ENTRY_WORDS;
    const address = entries[at + ADDRESS + 1]! * HIGH_WORD + (entries[at + ADDRESS]! >>> 0);
    const [fd, length, flags] = [entries[at + FD]!, entries[at + LENGTH]!, entries[at + FLAGS]!];
    const isSend = entries[at] === OP_SEND;
    return isSend
      ? sendStream(fd, address, length, flags)
      : receiveStream(fd, address, length, flags);
  }
}

function mapRing(fd: number, room: number, parameters: DataView): IoRing | undefined {
  const word = (at: number): number => parameters.getUint32(at, true);
  const orderEnd = word(SUBMISSION_AT + 24) + room * WORD;
  const completionsEnd = word(COMPLETION_AT + 20) + 2 * room * COMPLETION_WORDS * WORD;
  const ring = mapped(fd, Math.max(orderEnd, completionsEnd), 0);
  const entries = mapped(fd, room * ENTRY_WORDS * WORD, OFFSET_ENTRIES);
  if (ring === undefined || entries === undefined) return undefined;
  return new IoRing({ fd, room, parameters, ring, entries });
}

function mapped(fd: number, size: number, offset: number): Int32Array | undefined {
  const address = mapShared(fd, size, offset);
  if (address < 0) return undefined;
  return new Int32Array(new NativeMemory(size, address).bytes.buffer, 0, size / WORD);
}
