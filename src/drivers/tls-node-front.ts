/**
 * TLS towards clients by Node's own streams: for clients of HTTP/2, whose frames Node does, and for
 * all where OpenSSL cannot be called directly.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";
import { certificateFor, type Certificates } from "./tls-certificates.ts";
import type { TlsFacts } from "./tls-front.ts";

export interface NodeTlsFrontOptions {
  readonly tls: FrontendTls;
  readonly certificates: Certificates;
  readonly handshakeMs: number;
  readonly ticketKeys?: Uint8Array;
  /** Nobody here knows what is spoken. */
  readonly isCarried?: boolean;
}

/** Exactly one of the two is told per descriptor. */
export interface NodeHandshake {
  secured(socket: TLSSocket, facts: TlsFacts): void;
  refused(reason: string): void;
}

export class NodeTlsFront {
  readonly #server: Server;
  /** Whose handshake it is that the server tells about. */
  readonly #current = new AsyncLocalStorage<Pending>();

  constructor(options: NodeTlsFrontOptions) {
    const { tls, certificates, handshakeMs, ticketKeys, isCarried = false } = options;
    this.#server = createServer({
      ...certificates.fallback,
      SNICallback: (name, done) => done(null, certificateFor(certificates, name)?.context),
      ...(isCarried ? {} : { ALPNProtocols: tls.http2 ? ["h2", "http/1.1"] : ["http/1.1"] }),
      requestCert: tls.clientCertificate !== "off",
      rejectUnauthorized: tls.clientCertificate === "required",
      handshakeTimeout: handshakeMs,
      allowHalfOpen: true,
      ...(ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(ticketKeys) }),
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", ({ message }, socket) => {
      const { authorizationError: unknown } = socket;
      const reason = unknown ? `client certificate: ${String(unknown)}` : message;
      over(this.#current.getStore())?.refused(reason);
      // Whose time is over Node leaves open, with nobody to close it.
      socket.destroy();
    });
  }

  sealTickets(keys: Uint8Array | undefined): void {
    if (keys !== undefined) this.#server.setTicketKeys(Buffer.from(keys));
  }

  /** Takes the descriptor over. */
  accept(fd: number, handshake: NodeHandshake): void {
    const pending = { handshake, isOver: false };
    this.#current.run(pending, () => {
      const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
      socket.setNoDelay(true);
      // Node may close it without a word, and in nobody's name.
      socket.once("close", () => {
        setImmediate(() => over(pending)?.refused("closed within the TLS handshake"));
      });
      this.#server.emit("connection", socket);
    });
  }

  #secured(socket: TLSSocket): void {
    const handshake = over(this.#current.getStore());
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    const certificate = socket.getPeerX509Certificate();
    // Asked for but not demanded: none is fine, one that nobody vouches for is not.
    if (certificate !== undefined && !socket.authorized) {
      handshake.refused(`client certificate: ${String(socket.authorizationError)}`);
      socket.destroy();
      return;
    }
    handshake.secured(socket, {
      version: socket.getProtocol() ?? "",
      serverName: typeof socket.servername === "string" ? socket.servername : "",
      clientSubject: certificate && (certificate.subject ?? "").replaceAll("\n", ", "),
    });
  }
}

interface Pending {
  readonly handshake: NodeHandshake;
  isOver: boolean;
}

/** Whom to tell; nobody a second time. */
function over(pending: Pending | undefined): NodeHandshake | undefined {
  if (pending === undefined || pending.isOver) return undefined;
  pending.isOver = true;
  return pending.handshake;
}
