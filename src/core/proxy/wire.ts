/**
 * The border between the proxy engine and whatever carries its bytes: `node:net`, TLS, a stream of
 * HTTP/2, the simulator, or a faster transport later.
 *
 * The engine implements `Peer` for every connection, the transport implements `Wire`. All calls are
 * synchronous; a wire never calls its peer from inside a call of the engine (it reports later), so
 * the engine needs no re-entrance. After `destroy` neither side calls the other again.
 */

import type { ServerEndpoint } from "../balance/pool-settings.ts";

/** One direction pair of bytes to a client or a server. */
export interface Wire {
  /**
   * Sends or queues a copy of what cannot be sent at once: the bytes belong to the caller again on
   * return. False: more than the wire's mark is queued; stop until `drained`.
   */
  send(bytes: Uint8Array, from: number, to: number): boolean;
  /** Bytes queued in this process. */
  readonly queued: number;
  /**
   * While any are queued: with those in the kernel that the other side has not taken. Whoever reads slowly
   * takes of these first. Absent: nothing is known of them. Only differences mean something.
   */
  readonly untaken?: number;
  pause(): void;
  resume(): void;
  /**
   * FIN after everything queued is out. With `last` the other side has nothing more to say either:
   * a transport may then close at once instead of waiting for that, and tells `closed`.
   */
  end(last?: boolean): void;
  /** At once. With `reset` the other side sees RST instead of FIN. */
  destroy(reset: boolean): void;
}

/** What the other side has still to take, as far as the wire knows. */
export function untaken(wire: Wire | undefined): number {
  return wire?.untaken ?? wire?.queued ?? 0;
}

/** What a wire reports. `bytes` belong to the transport again on return. */
export interface Peer {
  /** Whoever is at the other end has said that nothing follows what it said: only its end can. */
  readonly hasSaidAll?: boolean;
  /** Something has begun whose rest is to come without another word from here. */
  readonly awaitsMore?: boolean;
  received(now: number, bytes: Uint8Array, from: number, to: number): void;
  /** The queue is below the mark again. */
  drained(now: number): void;
  /** FIN from the other side; nothing more is received. */
  ended(now: number): void;
  /** The wire is gone. `reason` is an errno name (`ECONNRESET`) or a sentence; "" after both ends. */
  closed(now: number, reason: string): void;
}

/** Of a connection to a server: first one of `connected` and `closed`. */
export interface ServerPeer extends Peer {
  connected(now: number): void;
}

/** What is known of a client when its first byte may come (after TLS and the PROXY header). */
export interface ClientOrigin {
  readonly frontend: string;
  /** Canonical text; "" for a unix socket without a PROXY header. */
  readonly source: string;
  readonly sourcePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls?: {
    readonly version: string;
    readonly serverName: string;
    /** Of a verified client certificate; undefined without one. */
    readonly clientSubject: string | undefined;
  };
  /** The stream came over HTTP/2 and speaks HTTP/1.1 to the engine. */
  readonly http2: boolean;
}

/** What the engine asks of the transport besides bytes. */
export interface Connector {
  /** Starts to connect; reports to `peer`. `head` (a PROXY header) is sent first. */
  connect(target: ConnectTarget, peer: ServerPeer): Wire;
}

export interface ConnectTarget {
  readonly pool: string;
  readonly server: string;
  /** Never of kind `name`: names are resolved before. */
  readonly endpoint: Exclude<ServerEndpoint, { kind: "name" }>;
  readonly head?: Uint8Array;
}
