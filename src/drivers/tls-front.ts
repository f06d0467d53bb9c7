/**
 * TLS towards clients: accepted descriptors become wires, or sockets of Node for HTTP/2. The first
 * message is looked at without being taken (MSG_PEEK): its name chooses the certificate, its ALPN
 * who does the handshake. Changed certificates are a new front for new handshakes; connections of
 * the old one do not notice.
 */

import type { TLSSocket } from "node:tls";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";
import type { ClientOrigin, Peer, Wire } from "../core/proxy/wire.ts";
import { ClientHello, MAX_HELLO_BYTES, parseClientHello } from "../core/tls/client-hello.ts";
import { DuplexWire } from "./duplex-wire.ts";
import { closeFd, EAGAIN, errnoName, NativeMemory } from "./ffi.ts";
import * as calls from "./stream-calls.ts";
import { Watched, type StreamLoop } from "./stream-loop.ts";
import { WIRE_EVENTS } from "./stream-wire.ts";
import { certificateFor, loadCertificates, type Certificates } from "./tls-certificates.ts";
import { TlsContext } from "./tls-context.ts";
import { tlsLibrary, type TlsLibrary } from "./tls-library.ts";
import { NodeTlsFront } from "./tls-node-front.ts";
import { TlsSession } from "./tls-session.ts";
import { TlsWire } from "./tls-wire.ts";

export interface TlsFrontOptions {
  readonly tls: FrontendTls;
  readonly handshakeMs: number;
  /** Handshakes at the same time; more are closed. */
  readonly maxHandshakes: number;
  /** 48 bytes that all workers share, so that a session can be resumed at any of them. */
  readonly ticketKeys?: Uint8Array;
  /** Tickets that were sealed with these are good too. */
  readonly formerTicketKeys?: Uint8Array;
  /** Bytes are carried as they come: a client that is cut off must not look like one that ended. */
  readonly isCarried?: boolean;
  /** Default: OpenSSL where it can be called. `node`: Node's streams for everybody. */
  readonly through?: "node";
}

export type TlsFacts = NonNullable<ClientOrigin["tls"]>;

/** A connection whose peer is set when it is told. */
export interface SecuredWire extends Wire {
  set peer(peer: Peer);
}

/** Exactly one of these is told per accepted descriptor. */
export interface Handshake {
  /** HTTP/1.1. */
  secured(wire: SecuredWire, facts: TlsFacts): void;
  securedHttp2(socket: TLSSocket, facts: TlsFacts, fd: number): void;
  refused(reason: string): void;
}

export class TlsFront {
  readonly #loop: StreamLoop;
  readonly #options: TlsFrontOptions;
  readonly #certificates: Certificates;
  readonly #node: NodeTlsFront | undefined;
  #own: Contexts | undefined;
  /** With the secret before. */
  #former: Contexts | undefined;
  #handshakes = 0;
  #isClosed = false;

  /** Throws with the file's name when a certificate cannot be used. */
  constructor(loop: StreamLoop, options: TlsFrontOptions) {
    this.#loop = loop;
    this.#options = options;
    const { tls, through } = options;
    this.#certificates = loadCertificates(tls);
    const library = through === "node" ? undefined : tlsLibrary();
    if (library !== undefined) this.#sealBy(library, options);
    if (library !== undefined && !tls.http2) return;
    this.#node = new NodeTlsFront({ ...options, certificates: this.#certificates });
  }

  /** Handshakes that are going on. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Takes the descriptor over. */
  accept(fd: number, handshake: Handshake): void {
    const { maxHandshakes, handshakeMs } = this.#options;
    if (this.#handshakes >= maxHandshakes) {
      closeFd(fd);
      handshake.refused("too many handshakes at once");
      return;
    }
    this.#handshakes++;
    if (this.#own === undefined) this.#acceptByNode(fd, handshake);
    else {
      Arrival.begin(this.#loop, fd, {
        withinMs: handshakeMs,
        refused: (reason) => this.#end(() => handshake.refused(reason)),
        greeted: (arrival, hello) => this.#greeted(arrival, hello, handshake),
      });
    }
  }

