/**
 * Where clients come in: listening sockets of all frontends in one worker, and what lies between
 * an accepted descriptor and the engine - a PROXY header, TLS, HTTP/2.
 */

import { constants, type ServerHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { ConnectionRefusal } from "../core/proxy/engine.ts";
import type { FrontendSettings } from "../core/proxy/frontend-settings.ts";
import type { ClientOrigin, Peer, Wire } from "../core/proxy/wire.ts";
import { AddressSet } from "../core/route/address-set.ts";
import { closeFd } from "../drivers/ffi.ts";
import { serveHttp2 } from "../drivers/http2-front.ts";
import { expectProxyHeader, type ProxyOrigin } from "../drivers/proxy-gate.ts";
import type { InternetAddress } from "../drivers/stream-address.ts";
import { type Accepted, bindName, isOnPort, StreamListener } from "../drivers/stream-listener.ts";
import type { StreamLoop } from "../drivers/stream-loop.ts";
import { StreamWire } from "../drivers/stream-wire.ts";
import { TlsFront, type SecuredWire, type TlsFacts } from "../drivers/tls-front.ts";
import type { TicketSecrets } from "./ticket-keys.ts";

/** The part of the engine that clients come to. */
export interface Acceptor {
  accept(now: number, wire: Wire, origin: ClientOrigin): Peer;
}

const LARGEST_STREAM = 2 ** 31 - 1;
/** Who came before the change and has said nothing yet is accepted within a second; see `acceptsWithFirstBytes`. */
const RETIRE_MS = 1_500;

/** Of all addresses of its port. */
function isOfAll(name: string): boolean {
  return name.startsWith("0.0.0.0:") || name.startsWith("[::]:");
}

interface Front {
  readonly settings: FrontendSettings;
  readonly proxies: AddressSet;
  readonly tls: TlsFront | undefined;
}

export interface FrontsOptions {
  readonly loop: StreamLoop;
  readonly acceptor: Acceptor;
  /** A connection that never became a client: a failed handshake, a bad PROXY header. */
  readonly refused: (frontend: string, reason: string, kind: ConnectionRefusal) => void;
}

export class Fronts {
  readonly #options: FrontsOptions;
  /** Held, and perhaps not listened on (yet). */
  readonly #sockets = new Map<string, number>();
  readonly #listeners = new Map<string, StreamListener>();
  /** Others listen on their ports now; only who came before that is still accepted. */
  readonly #retiring = new Map<StreamListener, NodeJS.Timeout>();
  /** Each carries any number of clients, and none that the engine knows of while it rests. */
  readonly #sessions = new Map<ServerHttp2Session, SessionState>();
  #byBind = new Map<string, Front>();
  /** Between accepted and secured. */
  #arriving = 0;
  #isClosed = false;
  #tickets: TicketSecrets | undefined;

  constructor(options: FrontsOptions) {
    this.#options = options;
  }

  /** Of the sockets that are held, by name. */
  get sockets(): ReadonlyMap<string, number> {
    return this.#sockets;
  }

  /** Everything that was configured is accepted on. */
  get isServing(): boolean {
    if (this.#byBind.size === 0) return false;
    return [...this.#byBind.keys()].every((name) => this.#listeners.has(name));
  }

  /** Connections that the engine does not count. */
  get connections(): number {
    return this.#arriving + this.#sessions.size;
  }

  /** What was told last. */
  get tickets(): TicketSecrets | undefined {
    return this.#tickets;
  }

  /** Of TLS sessions, from now on. */
  sealTickets(tickets: TicketSecrets): void {
    this.#tickets = tickets;
    for (const tls of new Set([...this.#byBind.values()].map((front) => front.tls))) {
      tls?.sealTickets(tickets);
    }
  }

  listeningOf(frontend: FrontendSettings): readonly string[] {
    return frontend.binds.map(bindName).filter((name) => this.#listeners.has(name));
  }

  /** Throws, and changes nothing, when a certificate cannot be used. */
  configure(frontends: readonly FrontendSettings[], tickets: TicketSecrets): void {
    const byBind = this.#fronts(frontends, tickets);
    this.#tickets = tickets;
    for (const { tls } of this.#byBind.values()) tls?.close();
    this.#byBind = byBind;
    for (const [name, fd] of this.#sockets) {
      if (byBind.has(name)) continue;
      const listener = this.#listeners.get(name);
      if (listener === undefined) closeFd(fd);
      else this.#retire(name, listener);
      this.#listeners.delete(name);
      this.#sockets.delete(name);
    }
    const names = new Set(frontends.map((frontend) => frontend.name));
    for (const [session, { frontend }] of this.#sessions) {
      if (!names.has(frontend)) session.close();
    }
    this.#listen();
  }

  /** By bind. */
  #fronts(frontends: readonly FrontendSettings[], tickets: TicketSecrets): Map<string, Front> {
    const byBind = new Map<string, Front>();
    try {
      for (const settings of frontends) {
        const { tls, mode, timeouts, limits, acceptProxyFrom } = settings;
        const { handshakeMs } = timeouts;
        const isCarried = mode === "tcp";
        const common = { handshakeMs, maxHandshakes: limits.connections, isCarried };
        const front: Front = {
          settings,
          proxies: new AddressSet(acceptProxyFrom),
          // Made anew each time: the files may have changed.
          tls: tls && new TlsFront(this.#options.loop, { ...common, ...tickets, tls }),
        };
        for (const bind of settings.binds) byBind.set(bindName(bind), front);
      }
    } catch (error) {
      for (const { tls } of byBind.values()) tls?.close();
      throw error;
    }
    return byBind;
  }

  /** What came from the control role; one that is held already is closed. */
  take(names: readonly string[], fds: readonly number[]): void {
    for (const [i, fd] of fds.entries()) {
      const name = names[i];
      if (name === undefined || this.#sockets.has(name) || this.#isClosed) closeFd(fd);
      else this.#sockets.set(name, fd);
    }
    this.#listen();
  }

  /** Accepts no more; those who wait already are taken first, if they have said something (a second: or not). */
  close(): void {
    if (this.#isClosed) return;
    for (const [name, fd] of this.#sockets) {
      const listener = this.#listeners.get(name);
      listener?.takeWaiting();
      if (listener === undefined) closeFd(fd);
      else listener.close();
    }
    for (const listener of this.#retiring.keys()) this.#endRetired(listener);
    this.#isClosed = true;
    this.#listeners.clear();
    this.#sockets.clear();
  }

  /**
   * Lets clients of HTTP/2 go as RFC 9113 section 6.8 advises: first GOAWAY without a last stream, so
   * that none is refused that was on its way; when said again after `patienceMs`, the real one.
   */
  closeSessions(now: number, patienceMs: number): void {
    for (const [session, state] of this.#sessions) {
      if (session.closed || session.destroyed) continue;
      if (state.toldAt === undefined) {
        session.goaway(constants.NGHTTP2_NO_ERROR, LARGEST_STREAM);
        state.toldAt = now;
      } else if (now - state.toldAt >= patienceMs) session.close();
    }
  }

  /** Whatever still runs. */
  cut(): void {
    // A session that was asked to go waits for its client to end the connection.
    for (const { socket } of this.#sessions.values()) socket.destroy();
  }

  /** At once, unless its clients have only moved: from `:80` to `192.0.2.1:80`, say. */
  #retire(name: string, listener: StreamListener): void {
    const port = Number(name.slice(name.lastIndexOf(":") + 1));
    const hasHeir = [...this.#byBind.keys()].some(
      (other) => isOnPort(other, port) && (isOfAll(name) || isOfAll(other)),
    );
    if (name.startsWith("/") || !hasHeir) return listener.close();
    const timer = setTimeout(() => this.#endRetired(listener), RETIRE_MS);
    this.#retiring.set(listener, timer);
  }

  #endRetired(listener: StreamListener): void {
    clearTimeout(this.#retiring.get(listener));
    this.#retiring.delete(listener);
    listener.takeWaiting();
    listener.close();
  }

  /** Of the bind by that name or, once it is gone, of the one that its clients come to now. */
  #frontOf(name: string, { address, port }: InternetAddress): Front | undefined {
    const front = this.#byBind.get(name);
    if (front !== undefined || address === "") return front;
    const heirs = [address, "::", "0.0.0.0"].map(
      (one) => ({ kind: "ip", address: one, port }) as const,
    );
    return heirs.map((bind) => this.#byBind.get(bindName(bind))).find((one) => one !== undefined);
  }

  #listen(): void {
    if (this.#isClosed) return;
    for (const [name, { settings }] of this.#byBind) {
      const listener = this.#listeners.get(name) ?? this.#listenOn(name);
      // What is carried as it is may belong to a server that speaks first.
      if (listener !== undefined) listener.acceptsWithFirstBytes = settings.mode === "http";
    }
  }

  #listenOn(name: string): StreamListener | undefined {
    const fd = this.#sockets.get(name);
    if (fd === undefined) return undefined;
    const accepted: Accepted = (client, source, local) =>
      this.#accepted(name, client, { source, local });
    const listener = new StreamListener(this.#options.loop, fd, accepted);
    this.#listeners.set(name, listener);
    return listener;
  }

  #accepted(name: string, fd: number, ends: Ends): void {
    const front = this.#frontOf(name, ends.local);
    if (front === undefined) {
      closeFd(fd);
      return;
    }
    const { source } = ends;
    const isLocal = source.address === "";
    const { settings, proxies } = front;
    // Who may come to a unix socket is what its mode says.
    const isProxy = !proxies.isEmpty && (isLocal || proxies.has(source.address));
    if (isProxy) this.#expectHeader(front, fd, { ...ends, name });
    else if (front.tls === undefined) this.#plain(settings, fd, originOf(ends));
    else this.#secure(front, fd, originOf(ends));
  }

  #expectHeader(front: Front, fd: number, ends: Ends & { readonly name: string }): void {
    const { timeouts, limits } = front.settings;
    if (this.#arriving >= limits.connections) {
      closeFd(fd);
      this.#refused(front, "too many PROXY headers are awaited at once");
      return;
    }
    this.#arriving++;
    expectProxyHeader(this.#options.loop, fd, {
      withinMs: timeouts.handshakeMs,
      found: (told) => {
        this.#arriving--;
        const origin = told ?? originOf(ends);
        // A reload may have come in between: what is not configured any more has let its certificates go.
        const current = this.#frontOf(ends.name, ends.local);
        if (current === undefined) {
          closeFd(fd);
          this.#refused(front, "its frontend is gone");
        } else if (current.tls === undefined) this.#plain(current.settings, fd, origin);
        else this.#secure(current, fd, origin);
      },
      refused: (reason) => {
        this.#arriving--;
        this.#refused(front, reason);
      },
    });
  }

  #plain(settings: FrontendSettings, fd: number, ends: ProxyOrigin): void {
    const { loop, acceptor } = this.#options;
    const { name: frontend } = settings;
    const { source, sourcePort, localAddress, localPort } = ends;
    // Not spread: that copies property by property, for each connection.
    const origin = { frontend, source, sourcePort, localAddress, localPort, http2: false };
    const wire = new StreamWire(loop, fd);
    loop.run((now) => (wire.peer = acceptor.accept(now, wire, origin)));
    if (!wire.isGone) wire.arrive();
  }

  #secure(front: Front, fd: number, ends: ProxyOrigin): void {
    this.#arriving++;
    front.tls!.accept(fd, {
      secured: (wire, tls) => {
        this.#arriving--;
        this.#decrypted(front, wire, { tls, ends });
      },
      securedHttp2: (socket, tls, own) => {
        this.#arriving--;
        this.#http2(front, socket, { tls, ends, fd: own });
      },
      refused: (reason) => {
        this.#arriving--;
        this.#refused(front, reason, "handshake");
      },
    });
  }

  #decrypted({ settings }: Front, wire: SecuredWire, { tls, ends }: Secured): void {
    const { loop, acceptor } = this.#options;
    const origin: ClientOrigin = { frontend: settings.name, ...ends, tls, http2: false };
    loop.run((now) => (wire.peer = acceptor.accept(now, wire, origin)));
  }

  #http2(front: Front, socket: TLSSocket, { tls, ends, fd }: SecuredHttp2): void {
    const { loop, acceptor } = this.#options;
    const { name, timeouts, limits } = front.settings;
    if (!this.#hasPlace(front, ends.source)) {
      socket.destroy();
      this.#refused(front, "too many HTTP/2 connections");
      return;
    }
    const origin: ClientOrigin = { frontend: name, ...ends, tls, http2: true };
    const { keepAliveMs } = timeouts;
    const { headBytes, connectionsPerSource } = limits;
    const streams = connectionsPerSource || Infinity;
    const options = { acceptor, origin, keepAliveMs, headBytes, streams, fd };
    const session = serveHttp2(loop, socket, options);
    const { source } = ends;
    this.#sessions.set(session, { frontend: name, source, socket, toldAt: undefined });
    session.once("close", () => this.#sessions.delete(session));
  }

  /** The engine counts streams, and who opens none is a connection all the same: the limits hold for each worker. */
  #hasPlace({ settings: { name, limits } }: Front, source: string): boolean {
    const { connections, connectionsPerSource } = limits;
    if (this.#sessions.size >= connections) return false;
    if (connectionsPerSource === 0) return true;
    let count = 0;
    for (const session of this.#sessions.values()) {
      if (session.frontend === name && session.source === source) count++;
    }
    return count < connectionsPerSource;
  }

  #refused(front: Front, reason: string, kind: ConnectionRefusal = "connection"): void {
    this.#options.refused(front.settings.name, reason, kind);
  }
}

interface SessionState {
  readonly frontend: string;
  readonly source: string;
  readonly socket: TLSSocket;
  /** When GOAWAY was sent. */
  toldAt: number | undefined;
}

interface Secured {
  readonly tls: TlsFacts;
  readonly ends: ProxyOrigin;
}

interface SecuredHttp2 extends Secured {
  readonly fd: number;
}

/** Of a connection as it was accepted. */
interface Ends {
  readonly source: InternetAddress;
  readonly local: InternetAddress;
}

function originOf({ source, local }: Ends): ProxyOrigin {
  const { address: localAddress, port: localPort } = local;
  return { source: source.address, sourcePort: source.port, localAddress, localPort };
}
