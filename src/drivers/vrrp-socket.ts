/**
 * Raw sockets for VRRP (IP protocol 112) and keepalived's AH (51): one per interface, family and
 * protocol. raw(7), ip(7), ipv6(7).
 *
 * Checksums are the core's business: the kernel is not asked to touch them.
 */

import type { ReceivedDatagram } from "../core/vrrp/router-ports.ts";
import type { Family } from "../core/vrrp/settings.ts";
import { parseIp } from "../lib/ip-address.ts";
import { AddressTexts } from "./address-texts.ts";
import * as ffi from "./ffi.ts";
import { osFailure, type OsFailure } from "./ffi.ts";
import { MessageBatch, MessageBuffer } from "./message-buffer.ts";
import { PacedWatch } from "./paced-watch.ts";

const { SOL_SOCKET, SO_TIMESTAMPNS } = ffi;
const TIMESPEC_SIZE = 16;
const NO_DESCRIPTOR = -1;
const AH_PROTOCOL = 51;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_HDRINCL = 3;
const IP_PKTINFO = 8;
const IP_TRANSPARENT = 19;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;
const IPV6_FREEBIND = 78;

/** Internetwork control, in the header and in the queues of the host, as keepalived marks it. */
const TRAFFIC_CLASS = 0xc0;
const QUEUE_PRIORITY = 7;
const DEFAULT_TTL = 255;
/** Largest IP packet that can be an advert: 255 IPv6 addresses are 4096 bytes. */
const MAX_DATAGRAM = 9216;
/** Taken by one system call. */
const DATAGRAMS_PER_CALL = 32;
/** Bounds the work of one wake-up; the rest waits for the next turn of the loop. */
const CALLS_PER_WAKE = 2;
/** Holds the adverts of 255 routers at 100 ms for half a second in which nobody reads, bytes. */
const RECEIVE_BUFFER = 1 << 20;
/** Takes what that holds: the kernel doubles it, and counts half a KiB for the smallest datagram. */
const CALLS_FOR_ALL = (2 * RECEIVE_BUFFER) / 512 / DATAGRAMS_PER_CALL;

export interface VrrpSocketOptions {
  /** Bound to it with SO_BINDTODEVICE. */
  readonly interface: string;
  readonly family: Family;
  /** 112 or 51. */
  readonly protocol: number;
  /** What `ReceivedDatagram.interface` says: the one below, when bound to a virtual MAC's. */
  readonly reportAs: string;
  /** Called for every datagram; the object and its payload are reused. */
  readonly onDatagram: (datagram: ReceivedDatagram) => void;
}

/** The part of a `send-datagram` action that matters here. */
export interface OutgoingDatagram {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly payload: Uint8Array;
  readonly length: number;
}

export class VrrpSocket {
  readonly #fd: number;
  readonly #options: VrrpSocketOptions;
  readonly #groups = new Set<string>();
  readonly #out: MessageBuffer;
  readonly #in: MessageBatch;
  readonly #watch: PacedWatch;
  readonly #texts = new AddressTexts();
  /** What each buffer of `#in` holds. */
  readonly #datagrams: readonly ReceivedDatagram[];
  /** What the next send finds prepared. */
  #preparedSource = "";
  #preparedDestination = "";
  #preparedTtl = DEFAULT_TTL;
  #index: number;
  /** The kernel says when each datagram came. */
  readonly #isStamped: boolean;
  readonly #clock = new ffi.NativeMemory(TIMESPEC_SIZE);

  static open(options: VrrpSocketOptions): VrrpSocket | OsFailure {
    const { interface: name, family, protocol } = options;
    const index = ffi.interfaceIndex(name);
    if (index < 0) return osFailure(`look up interface ${name}`, index);
    const domain = family === "ipv4" ? ffi.AF_INET : ffi.AF_INET6;
    const fd = ffi.openSocket(domain, ffi.SOCK_RAW | ffi.SOCK_NONBLOCK, protocol);
    if (fd < 0) return osFailure(`open a raw socket of protocol ${protocol}`, fd);
    const failure = setUp(fd, index, options);
    if (failure === undefined) return new VrrpSocket(fd, index, options);
    ffi.closeFd(fd);
    return failure;
  }