  /** Tickets of sessions, from now on. */
  sealTickets(tickets: Pick<TlsFrontOptions, "ticketKeys" | "formerTicketKeys">): void {
    this.#node?.sealTickets(tickets.ticketKeys);
    const library = this.#own?.openssl;
    if (library !== undefined && !this.#isClosed) this.#sealBy(library, tickets);
  }

  /** Takes no more; what has been begun goes on. */
  close(): void {
    this.#isClosed = true;
    if (this.#handshakes === 0) this.#free();
  }

  #sealBy(
    library: TlsLibrary,
    {
      ticketKeys,
      formerTicketKeys: before,
    }: Pick<TlsFrontOptions, "ticketKeys" | "formerTicketKeys">,
  ): void {
    const { tls } = this.#options;
    const own = new Contexts(library, this.#certificates, { tls, ticketKeys });
    const former = before && new Contexts(library, this.#certificates, { tls, ticketKeys: before });
    // Handshakes that have begun hold what they need.
    this.#free();
    this.#own = own;
    this.#former = former || undefined;
  }

  #free(): void {
    this.#own?.free();
    this.#former?.free();
  }

  /** By name; a ticket names the secret that it was sealed with. */
  #contextFor({ serverName, hasTicket, ticketName }: ClientHello): TlsContext {
    const index = certificateFor(this.#certificates, serverName)?.index ?? 0;
    const former = this.#former?.all[index];
    const isFormer = hasTicket && former?.ticketName?.every((octet, i) => octet === ticketName[i]);
    return isFormer ? former! : this.#own!.all[index]!;
  }

  #greeted(arrival: Arrival, hello: ClientHello, handshake: Handshake): void {
    if (this.#options.tls.http2 && hello.offersHttp2) {
      arrival.finish();
      this.#acceptByNode(arrival.fd, handshake);
      return;
    }
    const { serverName, offersHttp1 } = hello;
    const session = new TlsSession(this.#contextFor(hello), "server");
    const { tls, isCarried = false } = this.#options;
    const asked = tls.clientCertificate !== "off";
    const wire = new TlsWire(this.#loop, arrival.fd, {
      session,
      isCarried,
      alpn: offersHttp1 ? "http/1.1" : isCarried ? "nothing" : "alert",
      secured: () => {
        arrival.finish();
        const clientSubject = asked ? session.peerSubject : undefined;
        const facts = { version: session.version, serverName, clientSubject };
        this.#end(() => handshake.secured(wire, facts));
      },
    });
    arrival.become(wire);
  }

  #acceptByNode(fd: number, handshake: Handshake): void {
    this.#node!.accept(fd, {
      refused: (reason) => this.#end(() => handshake.refused(reason)),
      secured: (socket, facts) =>
        this.#end(() => {
          if (socket.alpnProtocol === "h2") handshake.securedHttp2(socket, facts, fd);
          else handshake.secured(new DuplexWire(this.#loop, socket), facts);
        }),
    });
  }

  #end(tell: () => void): void {
    this.#handshakes--;
    if (this.#isClosed && this.#handshakes === 0) this.#free();
    tell();
  }
}

/** One for each set of names, in their order. */
class Contexts {
  readonly openssl: TlsLibrary;
  readonly all: TlsContext[] = [];

  constructor(
    library: TlsLibrary,
    { all, clientCa }: Certificates,
    { tls, ticketKeys }: { tls: FrontendTls; ticketKeys: Uint8Array | undefined },
  ) {
    this.openssl = library;
    const { minimumVersion, clientCertificate } = tls;
    try {
      for (const { credentials, file } of all) {
        const own = { credentials, minimumVersion, clientCertificate };
        const shared = ticketKeys === undefined ? {} : { ticketSecret: ticketKeys };
        const authorities = clientCa === undefined ? {} : { clientCa };
        try {
          this.all.push(TlsContext.server(library, { ...own, ...authorities, ...shared }));
        } catch (error) {
          throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
        }
      }
    } catch (error) {
      this.free();
      throw error;
    }
  }

  free(): void {
    for (const context of this.all.splice(0)) context.free();
  }
}

interface ArrivalOptions {
  readonly withinMs: number;
  /** `hello` is valid within the call; whatever could be read of it. */
  readonly greeted: (arrival: Arrival, hello: ClientHello) => void;
  /** The descriptor is closed. */
  readonly refused: (reason: string) => void;
}

/** One is enough: a message is looked at within one call. */
const peeked = new NativeMemory(MAX_HELLO_BYTES + 1024);
const hello = new ClientHello();

/** From accepted to secured, or refused; within a time. */
class Arrival extends Watched {
  readonly #loop: StreamLoop;
  readonly #options: ArrivalOptions;
  readonly #timer: ReturnType<typeof setTimeout>;
  #wire: TlsWire | undefined;

  static begin(loop: StreamLoop, fd: number, options: ArrivalOptions): void {
    const arrival = new Arrival(loop, fd, options);
    const result = loop.add(arrival, calls.EPOLLIN | calls.EPOLLRDHUP | calls.EPOLLET);
    if (result < 0) arrival.#refuse(errnoName(result));
  }

  private constructor(loop: StreamLoop, fd: number, options: ArrivalOptions) {
    super(fd);
    this.#loop = loop;
    this.#options = options;
    const { withinMs } = options;
    const late = `no TLS handshake within ${withinMs} ms`;
    this.#timer = setTimeout(() => this.#refuse(late), withinMs);
  }

  event(_now: number, flags: number): void {
    const room = peeked.bytes.length;
    const count = calls.receiveStream(this.fd, peeked.address, room, calls.MSG_PEEK);
    if (count === -EAGAIN) return;
    if (count < 0) return this.#refuse(errnoName(count));
    const progress = parseClientHello(hello, peeked.bytes, 0, count);
    if (progress === "more" && count < room) {
      const isOver = count === 0 || (flags & (calls.EPOLLRDHUP | calls.EPOLLERR)) !== 0;
      if (isOver) this.#refuse("closed before the TLS handshake");
      return;
    }
    // What is broken is refused by OpenSSL, with the alert that belongs to it.
    if (progress !== "complete") hello.clear();
    this.#loop.remove(this);
    this.#options.greeted(this, hello);
  }

  /** Goes on as this wire. */
  become(wire: TlsWire): void {
    this.#wire = wire;
    wire.peer = {
      received() {},
      drained() {},
      ended() {},
      closed: (_now, reason) => this.#told(reason),
    };
    if (this.#loop.add(wire, WIRE_EVENTS) < 0) wire.fail("EPOLL");
  }

  /** It is somebody else's now. */
  finish(): void {
    clearTimeout(this.#timer);
  }

  #refuse(reason: string): void {
    if (this.#wire === undefined) {
      this.#loop.remove(this);
      closeFd(this.fd);
    } else {
      this.#loop.run(() => this.#wire!.destroy(true));
    }
    this.#told(reason);
  }

  #told(reason: string): void {
    this.finish();
    this.#options.refused(reason);
  }
}
