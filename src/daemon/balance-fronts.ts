/**
 * Where clients come in: listening sockets of all frontends in one worker, and what lies between
 * an accepted descriptor and the engine - a PROXY header, TLS, HTTP/2.
 */

import type { FrontendSettings } from "../core/proxy/frontend-settings.ts";
import type { ClientOrigin, Peer, Wire } from "../core/proxy/wire.ts";
import { DuplexWire } from "../drivers/duplex-wire.ts";
import { closeFd, setSocketOption } from "../drivers/ffi.ts";
import { serveHttp2 } from "../drivers/http2-front.ts";
import { expectProxyHeader, type ProxyOrigin } from "../drivers/proxy-gate.ts";
import type { InternetAddress } from "../drivers/stream-address.ts";
import { IPPROTO_TCP, TCP_NODELAY } from "../drivers/stream-calls.ts";
import { bindName, localAddress, StreamListener } from "../drivers/stream-listener.ts";
import type { StreamLoop } from "../drivers/stream-loop.ts";
import { StreamWire, WIRE_EVENTS } from "../drivers/stream-wire.ts";
import { TlsFront } from "../drivers/tls-front.ts";
import { PrefixList } from "../lib/prefix-list.ts";

/** The part of the engine that clients come to. */
export interface Acceptor {
  accept(now: number, wire: Wire, origin: ClientOrigin): Peer;
}

interface Front {
  readonly settings: FrontendSettings;
  readonly proxies: PrefixList;
  readonly tls: TlsFront | undefined;
}

export interface FrontsOptions {
  readonly loop: StreamLoop;
  readonly acceptor: Acceptor;
  /** A connection that never became a client: a failed handshake, a bad PROXY header. */
  readonly refused: (frontend: string, reason: string) => void;
}

export class Fronts {
  readonly #options: FrontsOptions;
  /** Held, and perhaps not listened on (yet). */
  readonly #sockets = new Map<string, number>();
  readonly #listeners = new Map<string, StreamListener>();
  #byBind = new Map<string, Front>();
  #isClosed = false;

  constructor(options: FrontsOptions) {
    this.#options = options;
  }

  /** Names of the sockets that are held. */
  get sockets(): ReadonlyMap<string, number> {
    return this.#sockets;
  }

  /** Everything that was configured is accepted on. */
  get isServing(): boolean {
    return [...this.#byBind.keys()].every((name) => this.#listeners.has(name));
  }

  listeningOf(frontend: FrontendSettings): readonly string[] {
    return frontend.binds.map(bindName).filter((name) => this.#listeners.has(name));
  }

  /** Throws, and changes nothing, when a certificate cannot be used. */
  configure(frontends: readonly FrontendSettings[], ticketKeys: Uint8Array): void {
    const byBind = new Map<string, Front>();
    for (const settings of frontends) {
      const { tls, timeouts, limits, acceptProxyFrom } = settings;
      const common = { handshakeMs: timeouts.handshakeMs, maxHandshakes: limits.connections };
      const front: Front = {
        settings,
        proxies: new PrefixList(acceptProxyFrom),
        tls: tls === undefined ? undefined : new TlsFront({ ...common, tls, ticketKeys }),
      };
      for (const bind of settings.binds) byBind.set(bindName(bind), front);
    }
    this.#byBind = byBind;
    for (const [name, listener] of this.#listeners) {
      if (byBind.has(name)) continue;
      listener.close();
      this.#listeners.delete(name);
      this.#sockets.delete(name);
    }
    this.#listen();
  }

  /** What came from the control role; one that is held already is closed. */
  take(names: readonly string[], fds: readonly number[]): void {
    for (const [i, fd] of fds.entries()) {
      const name = names[i];
      if (name === undefined || this.#sockets.has(name)) closeFd(fd);
      else this.#sockets.set(name, fd);
    }
    this.#listen();
  }

  /** Accepts no more; those who wait in the queue are taken first. */
  close(): void {
    this.#isClosed = true;
    for (const listener of this.#listeners.values()) {
      listener.close();
    }
    this.#listeners.clear();
    this.#sockets.clear();
  }

  #listen(): void {
    if (this.#isClosed) return;
    for (const name of this.#byBind.keys()) {
      const fd = this.#sockets.get(name);
      if (fd === undefined || this.#listeners.has(name)) continue;
      const accepted = (client: number, source: InternetAddress): void =>
        this.#accepted(name, client, source);
      this.#listeners.set(name, new StreamListener(this.#options.loop, fd, accepted));
    }
  }

  #accepted(name: string, fd: number, source: InternetAddress): void {
    const front = this.#byBind.get(name);
    if (front === undefined) {
      closeFd(fd);
      return;
    }
    if (source.address !== "") setSocketOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    const { settings, proxies } = front;
    const isProxy = settings.acceptProxyFrom.length > 0 && proxies.has(source.address);
    if (!isProxy) {
      const { address: localIp, port: localPort } = localAddress(fd);
      const { address, port } = source;
      const sourceOf = { source: address, sourcePort: port };
      this.#secure(front, fd, { ...sourceOf, localAddress: localIp, localPort });
      return;
    }
    const { loop } = this.#options;
    expectProxyHeader(loop, fd, {
      withinMs: settings.timeouts.handshakeMs,
      found: (origin) => {
        const own = origin ?? ownAddresses(fd, source);
        this.#secure(front, fd, own);
      },
      refused: (reason) => this.#refused(front, reason),
    });
  }

  #secure(front: Front, fd: number, origin: ProxyOrigin): void {
    const { settings, tls } = front;
    const plain = { frontend: settings.name, ...origin, http2: false };
    if (tls === undefined) {
      this.#plain(fd, plain);
      return;
    }
    const { loop, acceptor } = this.#options;
    tls.accept(fd, {
      secured: (socket, facts) => {
        const known: ClientOrigin = { ...plain, tls: facts };
        if (socket.alpnProtocol === "h2") {
          const { timeouts } = settings;
          serveHttp2(loop, socket, { acceptor, origin: { ...known, http2: true }, timeouts });
          return;
        }
        const wire = new DuplexWire(loop, socket);
        loop.run((now) => (wire.peer = acceptor.accept(now, wire, known)));
      },
      refused: (reason) => this.#refused(front, reason),
    });
  }

  #plain(fd: number, origin: ClientOrigin): void {
    const { loop, acceptor } = this.#options;
    const wire = new StreamWire(loop, fd);
    loop.run((now) => (wire.peer = acceptor.accept(now, wire, origin)));
    if (wire.isGone) return;
    const result = loop.add(wire, WIRE_EVENTS);
    if (result < 0) wire.fail("EPOLL");
  }

  #refused(front: Front, reason: string): void {
    this.#options.refused(front.settings.name, reason);
  }
}

function ownAddresses(fd: number, { address, port }: InternetAddress): ProxyOrigin {
  const local = localAddress(fd);
  const own = { source: address, sourcePort: port };
  return { ...own, localAddress: local.address, localPort: local.port };
}
