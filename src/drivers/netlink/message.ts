/**
 * Netlink's wire form: headers and attributes, written into and read from plain bytes.
 *
 * Numbers are little endian, as on every machine that Node 26 runs Linux on; attributes that the
 * kernel documents as network order have a writer of their own. Source: netlink(7), rtnetlink(7),
 * linux/netlink.h. Nothing here does I/O.
 */

import { assert } from "../../lib/assert.ts";

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;
/** In acknowledgements: the request is not repeated, and extended attributes follow. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const NLMSG_HEADER = 16;
const NLA_HEADER = 4;
const NLA_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const NLMSGERR_ATTR_MSG = 1;

/** 16 bits hold an attribute's length, its header included. */
export const MAX_ATTRIBUTE = 0xffff;

/**
 * Appends messages to one preallocated buffer. Which numbers a message needs is the caller's
 * knowledge; alignment and lengths are kept here. Running over the capacity is a bug: callers
 * bound what they write (`room`).
 */
export class MessageWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #length = 0;
  #messageStart = 0;
  #count = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Bytes written so far, padding of the last message included. */
  get length(): number {
    return this.#length;
  }

  /** Messages written so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes left. */
  get room(): number {
    return this.bytes.length - this.#length;
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
  }

  /** nlmsghdr; the length is filled in by `end`. */
  begin(type: number, flags: number, sequence: number): void {
    this.#messageStart = this.#claim(NLMSG_HEADER);
    this.#view.setUint16(this.#messageStart + 4, type, true);
    this.#view.setUint16(this.#messageStart + 6, flags, true);
    this.#view.setUint32(this.#messageStart + 8, sequence, true);
  }

  end(): void {
    this.#view.setUint32(this.#messageStart, this.#length - this.#messageStart, true);
    this.#count++;
  }

  /** Parts of a family header; the caller writes them so that the sum is a multiple of four. */
  u8(value: number): void {
    this.#view.setUint8(this.#append(1), value);
  }

  u16(value: number): void {
    this.#view.setUint16(this.#append(2), value, true);
  }

  be16(value: number): void {
    this.#view.setUint16(this.#append(2), value);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#append(4), value >>> 0, true);
  }

  attributeU8(type: number, value: number): void {
    this.#view.setUint8(this.#attribute(type, 1), value);
  }

  attributeU16(type: number, value: number): void {
    this.#view.setUint16(this.#attribute(type, 2), value, true);
  }

  attributeU32(type: number, value: number): void {
    this.#view.setUint32(this.#attribute(type, 4), value >>> 0, true);
  }

  /** nf_tables numbers are in network order. */
  attributeBe32(type: number, value: number): void {
    this.#view.setUint32(this.#attribute(type, 4), value >>> 0);
  }

  attributeBe64(type: number, value: bigint): void {
    this.#view.setBigUint64(this.#attribute(type, 8), value);
  }

  attributeBytes(type: number, value: Uint8Array): void {
    this.bytes.set(value, this.#attribute(type, value.length));
  }

  /** ASCII with the closing zero that the kernel wants. */
  attributeString(type: number, value: string): void {
    const at = this.#attribute(type, value.length + 1);
    for (let i = 0; i < value.length; i++) this.bytes[at + i] = value.charCodeAt(i);
  }

  /** Opens a nested attribute; give the result to `endNested`. */
  beginNested(type: number): number {
    const at = this.#claim(NLA_HEADER);
    this.#view.setUint16(at + 2, type | NLA_NESTED, true);
    return at;
  }

  endNested(at: number): void {
    const length = this.#length - at;
    assert(length <= MAX_ATTRIBUTE, "a nested netlink attribute is longer than 65,535 bytes");
    this.#view.setUint16(at, length, true);
  }

  #attribute(type: number, size: number): number {
    assert(NLA_HEADER + size <= MAX_ATTRIBUTE, "a netlink attribute is longer than 65,535 bytes");
    const at = this.#claim(align4(NLA_HEADER + size));
    this.#view.setUint16(at, NLA_HEADER + size, true);
    this.#view.setUint16(at + 2, type, true);
    return at + NLA_HEADER;
  }

  /** Zeroed room, because padding and reserved fields must be zero. */
  #claim(size: number): number {
    const at = this.#append(size);
    this.bytes.fill(0, at, at + size);
    return at;
  }

  #append(size: number): number {
    const at = this.#length;
    assert(at + size <= this.bytes.length, "a netlink message is longer than its buffer");
    this.#length += size;
    return at;
  }
}

