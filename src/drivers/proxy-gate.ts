/**
 * A PROXY header in front of everything else (HAProxy's PROXY protocol). It is looked at without
 * being taken (MSG_PEEK) until it is complete, and then taken exactly: what follows - TLS or plain
 * HTTP - stays in the socket for whoever comes next.
 */

import { MAX_PROXY_HEADER, parseProxyHeader, ProxyHeader } from "../core/http/proxy-protocol.ts";
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

/** Takes the descriptor over until one of the two is called, from a turn of the loop. */
export function expectProxyHeader(loop: StreamLoop, fd: number, options: ProxyGateOptions): void {
  const gate = new ProxyGate(loop, fd, options);
  const result = loop.add(gate, calls.EPOLLIN | calls.EPOLLRDHUP | calls.EPOLLET);
  if (result >= 0) return;
  closeFd(fd);
  options.refused(errnoName(result));
}

/** One is enough: a header is looked at within one call. */
const peeked = new NativeMemory(MAX_PROXY_HEADER);
const header = new ProxyHeader();
