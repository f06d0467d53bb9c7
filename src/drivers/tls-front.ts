/**
 * TLS towards clients: accepted descriptors become decrypted sockets. Changed certificates are a
 * new front for new handshakes; connections of the old one do not notice.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";
import type { ClientOrigin } from "../core/proxy/wire.ts";
import { closeFd } from "./ffi.ts";
import { certificateFor, loadCertificates } from "./tls-certificates.ts";

export interface TlsFrontOptions {
  readonly tls: FrontendTls;
  readonly handshakeMs: number;
  /** Handshakes at the same time; more are closed. */
  readonly maxHandshakes: number;
  /** 48 bytes that all workers share, so that a session can be resumed at any of them. */
  readonly ticketKeys?: Uint8Array;
}

export type TlsFacts = NonNullable<ClientOrigin["tls"]>;

/** Exactly one of the two is told per accepted descriptor. */
export interface Handshake {
  secured(socket: TLSSocket, facts: TlsFacts): void;
  refused(reason: string): void;
}

export class TlsFront {
  readonly #server: Server;
  readonly #options: TlsFrontOptions;
  /** Whose handshake it is that the server tells about. */
  readonly #current = new AsyncLocalStorage<Pending>();
  #handshakes = 0;

  /** Throws with the file's name when a certificate cannot be used. */
  constructor(options: TlsFrontOptions) {
    this.#options = options;
    const { tls, handshakeMs, ticketKeys } = options;
    const certificates = loadCertificates(tls);
    this.#server = createServer({
      ...certificates.fallback,
      SNICallback: (name, done) => done(null, certificateFor(certificates, name)),
      ALPNProtocols: tls.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
      requestCert: tls.clientCertificate !== "off",
      rejectUnauthorized: tls.clientCertificate === "required",
      handshakeTimeout: handshakeMs,
      allowHalfOpen: true,
      ...(ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(ticketKeys) }),
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error) => this.#over()?.refused(error.message));
  }

  /** Handshakes that are going on. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Takes the descriptor over. */
  accept(fd: number, handshake: Handshake): void {
    if (this.#handshakes >= this.#options.maxHandshakes) {
      closeFd(fd);
      handshake.refused("too many handshakes at once");
      return;
    }
    this.#handshakes++;
    const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
    socket.setNoDelay(true);
    this.#current.run({ handshake, isOver: false }, () => this.#server.emit("connection", socket));
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#over();
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
      clientSubject: (certificate?.subject ?? "").replaceAll("\n", ", "),
    });
  }

  #over(): Handshake | undefined {
    const pending = this.#current.getStore();
    if (pending === undefined || pending.isOver) return undefined;
    pending.isOver = true;
    this.#handshakes--;
    return pending.handshake;
  }
}

interface Pending {
  readonly handshake: Handshake;
  isOver: boolean;
}
