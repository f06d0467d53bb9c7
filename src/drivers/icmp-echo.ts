/**
 * ICMP echo (RFC 792, RFC 4443 section 4) to one address, for the `witness` and `ping` checks. The kernel hands
 * over echo replies with our identifier only; ours are known by a random cookie in the data.
 */

import { randomBytes, randomInt } from "node:crypto";
import { isIpv6, parseIp } from "../lib/ip-address.ts";
import * as ffi from "./ffi.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { attachFilter, ACCEPT, REFUSE, half, halfBehindIpv4, whenEqual } from "./packet-filter.ts";
import { watchReadable, type Watch } from "./poll.ts";
import { internetSockaddr } from "./stream-address.ts";

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
const IDENTIFIER = 4;
const SEQUENCE = 6;
/** Of `sin6_scope_id`. */
const SCOPE_ID = 24;
/** `struct sockaddr_in6`; an IPv4 address needs less. */
const SOCKADDR_SIZE = 28;
/** Replies per wake. */
const MAX_REPLIES = 64;

export class IcmpEcho {
  readonly #fd: number;
  readonly #v6: boolean;
  readonly #message = new MessageBuffer({
    name: SOCKADDR_SIZE,
    payload: HEADER + COOKIE,
    control: 0,
  });
  readonly #watch: Watch;
  readonly #zone: string | undefined;
  #isOpen = true;

  /** Needs CAP_NET_RAW. `address` and `source` (default: the kernel's choice) are canonical text;
   *  a link-local address has its interface behind a `%`. */
  static open(
    address: string,
    onReply: (sequence: number) => void,
    source?: string,
  ): IcmpEcho | ffi.OsFailure {
    const v6 = isIpv6(address);
    const [domain, protocol] = v6 ? [ffi.AF_INET6, IPPROTO_ICMPV6] : [ffi.AF_INET, IPPROTO_ICMP];
    const fd = ffi.openSocket(domain, ffi.SOCK_RAW | ffi.SOCK_NONBLOCK, protocol);
    if (fd < 0) return ffi.osFailure(`open an echo socket for ${address}`, fd);
    const identifier = randomInt(0x10000);
    const typed = ffi.setSocketOption(fd, v6 ? protocol : SOL_RAW, ICMP_FILTER, typeFilter(v6));
    const filtered = typed < 0 ? typed : filterIdentifier(fd, v6, identifier);
    const from = source === undefined ? undefined : internetSockaddr(source, 0);
    const bound = from === undefined ? 0 : ffi.bindSocket(fd, from);
    if (filtered === 0 && bound === 0) return new IcmpEcho(fd, { address, identifier }, onReply);
    ffi.closeFd(fd);
    if (filtered < 0) return ffi.osFailure(`filter echo replies of ${address}`, filtered);
    return ffi.osFailure(`send echo requests from ${source}`, bound);
  }

  private constructor(
    fd: number,
    { address, identifier }: { readonly address: string; readonly identifier: number },
    onReply: (sequence: number) => void,
  ) {
    this.#fd = fd;
    this.#v6 = isIpv6(address);
    const { name, payload } = this.#message;
    name.view.setUint16(0, this.#v6 ? ffi.AF_INET6 : ffi.AF_INET, true);
    const [host = "", zone] = address.split("%");
    name.bytes.set(parseIp(host) ?? [], this.#v6 ? 8 : 4);
    this.#zone = zone;
    this.#message.setNameLength(SOCKADDR_SIZE);
    payload.bytes[0] = this.#v6 ? ECHO_REQUEST_V6 : ECHO_REQUEST;
    payload.view.setUint16(IDENTIFIER, identifier);
    payload.bytes.set(randomBytes(COOKIE), HEADER);
    this.#watch = watchReadable(fd, () => this.#receive(onReply));
  }

  /** 0, or `-errno` when the request could not leave (no route, interface down). */
  send(sequence: number): number {
    const { view } = this.#message.payload;
    view.setUint16(SEQUENCE, sequence);
    // Each time anew: an interface that comes back has another number.
    if (this.#zone !== undefined) {
      const index = ffi.interfaceIndex(this.#zone);
      if (index < 0) return index;
      this.#message.name.view.setUint32(SCOPE_ID, index, true);
    }
    // ICMPv6 sums are the kernel's business: it alone knows the source address.
    view.setUint16(2, 0);
    if (!this.#v6) view.setUint16(2, internetChecksum(view));
    return Math.min(0, ffi.sendMessage(this.#fd, this.#message.address, ffi.MSG_DONTWAIT));
  }

  close(): void {
    this.#isOpen = false;
    this.#watch.close();
    ffi.closeFd(this.#fd);
  }

  #receive(onReply: (sequence: number) => void): void {
    const buffer = new Uint8Array(256);
    for (let i = 0; i < MAX_REPLIES; i++) {
      // Told of an answer, the owner may have closed.
      if (!this.#isOpen) return;
      const length = ffi.receive(this.#fd, buffer, 0);
      if (length < 0) return;
      const start = this.#v6 ? 0 : (buffer[0]! & 0x0f) * 4;
      if (start + HEADER + COOKIE > length) continue;
      const reply = new DataView(buffer.buffer, start, HEADER + COOKIE);
      if (this.#isOurs(reply)) onReply(reply.getUint16(SEQUENCE));
    }
  }

  #isOurs(reply: DataView): boolean {
    const sent = this.#message.payload.view;
    return (
      reply.getUint8(0) === (this.#v6 ? ECHO_REPLY_V6 : ECHO_REPLY) &&
      reply.getUint16(IDENTIFIER) === sent.getUint16(IDENTIFIER) &&
      reply.getBigUint64(HEADER) === sent.getBigUint64(HEADER)
    );
  }
}

/** A set bit keeps the type out. */
function typeFilter(v6: boolean): Uint8Array {
  const blocked = new Uint8Array(v6 ? 32 : 4).fill(0xff);
  const type = v6 ? ECHO_REPLY_V6 : ECHO_REPLY;
  blocked[type >> 3]! &= ~(1 << (type & 7));
  return blocked;
}

/** Others on this machine ping too. IPv4 comes with its header, IPv6 without. */
function filterIdentifier(fd: number, v6: boolean, identifier: number): number {
  return attachFilter(fd, [
    ...whenEqual(v6 ? half(IDENTIFIER) : halfBehindIpv4(IDENTIFIER), identifier, [ACCEPT]),
    REFUSE,
  ]);
}

/** RFC 1071, over an even number of bytes. */
function internetChecksum(view: DataView): number {
  let sum = 0;
  for (let i = 0; i < view.byteLength; i += 2) sum += view.getUint16(i);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~(sum + (sum >>> 16)) & 0xffff;
}
