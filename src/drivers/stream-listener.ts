/** Listening sockets: made by one process, accepted from by all that were given the descriptor. */

import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { Bind } from "../core/proxy/frontend-settings.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  bindSocket,
  closeFd,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EINVAL,
  isOsFailure,
  NativeMemory,
  openSocket,
  osFailure,
  setSocketOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  socketName,
  SOL_SOCKET,
  type OsFailure,
} from "./ffi.ts";
import {
  ADDRESS_ROOM,
  internetSockaddr,
  readSockaddr,
  unixSockaddr,
  type InternetAddress,
} from "./stream-address.ts";
import * as calls from "./stream-calls.ts";
import { Watched, type StreamLoop } from "./stream-loop.ts";

/** Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn. */
const BACKLOG = 4096;
/** Accepted in one event; a flood must not keep established connections waiting. */
const ACCEPTS_PER_EVENT = 64;
/** Out of descriptors: nothing is accepted for so long. */
const PAUSE_MS = 100;

/** `0.0.0.0:80`, `[::]:80` or a path: names a bind between processes and in messages. */
export function bindName(bind: Bind): string {
  if (bind.kind === "unix") return bind.path;
  const { address, port } = bind;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Of a bind by its name. */
export function isOnPort(name: string, port: number): boolean {
  return !name.startsWith("/") && name.endsWith(`:${port}`);
}

/**
 * The descriptor of a listening socket. A unix socket that nobody listens on is replaced. An address
 * that this host does not have is listened on all the same, and told to `absent`: a backup must be
 * ready before it holds the address. A kernel without IPv6 gets `0.0.0.0` for `::`.
 */
export function openListener(
  bind: Bind,
  absent: () => void = () => {},
  isBeside = false,
): number | OsFailure {
  const opened = open(bind, absent, isBeside);
  const isAny = bind.kind === "ip" && bind.address === "::";
  const hasNoIpv6 = isOsFailure(opened) && opened.errno === calls.EAFNOSUPPORT;
  return isAny && hasNoIpv6 ? open({ ...bind, address: "0.0.0.0" }, absent, isBeside) : opened;
}

/**
 * As `openListener`, beside sockets of our own on the same port: one is for all addresses, the other for one of
 * them, which gets its clients from then on. These let in others of our kind until they `listenAlone`.
 */
export function openListenerBeside(
  bind: Bind,
  others: readonly number[],
  absent: () => void,
): number | OsFailure {
  for (const fd of others) setSocketOption(fd, SOL_SOCKET, calls.SO_REUSEPORT, 1);
  return openListener(bind, absent, true);
}

/** Nobody else may listen where this socket does; socket(7), SO_REUSEPORT. */
export function listenAlone(fd: number): void {
  setSocketOption(fd, SOL_SOCKET, calls.SO_REUSEPORT, 0);
}

function open(bind: Bind, absent: () => void, isBeside: boolean): number | OsFailure {
  const name = bindName(bind);
  const address =
    bind.kind === "unix" ? unixSockaddr(bind.path) : internetSockaddr(bind.address, bind.port);
  if (address === undefined) return osFailure(`listen on ${name}`, -EINVAL);
  const family = bind.kind === "unix" ? AF_UNIX : address.length === 16 ? AF_INET : AF_INET6;
  const fd = openSocket(family, calls.SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return osFailure(`open a socket for ${name}`, fd);
  if (family !== AF_UNIX) setSocketOption(fd, SOL_SOCKET, calls.SO_REUSEADDR, 1);
  if (isBeside) setSocketOption(fd, SOL_SOCKET, calls.SO_REUSEPORT, 1);
  if (family === AF_INET6) setSocketOption(fd, calls.IPPROTO_IPV6, calls.IPV6_V6ONLY, 0);
  let result = bindSocket(fd, address);
  if (result === -EADDRINUSE && bind.kind === "unix" && removeDead(address, bind.path)) {
    result = bindSocket(fd, address);
  }
  if (result === -EADDRNOTAVAIL && allowAbsent(fd, family) >= 0) {
    absent();
    result = bindSocket(fd, address);
  }
  if (result >= 0 && bind.kind === "unix") chmodSync(bind.path, bind.mode);
  if (result >= 0) result = calls.listenStream(fd, BACKLOG);
  if (result >= 0) return fd;
  closeFd(fd);
  return osFailure(`listen on ${name}`, result);
}

/** ip(7), IP_FREEBIND. */
function allowAbsent(fd: number, family: number): number {
  return family === AF_INET6
    ? setSocketOption(fd, calls.IPPROTO_IPV6, calls.IPV6_FREEBIND, 1)
    : setSocketOption(fd, calls.IPPROTO_IP, calls.IP_FREEBIND, 1);
}

/** A socket file whose owner died refuses connections; so does what is no socket, and is not ours to remove. */
function removeDead(address: Uint8Array, path: string): boolean {
  const fd = openSocket(AF_UNIX, calls.SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const result = calls.connectStream(fd, address);
  closeFd(fd);
  if (result !== -calls.ECONNREFUSED) return false;
  try {
    if (!lstatSync(path).isSocket()) return false;
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** `local`: the address that the client came to. */
export type Accepted = (fd: number, source: InternetAddress, local: InternetAddress) => void;

/** Accepts for one bind. Several processes may do so on the same socket. */
export class StreamListener extends Watched {
  readonly #loop: StreamLoop;
  readonly #accepted: Accepted;
  readonly #address = new NativeMemory(ADDRESS_ROOM);
  readonly #length = new NativeMemory(8);
  /** Of all its clients; undefined: it listens on any address of the host. */
  readonly #local: InternetAddress | undefined;
  #resuming: ReturnType<typeof setTimeout> | undefined;
  #isOpen = true;

  /** Owns `fd` from now on. Throws only for a descriptor that is none. */
  constructor(loop: StreamLoop, fd: number, accepted: Accepted) {
    super(fd);
    this.#loop = loop;
    this.#accepted = accepted;
    const local = localAddress(fd);
    this.#local = local.address === "0.0.0.0" || local.address === "::" ? undefined : local;
    // Whoever is accepted inherits it; a unix socket has no such option.
    if (local.address !== "") setSocketOption(fd, calls.IPPROTO_TCP, calls.TCP_NODELAY, 1);
    this.#watch();
  }

  /**
   * Clients are accepted with their first bytes, where they speak first: so they are read at once, and most
   * are answered and gone before there was a reason to watch them. Who says nothing is accepted after a
   * second. Of the socket, whoever holds it; tcp(7), TCP_DEFER_ACCEPT. A unix socket has no such option.
   */
  set acceptsWithFirstBytes(isWanted: boolean) {
    setSocketOption(this.fd, calls.IPPROTO_TCP, calls.TCP_DEFER_ACCEPT, isWanted ? 1 : 0);
  }

  event(): void {
    for (let i = 0; i < ACCEPTS_PER_EVENT && this.#isOpen; i++) {
      const result = this.#acceptOne();
      if (result === -calls.EMFILE || result === -calls.ENFILE) return this.#pause();
      // Whoever gave up while waiting is nobody's trouble; the next one may be well.
      if (result === -EAGAIN) return;
    }
  }

  /** Everybody who is in the queue at this moment. */
  takeWaiting(): void {
    for (let taken = 0; taken < BACKLOG && this.#isOpen; taken++) {
      if (this.#acceptOne() === -EAGAIN) return;
    }
  }

  /** Accepts no more; other holders of the socket go on. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#resuming);
    this.#loop.remove(this);
    this.#loop.release(this);
  }

  #acceptOne(): number {
    this.#length.view.setUint32(0, ADDRESS_ROOM, true);
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = calls.acceptStream(this.fd, this.#address.address, this.#length.address, flags);
    if (fd < 0) return fd;
    const source = readSockaddr(this.#address.bytes);
    this.#accepted(fd, source, this.#local ?? this.#localOf(fd));
    return fd;
  }

  /** As `localAddress`, without memory of its own for each connection. */
  #localOf(fd: number): InternetAddress {
    this.#length.view.setUint32(0, ADDRESS_ROOM, true);
    const result = calls.streamName(fd, this.#address.address, this.#length.address);
    return result < 0 ? { address: "", port: 0 } : readSockaddr(this.#address.bytes);
  }

  #watch(): void {
    // Level triggered; of several processes that wait, one is woken.
    const result = this.#loop.add(this, calls.EPOLLIN | calls.EPOLLEXCLUSIVE);
    if (result < 0) throw new Error(osFailure("watch a listening socket", result).message);
  }

  #pause(): void {
    this.#loop.remove(this);
    this.#resuming = setTimeout(() => this.#watch(), PAUSE_MS);
  }
}

/** Address and port that a connection came to. */
export function localAddress(fd: number): InternetAddress {
  const bytes = new Uint8Array(ADDRESS_ROOM);
  return socketName(fd, bytes) < 0 ? { address: "", port: 0 } : readSockaddr(bytes);
}