  private constructor(fd: number, index: number, options: VrrpSocketOptions) {
    const { family, protocol, onDatagram } = options;
    this.#fd = fd;
    this.#index = index;
    this.#options = options;
    // IPv4 brings its header along, which says all that name and control would.
    const sizes = family === "ipv4" ? { name: 0, control: 32 } : { name: 28, control: 96 };
    this.#in = new MessageBatch(DATAGRAMS_PER_CALL, { ...sizes, payload: MAX_DATAGRAM });
    this.#out = new MessageBuffer({ name: 28, payload: MAX_DATAGRAM, control: 48 });
    this.#datagrams = this.#in.buffers.map(({ payload }) => ({
      interface: options.reportAs,
      family,
      protocol,
      source: "",
      destination: "",
      ttl: 0,
      payload: payload.bytes,
      waitedMs: 0,
    }));
    this.#isStamped = ffi.setSocketOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) === 0;
    this.#watch = new PacedWatch(fd, (whole) =>
      this.#drain(onDatagram, whole ? CALLS_FOR_ALL : CALLS_PER_WAKE),
    );
  }

  /** Joins a multicast group once; again after `rejoin`. 0 or `-errno`. */
  join(group: string): number {
    if (this.#groups.has(group)) return 0;
    const status = this.#membership(group, true);
    if (status === 0 || status === -ffi.EADDRINUSE) this.#groups.add(group);
    return status === -ffi.EADDRINUSE ? 0 : status;
  }

  /** After the link came back: some drivers forget their groups with it. */
  rejoin(): void {
    for (const group of this.#groups) {
      this.#membership(group, false);
      this.#membership(group, true);
    }
  }

  /** False when the interface was taken away or made anew: the socket is of no use any more. */
  get isBound(): boolean {
    return ffi.interfaceIndex(this.#options.interface) === this.#index;
  }

  /** The interface that received datagrams are told to be from. */
  get reportAs(): string {
    return this.#options.reportAs;
  }

  /** Whether it is one for these adverts. */
  carries(advert: Pick<VrrpSocketOptions, "interface" | "family" | "protocol">): boolean {
    const { reportAs, family, protocol } = this.#options;
    const isTheirs = advert.family === family && advert.protocol === protocol;
    return isTheirs && advert.interface === reportAs;
  }

  /** 0 or `-errno`. */
  send(datagram: OutgoingDatagram): number {
    this.#prepare(datagram);
    const sent = ffi.sendMessage(this.#fd, this.#out.address, ffi.MSG_DONTWAIT);
    return sent < 0 ? sent : 0;
  }

  /** Does everything that `send` does, except that no descriptor takes it. */
  rehearse(datagram: OutgoingDatagram): void {
    this.#prepare(datagram);
    ffi.sendMessage(NO_DESCRIPTOR, this.#out.address, ffi.MSG_DONTWAIT);
  }

  #prepare(datagram: OutgoingDatagram): void {
    const { source, destination, ttl, payload, length } = datagram;
    if (source !== this.#preparedSource) this.#prepareSource(source);
    if (destination !== this.#preparedDestination) this.#prepareDestination(destination);
    if (ttl !== this.#preparedTtl) this.#prepareTtl(ttl);
    const { bytes } = this.#out.payload;
    for (let i = 0; i < length; i++) bytes[i] = payload[i]!;
    this.#out.setPayloadLength(length);
  }

  /** Whether adverts may wait until there are several: see `ReadingPace`. */
  set mayGather(may: boolean) {
    this.#watch.mayGather = may;
  }

  /** Adverts that wait for others to come. */
  readGathered(): void {
    this.#watch.readGathered();
  }

  /** Whatever waits, now. */
  read(): void {
    this.#watch.read();
  }

  close(): void {
    this.#watch.close();
    ffi.closeFd(this.#fd);
  }

  /** Returns how many there were. */
  #drain(onDatagram: (datagram: ReceivedDatagram) => void, mostCalls: number): number {
    let taken = 0;
    for (let calls = 0; calls < mostCalls; calls++) {
      const count = this.#in.receive(this.#fd);
      if (this.#isStamped && count > 0) ffi.clockGettime(ffi.CLOCK_REALTIME, this.#clock);
      for (let i = 0; i < count; i++) this.#take(i, onDatagram);
      taken += Math.max(0, count);
      // Fewer than there was room for: nothing is left.
      if (count < DATAGRAMS_PER_CALL) break;
    }
    return taken;
  }

  #take(i: number, onDatagram: (datagram: ReceivedDatagram) => void): void {
    const buffer = this.#in.buffers[i]!;
    const datagram = this.#datagrams[i]!;
    const isIpv4 = this.#options.family === "ipv4";
    const isComplete = isIpv4 ? this.#readIpv4(buffer, datagram) : this.#readIpv6(buffer, datagram);
    if (this.#isStamped) datagram.waitedMs = this.#waitedMs(buffer);
    buffer.reset();
    if (isComplete) onDatagram(datagram);
  }

  /** Since the kernel's stamp. Its clock may have been set since then: never less than 0. */
  #waitedMs(buffer: MessageBuffer): number {
    const at = buffer.findControl(SOL_SOCKET, SO_TIMESTAMPNS);
    if (at < 0) return 0;
    const now = this.#clock.view;
    const came = buffer.control.view;
    // Seconds until the year 2106: 32 bits spare the bigint.
    const seconds = now.getUint32(0, true) - came.getUint32(at, true);
    const nanoseconds = now.getUint32(8, true) - came.getUint32(at + 8, true);
    return Math.max(0, seconds * 1e3 + nanoseconds / 1e6);
  }

  #readIpv4(buffer: MessageBuffer, datagram: ReceivedDatagram): boolean {
    const { payload, receivedLength: length } = buffer;
    const { bytes } = payload;
    const headerLength = (bytes[0]! & 0x0f) * 4;
    if (length < headerLength || headerLength < 20) return false;
    datagram.ttl = bytes[8]!;
    datagram.source = this.#texts.text(bytes, 12, 4);
    datagram.destination = this.#texts.text(bytes, 16, 4);
    datagram.payload = viewOf(bytes, datagram.payload, headerLength, length);
    if (this.#options.protocol === AH_PROTOCOL) {
      datagram.ipHeader = viewOf(bytes, datagram.ipHeader, 0, headerLength);
    }
    return true;
  }

  #readIpv6(buffer: MessageBuffer, datagram: ReceivedDatagram): boolean {
    const { control, name, payload, receivedLength } = buffer;
    const hops = buffer.findControl(IPPROTO_IPV6, IPV6_HOPLIMIT);
    const info = buffer.findControl(IPPROTO_IPV6, IPV6_PKTINFO);
    if (hops < 0 || info < 0) return false;
    datagram.ttl = control.view.getInt32(hops, true);
    datagram.source = this.#texts.text(name.bytes, 8, 16);
    datagram.destination = this.#texts.text(control.bytes, info, 16);
    datagram.payload = viewOf(payload.bytes, datagram.payload, 0, receivedLength);
    return true;
  }

  /** `in_pktinfo` (index, source, unused) or `in6_pktinfo` (source, index). */
  #prepareSource(source: string): void {
    this.#preparedSource = source;
    const { control } = this.#out;
    if (this.#options.family === "ipv4") {
      const at = this.#out.writeControl(IPPROTO_IP, IP_PKTINFO, 12);
      control.view.setUint32(at, this.#index, true);
      control.bytes.set(addressBytes(source), at + 4);
    } else {
      const at = this.#out.writeControl(IPPROTO_IPV6, IPV6_PKTINFO, 20);
      control.bytes.set(addressBytes(source), at);
      control.view.setUint32(at + 16, this.#index, true);
    }
  }

  /** `sockaddr_in` or `sockaddr_in6` with the interface as scope. */
  #prepareDestination(destination: string): void {
    this.#preparedDestination = destination;
    const { name } = this.#out;
    name.bytes.fill(0);
    const isIpv4 = this.#options.family === "ipv4";
    name.view.setUint16(0, isIpv4 ? ffi.AF_INET : ffi.AF_INET6, true);
    name.bytes.set(addressBytes(destination), isIpv4 ? 4 : 8);
    if (!isIpv4) name.view.setUint32(24, this.#index, true);
    this.#out.setNameLength(isIpv4 ? 16 : 28);
  }

  #prepareTtl(ttl: number): void {
    this.#preparedTtl = ttl;
    setTtl(this.#fd, this.#options.family, ttl);
  }

  #membership(group: string, join: boolean): number {
    if (this.#options.family === "ipv4") {
      const request = new Uint8Array(12);
      request.set(addressBytes(group));
      new DataView(request.buffer).setUint32(8, this.#index, true);
      const option = join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
      return ffi.setSocketOption(this.#fd, IPPROTO_IP, option, request);
    }
    const request = new Uint8Array(20);
    request.set(addressBytes(group));
    new DataView(request.buffer).setUint32(16, this.#index, true);
    const option = join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
    return ffi.setSocketOption(this.#fd, IPPROTO_IPV6, option, request);
  }
}

/** A view is made only when the bounds differ from those of the buffer's last datagram. */
function viewOf(
  bytes: Uint8Array,
  last: Uint8Array | undefined,
  start: number,
  end: number,
): Uint8Array {
  const isSame = last?.byteOffset === start && last.byteLength === end - start;
  return isSame ? last : bytes.subarray(start, end);
}

/**
 * An address that somebody takes away is spoken from all the same, as keepalived does: who still holds
 * addresses must be heard, at least when it resigns.
 */
function setUp(fd: number, index: number, options: VrrpSocketOptions): OsFailure | undefined {
  const { interface: name, family, protocol } = options;
  const device = new TextEncoder().encode(`${name}\0`);
  const mreqn = new Uint8Array(12);
  new DataView(mreqn.buffer).setUint32(8, index, true);
  const v4: readonly Setting[] = [
    [IPPROTO_IP, IP_TOS, TRAFFIC_CLASS],
    [IPPROTO_IP, IP_MULTICAST_LOOP, 0],
    [IPPROTO_IP, IP_MULTICAST_IF, mreqn],
    [IPPROTO_IP, IP_TRANSPARENT, 1],
    ...(protocol === AH_PROTOCOL ? [[IPPROTO_IP, IP_HDRINCL, 1] as const] : []),
  ];
  const v6: readonly Setting[] = [
    [IPPROTO_IPV6, IPV6_TCLASS, TRAFFIC_CLASS],
    [IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0],
    [IPPROTO_IPV6, IPV6_MULTICAST_IF, index],
    [IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1],
    [IPPROTO_IPV6, IPV6_RECVPKTINFO, 1],
    // A virtual MAC's interface also sends from the link-local address of the one below it.
    [IPPROTO_IPV6, IPV6_FREEBIND, 1],
  ];
  const settings: readonly Setting[] = [
    // First of all, so that nothing of another interface is ever queued.
    [ffi.SOL_SOCKET, ffi.SO_BINDTODEVICE, device],
    [ffi.SOL_SOCKET, ffi.SO_PRIORITY, QUEUE_PRIORITY],
    ...(family === "ipv4" ? v4 : v6),
  ];
  for (const [level, option, value] of settings) {
    const status = ffi.setSocketOption(fd, level, option, value);
    if (status < 0) return osFailure(`set option ${level}/${option} for ${name}`, status);
  }
  // Where it is not permitted, the machine's default has to do.
  ffi.setSocketOption(fd, ffi.SOL_SOCKET, ffi.SO_RCVBUFFORCE, RECEIVE_BUFFER);
  const status = setTtl(fd, family, DEFAULT_TTL);
  return status < 0 ? osFailure(`set the TTL for ${name}`, status) : undefined;
}

type Setting = readonly [level: number, option: number, value: number | Uint8Array];

function setTtl(fd: number, family: Family, ttl: number): number {
  const [level, unicast, multicast] =
    family === "ipv4"
      ? [IPPROTO_IP, IP_TTL, IP_MULTICAST_TTL]
      : [IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS];
  const status = ffi.setSocketOption(fd, level, unicast, ttl);
  return status < 0 ? status : ffi.setSocketOption(fd, level, multicast, ttl);
}

function addressBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`${text} is not an address`);
  return bytes;
}
