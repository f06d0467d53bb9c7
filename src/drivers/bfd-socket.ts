/**
 * BFD over UDP: RFC 5881 sections 4 and 5. All sessions of a family share the socket on port 3784,
 * which tells them apart by the neighbour's address; each sends from a socket of its own.
 */

import { randomInt } from "node:crypto";
import { isIpv6 } from "../lib/ip-address.ts";
import * as ffi from "./ffi.ts";
import { MessageBatch, MessageBuffer } from "./message-buffer.ts";
import { watchReadable, type Watch } from "./poll.ts";
import { ADDRESS_ROOM, internetSockaddr, readSockaddr } from "./stream-address.ts";

const PORT = 3784;
const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_RECVTTL = 12;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const SO_REUSEADDR = 2;

/** Room for an authentication section, which is refused, but as such. */
const MOST_BYTES = 128;
const PER_CALL = 16;
/** Bounds the work of one wake-up; the rest waits for the next turn of the loop. */
const CALLS_PER_WAKE = 8;
/** RFC 5881 section 4: the source port stays the same and is one of these. */
const FIRST_SOURCE_PORT = 49_152;
const LAST_SOURCE_PORT = 65_535;
const BIND_TRIES = 16;

/** `ttl`: undefined where the kernel did not say. The bytes are reused. */
export type BfdListener = (bytes: Uint8Array, ttl: number | undefined) => void;

export interface BfdSocketSettings {
  readonly neighbour: string;
  readonly source?: string;
  readonly ttl: number;
}

class Receiver {
  readonly listeners: Map<string, BfdListener> = new Map();
  readonly #fd: number;
  readonly #isV6: boolean;
  readonly #watch: Watch;
  readonly #in = new MessageBatch(PER_CALL, {
    name: ADDRESS_ROOM,
    payload: MOST_BYTES,
    control: 64,
  });

  constructor(fd: number, isV6: boolean) {
    this.#fd = fd;
    this.#isV6 = isV6;
    this.#watch = watchReadable(fd, () => this.drain());
  }

  drain(): void {
    for (let call = 0; call < CALLS_PER_WAKE && this.listeners.size > 0; call++) {
      const count = this.#in.receive(this.#fd);
      if (count <= 0) return;
      for (const buffer of this.#in.buffers.slice(0, count)) this.#hear(buffer);
      if (count < PER_CALL) return;
    }
  }

  close(): void {
    this.#watch.close();
    ffi.closeFd(this.#fd);
  }

  #hear(buffer: MessageBuffer): void {
    const { address } = readSockaddr(buffer.name.bytes);
    const [level, type] = this.#isV6 ? [IPPROTO_IPV6, IPV6_HOPLIMIT] : [IPPROTO_IP, IP_TTL];
    const at = buffer.findControl(level, type);
    const ttl = at < 0 ? undefined : buffer.control.view.getInt32(at, true);
    const bytes = buffer.payload.bytes.subarray(0, Math.min(buffer.receivedLength, MOST_BYTES));
    buffer.reset();
    this.listeners.get(address)?.(bytes, ttl);
  }
}

const receivers = new Map<boolean, Receiver>();

export class BfdSocket {
  readonly #fd: number;
  readonly #neighbour: string;
  readonly #receiver: Receiver;
  readonly #out: MessageBuffer;

  /** Addresses are canonical text. One session for a neighbour. */
  static open(settings: BfdSocketSettings, listener: BfdListener): BfdSocket | ffi.OsFailure {
    const { neighbour } = settings;
    const isV6 = isIpv6(neighbour);
    const receiver = receivers.get(isV6) ?? openReceiver(isV6);
    if (ffi.isOsFailure(receiver)) return receiver;
    receivers.set(isV6, receiver);
    const fd = openSender(settings, isV6);
    if (typeof fd === "number") {
      receiver.listeners.set(neighbour, listener);
      return new BfdSocket(fd, neighbour, receiver);
    }
    release(receiver, isV6);
    return fd;
  }

  private constructor(fd: number, neighbour: string, receiver: Receiver) {
    this.#fd = fd;
    this.#neighbour = neighbour;
    this.#receiver = receiver;
    const to = internetSockaddr(neighbour, PORT) ?? new Uint8Array(0);
    this.#out = new MessageBuffer({ name: to.length, payload: MOST_BYTES, control: 0 });
    this.#out.name.bytes.set(to);
    this.#out.setNameLength(to.length);
  }

  /** 0, or `-errno` when it could not leave: the neighbour's silence tells the rest. */
  send(bytes: Uint8Array): number {
    this.#out.payload.bytes.set(bytes);
    this.#out.setPayloadLength(bytes.length);
    return Math.min(0, ffi.sendMessage(this.#fd, this.#out.address, ffi.MSG_DONTWAIT));
  }

  /** What has arrived is heard before anybody is blamed for silence. */
  drain(): void {
    this.#receiver.drain();
  }

  close(): void {
    this.#receiver.listeners.delete(this.#neighbour);
    ffi.closeFd(this.#fd);
    release(this.#receiver, isIpv6(this.#neighbour));
  }
}

function release(receiver: Receiver, isV6: boolean): void {
  if (receiver.listeners.size > 0) return;
  receiver.close();
  receivers.delete(isV6);
}

function openReceiver(isV6: boolean): Receiver | ffi.OsFailure {
  const fd = openUdp(isV6);
  if (fd < 0) return ffi.osFailure("open a socket for BFD", fd);
  // A fresh process begins while the old one ends.
  let status = ffi.setSocketOption(fd, ffi.SOL_SOCKET, SO_REUSEADDR, 1);
  if (isV6 && status === 0) status = ffi.setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  const [level, option] = isV6 ? [IPPROTO_IPV6, IPV6_RECVHOPLIMIT] : [IPPROTO_IP, IP_RECVTTL];
  if (status === 0) status = ffi.setSocketOption(fd, level, option, 1);
  if (status === 0) status = ffi.bindSocket(fd, internetSockaddr(isV6 ? "::" : "0.0.0.0", PORT)!);
  if (status === 0) return new Receiver(fd, isV6);
  ffi.closeFd(fd);
  return ffi.osFailure(`listen for BFD on UDP port ${PORT}`, status);
}

function openSender({ source, ttl }: BfdSocketSettings, isV6: boolean): number | ffi.OsFailure {
  const fd = openUdp(isV6);
  if (fd < 0) return ffi.osFailure("open a socket for BFD", fd);
  const [level, option] = isV6 ? [IPPROTO_IPV6, IPV6_UNICAST_HOPS] : [IPPROTO_IP, IP_TTL];
  let status = ffi.setSocketOption(fd, level, option, ttl);
  const from = source ?? (isV6 ? "::" : "0.0.0.0");
  for (let tries = 0; status === 0 && tries < BIND_TRIES; tries++) {
    const port = randomInt(FIRST_SOURCE_PORT, LAST_SOURCE_PORT + 1);
    const bound = ffi.bindSocket(fd, internetSockaddr(from, port)!);
    if (bound === 0) return fd;
    if (bound !== -ffi.EADDRINUSE) status = bound;
  }
  ffi.closeFd(fd);
  return ffi.osFailure(`send BFD from ${from}`, status === 0 ? -ffi.EADDRINUSE : status);
}

function openUdp(isV6: boolean): number {
  return ffi.openSocket(isV6 ? ffi.AF_INET6 : ffi.AF_INET, ffi.SOCK_DGRAM | ffi.SOCK_NONBLOCK, 0);
}
