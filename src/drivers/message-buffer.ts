/**
 * A `msghdr` with its parts, laid out once and used for every datagram: sendmsg(2), recvmsg(2),
 * recvmmsg(2). Nothing is allocated per message.
 */

import { MSG_DONTWAIT, NativeMemory, receiveMessages } from "./ffi.ts";

/** Offsets in `struct msghdr` (64 bit). */
const NAME = 0;
const NAME_LENGTH = 8;
const VECTOR = 16;
const VECTOR_COUNT = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const MSGHDR_SIZE = 56;
/** `struct mmsghdr`: a `msghdr`, then the length that was received. */
const RECEIVED_LENGTH = MSGHDR_SIZE;
const MMSGHDR_SIZE = 64;

/** `struct cmsghdr`: length (8), level, type, then data at 16; the next one is 8-aligned. */
const CMSG_DATA = 16;

export interface BufferSizes {
  readonly name: number;
  readonly payload: number;
  readonly control: number;
}

export class MessageBuffer {
  readonly name: NativeMemory;
  readonly payload: NativeMemory;
  readonly control: NativeMemory;
  readonly #memory: NativeMemory;
  readonly #header: DataView;
  readonly #vector = new NativeMemory(16);
  readonly #sizes: BufferSizes;

  /** `place`: where in a `MessageBatch` the header is. */
  constructor(sizes: BufferSizes, place?: { memory: NativeMemory; offset: number }) {
    this.#sizes = sizes;
    const { memory, offset } = place ?? { memory: new NativeMemory(MMSGHDR_SIZE), offset: 0 };
    this.#memory = memory;
    this.#header = new DataView(memory.bytes.buffer, offset, MMSGHDR_SIZE);
    this.name = new NativeMemory(sizes.name);
    this.payload = new NativeMemory(sizes.payload);
    this.control = new NativeMemory(Math.max(8, sizes.control));
    memory.setPointer(offset + NAME, this.name.address);
    memory.setPointer(offset + VECTOR, this.#vector.address);
    this.#header.setUint32(VECTOR_COUNT, 1, true);
    memory.setPointer(offset + CONTROL, this.control.address);
    this.#vector.setPointer(0, this.payload.address);
    this.setPayloadLength(sizes.payload);
    this.setControlLength(sizes.control);
  }

  /** For the kernel: the address of the `msghdr`. */
  get address(): number {
    return this.#memory.address + this.#header.byteOffset;
  }

  setNameLength(length: number): void {
    this.#header.setUint32(NAME_LENGTH, length, true);
  }

  setPayloadLength(length: number): void {
    this.#vector.view.setUint32(8, length, true);
  }

  setControlLength(length: number): void {
    this.#header.setUint32(CONTROL_LENGTH, length, true);
  }

  get controlLength(): number {
    return this.#header.getUint32(CONTROL_LENGTH, true);
  }

  /** Of the last `receive` of its batch. */
  get receivedLength(): number {
    return this.#header.getUint32(RECEIVED_LENGTH, true);
  }

  /** The kernel overwrites the lengths with what it used: say again how much room there is. */
  reset(): void {
    this.setNameLength(this.#sizes.name);
    this.setControlLength(this.#sizes.control);
  }

  /** Writes the only control message; returns where its data starts. */
  writeControl(level: number, type: number, length: number): number {
    const { view } = this.control;
    view.setUint32(0, CMSG_DATA + length, true);
    view.setUint32(8, level, true);
    view.setUint32(12, type, true);
    this.setControlLength(CMSG_DATA + ((length + 7) & ~7));
    return CMSG_DATA;
  }

  /** Offset of the data of a received control message, or -1. */
  findControl(level: number, type: number): number {
    const { view } = this.control;
    const end = Math.min(this.controlLength, this.#sizes.control);
    for (let at = 0; at + CMSG_DATA <= end;) {
      const length = view.getUint32(at, true);
      if (length < CMSG_DATA) return -1;
      const matches =
        view.getUint32(at + 8, true) === level && view.getUint32(at + 12, true) === type;
      if (matches) return at + CMSG_DATA;
      at += (length + 7) & ~7;
    }
    return -1;
  }
}

/** Buffers that one system call fills: the more datagrams wait, the less each costs. */
export class MessageBatch {
  readonly buffers: readonly MessageBuffer[];
  readonly #headers: NativeMemory;

  constructor(count: number, sizes: BufferSizes) {
    this.#headers = new NativeMemory(count * MMSGHDR_SIZE);
    this.buffers = Array.from(
      { length: count },
      (_, i) => new MessageBuffer(sizes, { memory: this.#headers, offset: i * MMSGHDR_SIZE }),
    );
    for (const buffer of this.buffers) buffer.reset();
  }

  /**
   * Fills the first buffers with what waits on a socket, never blocking. Returns how many, or
   * `-errno`; each filled one wants a `reset` before the next call.
   */
  receive(fd: number): number {
    return receiveMessages(fd, this.#headers.address, this.buffers.length, MSG_DONTWAIT);
  }
}