/** One message of a datagram. `body` is a view of the received bytes, valid until the next receive. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Whose request caused it: a socket's port id; 0 = the kernel by itself. */
  readonly portId: number;
  readonly body: Uint8Array;
}

export type Attributes = ReadonlyMap<number, Uint8Array>;

/** The messages of one datagram. What does not fit its own length ends the reading. */
export function readMessages(datagram: Uint8Array): Message[] {
  const view = viewOf(datagram);
  const messages: Message[] = [];
  for (let at = 0; at + NLMSG_HEADER <= datagram.length;) {
    const length = view.getUint32(at, true);
    if (length < NLMSG_HEADER || at + length > datagram.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      portId: view.getUint32(at + 12, true),
      body: datagram.subarray(at + NLMSG_HEADER, at + length),
    });
    at += align4(length);
  }
  return messages;
}

/** Attributes after a family header of `headerSize` bytes; of a repeated type the last one counts. */
export function readAttributes(body: Uint8Array, headerSize: number): Attributes {
  const attributes = new Map<number, Uint8Array>();
  for (const [type, value] of eachAttribute(body, headerSize)) attributes.set(type, value);
  return attributes;
}

/** Attributes in their order, repeated ones too (nf_tables lists). */
export function* eachAttribute(
  body: Uint8Array,
  headerSize: number,
): Generator<[number, Uint8Array]> {
  const view = viewOf(body);
  for (let at = headerSize; at + NLA_HEADER <= body.length;) {
    const length = view.getUint16(at, true);
    if (length < NLA_HEADER || at + length > body.length) return;
    yield [
      view.getUint16(at + 2, true) & NLA_TYPE_MASK,
      body.subarray(at + NLA_HEADER, at + length),
    ];
    at += align4(length);
  }
}

/** Little endian number of a 1, 2 or 4 byte attribute; undefined when it is absent or shorter. */
export function numberOf(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.length >= 4) return viewOf(value).getUint32(0, true);
  if (value.length >= 2) return viewOf(value).getUint16(0, true);
  return value[0];
}

/** Text up to the first zero byte. */
export function textOf(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return String.fromCharCode(...value.subarray(0, end < 0 ? value.length : end));
}

/** What NLMSG_ERROR says: 0 = done, else -errno; with the kernel's own words where it sent them. */
export interface Acknowledgement {
  readonly status: number;
  readonly explanation?: string;
}

/** Undefined: not an acknowledgement, or cut short. */
export function readAcknowledgement(message: Message): Acknowledgement | undefined {
  const { type, flags, body } = message;
  if ((type !== NLMSG_ERROR && type !== NLMSG_DONE) || body.length < 4) return undefined;
  const view = viewOf(body);
  const status = view.getInt32(0, true);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { status };
  let headerSize = 4;
  if (type === NLMSG_ERROR) {
    if (body.length < 4 + NLMSG_HEADER) return { status };
    headerSize += (flags & NLM_F_CAPPED) === 0 ? align4(view.getUint32(4, true)) : NLMSG_HEADER;
  }
  const explanation = textOf(readAttributes(body, headerSize).get(NLMSGERR_ATTR_MSG));
  return explanation === undefined ? { status } : { status, explanation };
}

export function align4(size: number): number {
  return (size + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
