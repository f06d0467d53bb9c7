/**
 * A PROXY header in front of everything else (HAProxy's PROXY protocol). It is looked at without
 * being taken (MSG_PEEK) until it is complete, and then taken exactly: what follows - TLS or plain
 * HTTP - stays in the socket for whoever comes next.
 */

import {
  MAX_PROXY_HEADER,
  parseProxyHeader,
  PROXY_REFUSALS,
  ProxyHeader,
} from "../core/http/proxy-protocol.ts";
import { closeFd, EAGAIN, errnoName, NativeMemory } from "./ffi.ts";
import * as calls from "./stream-calls.ts";
import { Watched, type StreamLoop } from "./stream-loop.ts";

export interface ProxyOrigin {
  readonly source: string;
  readonly sourcePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface ProxyGateOptions {
  readonly withinMs: number;
  /** Undefined: the proxy speaks for itself (LOCAL, UNKNOWN). The descriptor is the callee's. */
  readonly found: (origin: ProxyOrigin | undefined) => void;
  /** The descriptor is closed. */
  readonly refused: (reason: string) => void;
}

/** Takes the descriptor over until one of the two is called, from a turn of the loop or a timer. */
export function expectProxyHeader(loop: StreamLoop, fd: number, options: ProxyGateOptions): void {
  const gate = new ProxyGate(loop, fd, options);
  const result = loop.add(gate, calls.EPOLLIN | calls.EPOLLRDHUP | calls.EPOLLET);
  if (result >= 0) return;
  gate.refuse(errnoName(result));
}

/** One is enough: a header is looked at within one call. */
const peeked = new NativeMemory(MAX_PROXY_HEADER);
const header = new ProxyHeader();

class ProxyGate extends Watched {
  readonly #loop: StreamLoop;
  readonly #options: ProxyGateOptions;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(loop: StreamLoop, fd: number, options: ProxyGateOptions) {
    super(fd);
    this.#loop = loop;
    this.#options = options;
    const { withinMs } = options;
    const late = `no whole PROXY header within ${withinMs} ms`;
    this.#timer = setTimeout(() => this.refuse(late), withinMs);
  }

  event(_now: number, flags: number): void {
    const room = peeked.bytes.length;
    const count = calls.receiveStream(this.fd, peeked.address, room, calls.MSG_PEEK);
    if (count === -EAGAIN) return;
    if (count < 0) return this.refuse(errnoName(count));
    const length = parseProxyHeader(header, peeked.bytes, 0, count);
    if (header.refused !== undefined) return this.refuse(PROXY_REFUSALS[header.refused]);
    if (length === 0) {
      const isOver = count === 0 || (flags & (calls.EPOLLRDHUP | calls.EPOLLERR)) !== 0;
      if (isOver) this.refuse("closed before the PROXY header was complete");
      return;
    }
    // What was looked at is there, so this never comes short.
    calls.receiveStream(this.fd, peeked.address, length, 0);
    const { hasAddresses, source, sourcePort } = header;
    const { destination: localAddress, destinationPort: localPort } = header;
    clearTimeout(this.#timer);
    this.#loop.remove(this);
    const origin = { source, sourcePort, localAddress, localPort };
    this.#options.found(hasAddresses ? origin : undefined);
  }

  refuse(reason: string): void {
    clearTimeout(this.#timer);
    this.#loop.remove(this);
    closeFd(this.fd);
    this.#options.refused(reason);
  }
}
