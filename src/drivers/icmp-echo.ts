/**
 * ICMP echo (RFC 792, RFC 4443 section 4) to one address, for the `witness`. The kernel hands
 * over echo replies only; ours are known by identifier and a random cookie in the data.
 */

import { randomBytes, randomInt } from "node:crypto";
import { isIpv6, parseIp } from "../lib/ip-address.ts";
import * as ffi from "./ffi.ts";
import { watchReadable, type Watch } from "./poll.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
/** Both filters have this option number: linux/icmp.h, linux/icmpv6.h. */
const ICMP_FILTER = 1;

const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const ECHO_REQUEST_V6 = 128;
const ECHO_REPLY_V6 = 129;

const HEADER = 8;
const COOKIE = 8;
/** Offsets in `struct msghdr`, and its size. */
const NAME = 0;
const NAME_LENGTH = 8;
const VECTOR = 16;
const VECTOR_LENGTH = 24;
const MSGHDR_SIZE = 56;
/** Replies per wake. */
const MAX_REPLIES = 64;

export class IcmpEcho {
  readonly #fd: number;
  readonly #v6: boolean;
  readonly #identifier = randomInt(0x10000);
  readonly #packet = new ffi.NativeMemory(HEADER + COOKIE);
  readonly #message = new ffi.NativeMemory(MSGHDR_SIZE);
  readonly #vector = new ffi.NativeMemory(16);
  readonly #target: ffi.NativeMemory;
  readonly #watch: Watch;

  private constructor(fd: number, address: string, onReply: (sequence: number) => void) {
    this.#fd = fd;
    this.#v6 = isIpv6(address);
    this.#target = socketAddress(address);
    this.#packet.bytes[0] = this.#v6 ? ECHO_REQUEST_V6 : ECHO_REQUEST;
    this.#packet.view.setUint16(4, this.#identifier);
    this.#packet.bytes.set(randomBytes(COOKIE), HEADER);
    this.#vector.setPointer(0, this.#packet.address);
    this.#vector.view.setBigUint64(8, BigInt(HEADER + COOKIE), true);
    this.#message.setPointer(NAME, this.#target.address);
    this.#message.view.setUint32(NAME_LENGTH, this.#target.bytes.length, true);
    this.#message.setPointer(VECTOR, this.#vector.address);
    this.#message.view.setBigUint64(VECTOR_LENGTH, 1n, true);
    this.#watch = watchReadable(fd, () => this.#receive(onReply));
  }

  /** Needs CAP_NET_RAW. `address` is canonical text. */
  static open(address: string, onReply: (sequence: number) => void): IcmpEcho | ffi.OsFailure {
    const v6 = isIpv6(address);
    const protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    const fd = ffi.openSocket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK, protocol);
    if (fd < 0) return ffi.osFailure(`open an echo socket for ${address}`, fd);
    const filtered = ffi.setSocketOption(fd, v6 ? protocol : SOL_RAW, ICMP_FILTER, filterFor(v6));
    if (filtered < 0) {
      ffi.closeFd(fd);
      return ffi.osFailure(`filter echo replies of ${address}`, filtered);
    }
    return new IcmpEcho(fd, address, onReply);
  }

  /** 0, or `-errno` when the request could not leave (no route, interface down). */
  send(sequence: number): number {
    this.#packet.view.setUint16(6, sequence);
    // ICMPv6 sums are the kernel's business: it alone knows the source address.
    this.#packet.view.setUint16(2, 0);
    if (!this.#v6) this.#packet.view.setUint16(2, internetChecksum(this.#packet.view));
    return Math.min(0, ffi.sendMessage(this.#fd, this.#message.address, 0));
  }

  close(): void {
    this.#watch.close();
    ffi.closeFd(this.#fd);
  }

  #receive(onReply: (sequence: number) => void): void {
    const buffer = new Uint8Array(256);
    for (let i = 0; i < MAX_REPLIES; i++) {
      const length = ffi.receive(this.#fd, buffer, 0);
      if (length < 0) return;
      const start = this.#v6 ? 0 : (buffer[0]! & 0x0f) * 4;
      if (start + HEADER + COOKIE > length) continue;
      const reply = new DataView(buffer.buffer, start, HEADER + COOKIE);
      if (this.#isOurs(reply)) onReply(reply.getUint16(6));
    }
  }

  #isOurs(reply: DataView): boolean {
    const type = this.#v6 ? ECHO_REPLY_V6 : ECHO_REPLY;
    return (
      reply.getUint8(0) === type &&
      reply.getUint16(4) === this.#identifier &&
      reply.getBigUint64(HEADER) === this.#packet.view.getBigUint64(HEADER)
    );
  }
}

/** A set bit keeps the type out. */
function filterFor(v6: boolean): Uint8Array {
  const blocked = new Uint8Array(v6 ? 32 : 4).fill(0xff);
  const type = v6 ? ECHO_REPLY_V6 : ECHO_REPLY;
  blocked[type >> 3]! &= ~(1 << (type & 7));
  return blocked;
}

function socketAddress(address: string): ffi.NativeMemory {
  const v6 = isIpv6(address);
  const memory = new ffi.NativeMemory(v6 ? 28 : 16);
  memory.view.setUint16(0, v6 ? AF_INET6 : AF_INET, true);
  memory.bytes.set(parseIp(address) ?? [], v6 ? 8 : 4);
  return memory;
}

/** RFC 1071, over an even number of bytes. */
function internetChecksum(view: DataView): number {
  let sum = 0;
  for (let i = 0; i < view.byteLength; i += 2) sum += view.getUint16(i);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~(sum + (sum >>> 16)) & 0xffff;
}
