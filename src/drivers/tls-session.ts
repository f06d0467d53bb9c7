/**
 * One TLS connection's cryptographic state, apart from its descriptor. Bytes go in and out by one pair
 * of BIOs that all connections of the process share: everything here is synchronous, and every call
 * leaves the pair empty, so no connection ever finds what is another's.
 */

import { X509Certificate } from "node:crypto";
import { assert } from "../lib/assert.ts";
import { NativeMemory } from "./ffi.ts";
import type { TlsContext } from "./tls-context.ts";
import * as tls from "./tls-library.ts";
import { type AlpnAnswer, forgetErrors, takeError, type TlsLibrary } from "./tls-library.ts";

/**
 * Received at a time. A record may lie in OpenSSL all but its end, so up to 16 KiB more than this is
 * decrypted at once, and all of it has to fit into one read of the loop.
 */
export const CIPHER_BYTES: number = 48 * 1024;
/** Encrypted at a time: four full records. */
export const PLAIN_BYTES: number = 64 * 1024;
/** Room for either, with the heads of records, or a handshake's longest flight. */
const RING_BYTES = 256 * 1024;

export type Handshaking = "done" | "more" | "failed";

/** The shared pair: `inner` is what OpenSSL reads and writes, `outer` is ours. */
class Pipe {
  readonly openssl: TlsLibrary;
  readonly inner: number;
  readonly #outer: number;
  readonly #slot = new NativeMemory(8);
  /** Where what was received is put before `fed`. */
  readonly input: NativeMemory;
  /** Where what is to be sent lies after `take`. */
  readonly output: NativeMemory;

  constructor(library: TlsLibrary) {
    this.openssl = library;
    const [inner, outer] = [new BigUint64Array(1), new BigUint64Array(1)];
    const made = library.bioPair(inner, RING_BYTES, outer, RING_BYTES);
    assert(made === 1, "OpenSSL makes a pair of BIOs");
    this.inner = Number(inner[0]);
    this.#outer = Number(outer[0]);
    library.bioRoom(this.#outer, this.#slot.address);
    this.input = new NativeMemory(RING_BYTES, this.#pointed());
    library.bioWrite(this.inner, new Uint8Array(1), 1);
    library.bioTake(this.#outer, this.#slot.address, 1);
    this.output = new NativeMemory(RING_BYTES, this.#pointed());
  }

  /** `count` bytes were put into `input`. */
  fed(count: number): void {
    const taken: number = this.openssl.bioWritten(this.#outer, this.#slot.address, count);
    assert(taken === count, "the pair was empty before");
  }

  /** How many bytes lie in `output`; they are overwritten by the next call of a session. */
  take(): number {
    const count: number = this.openssl.bioTake(this.#outer, this.#slot.address, RING_BYTES);
    return count > 0 ? count : 0;
  }

  /** OpenSSL has not read everything that was fed. */
  get hasInput(): boolean {
    return this.openssl.bioPending(this.inner) > 0;
  }

  dropInput(): void {
    this.openssl.bioControl(this.#outer, tls.BIO_CTRL_RESET, 0, 0);
  }

  #pointed(): number {
    return Number(this.#slot.view.getBigUint64(0, true));
  }
}

let shared: Pipe | undefined;

export class TlsSession {
  readonly #pipe: Pipe;
  readonly #library: TlsLibrary;
  readonly #isServer: boolean;
  /** 0: freed. */
  #ssl: number;
  /** The other side has said close_notify. */
  isClosedByPeer = false;
  /** Nothing more is to be done with this connection: why. */
  failure: string | undefined;

  constructor(context: TlsContext, role: "server" | "client") {
    const { openssl: library } = context;
    this.#library = library;
    this.#pipe = shared ??= new Pipe(library);
    this.#isServer = role === "server";
    this.#ssl = library.connectionNew(context.address);
    assert(this.#ssl !== 0, "OpenSSL has memory for a connection");
    library.bioUpRef(this.#pipe.inner);
    library.setBio(this.#ssl, this.#pipe.inner, this.#pipe.inner);
    if (this.#isServer) library.accepting(this.#ssl);
    else library.connecting(this.#ssl);
  }

  /** Where received bytes are put before `handshake` or `read`. */
  get input(): NativeMemory {
    return this.#pipe.input;
  }

  /** Where `take` leaves what is to be sent. */
  get output(): NativeMemory {
    return this.#pipe.output;
  }

  /** `count` bytes were received into `input`. `handshake` or `read` is called next. */
  fed(count: number): void {
    this.#pipe.fed(count);
  }

  /** Asked after every other call: bytes in `output` that have to be sent. */
  take(): number {
    return this.#pipe.take();
  }

  /** `alpn`: what a client is told. `read` is called after `done`. */
  handshake(alpn: AlpnAnswer): Handshaking {
    const library = this.#library;
    forgetErrors(library);
    tls.answerAlpn(alpn);
    const result = library.handshake(this.#ssl);
    if (result === 1) return "done";
    this.#judge(result);
    return this.failure === undefined ? "more" : "failed";
  }

  /** Bytes decrypted to `at` of `into`; 0: no whole record yet, an end or a failure. */
  read(into: NativeMemory, at: number, room: number): number {
    const library = this.#library;
    const start = into.address + at;
    let total = 0;
    forgetErrors(library);
    while (total < room) {
      const count = library.read(this.#ssl, start + total, room - total);
      if (count <= 0) {
        this.#judge(count);
        break;
      }
      total += count;
      if (!this.#pipe.hasInput) break;
    }
    assert(total < room || !this.#pipe.hasInput, "what is received at once fits");
    if (this.isClosedByPeer || this.failure !== undefined) this.#pipe.dropInput();
    return total;
  }

  /** Encrypts up to `PLAIN_BYTES`. False: `failure` says why not. */
  write(address: number, length: number): boolean {
    const library = this.#library;
    const count = library.write(this.#ssl, address, length);
    if (count === length) return true;
    this.failure ??= `TLS: ${takeError(library)}`;
    return false;
  }

  /** close_notify (RFC 8446 section 6.1). */
  close(): void {
    if (this.failure === undefined) this.#library.shutdown(this.#ssl);
  }

  /** `TLSv1.3` */
  get version(): string {
    return this.#library.version(this.#ssl) ?? "";
  }

  /** Subject of the other side's certificate, on one line; undefined: it has shown none. */
  get peerSubject(): string | undefined {
    const library = this.#library;
    const x509 = library.peerCertificate(this.#ssl);
    if (x509 === 0) return undefined;
    try {
      const bytes = new NativeMemory(library.certificateBytes(x509, 0));
      const slot = new NativeMemory(8);
      slot.setPointer(0, bytes.address);
      library.certificateBytes(x509, slot.address);
      return new X509Certificate(bytes.bytes).subject.replaceAll("\n", ", ");
    } catch {
      // Verified by OpenSSL, and yet not readable: nobody by name.
      return "";
    } finally {
      library.certificateFree(x509);
    }
  }

  /** The name that the server's certificate must have: a host's or an address. */
  expect(name: string): void {
    this.#library.expectHost(this.#ssl, name);
  }

  /** SNI (RFC 6066 section 3): the name of a host. */
  indicate(name: string): void {
    this.#library.connectionControl(this.#ssl, tls.SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, name);
  }

  /** A session to resume, as `takeSession` gave it. It stays the caller's. */
  resume(session: number): void {
    this.#library.setSession(this.#ssl, session);
  }

  /** The address of a session for a later connection, to be freed by the caller; 0: none. */
  takeSession(): number {
    const session = this.#library.sessionOf(this.#ssl);
    if (session === 0 || this.#library.sessionUsable(session) === 1) return session;
    this.#library.sessionFree(session);
    return 0;
  }

  /** A second call does nothing. */
  free(): void {
    if (this.#ssl === 0) return;
    this.#library.connectionFree(this.#ssl);
    this.#ssl = 0;
  }

  #judge(result: number): void {
    const library = this.#library;
    const code = library.errorOf(this.#ssl, result);
    if (code === tls.SSL_ERROR_WANT_READ) return;
    if (code === tls.SSL_ERROR_ZERO_RETURN) {
      this.isClosedByPeer = true;
      return;
    }
    this.failure = this.#reason();
    this.#pipe.dropInput();
  }

  #reason(): string {
    const library = this.#library;
    const text = takeError(library);
    const verified = library.verifyResult(this.#ssl);
    const whose = this.#isServer ? "client" : "server";
    const isUntrusted = verified !== 0 && text === "certificate verify failed";
    if (isUntrusted) return `${whose} certificate: ${library.verifyText(verified) ?? text}`;
    const isMissing = text === "peer did not return a certificate";
    return isMissing ? `${whose} certificate: none was given` : `TLS: ${text}`;
  }
}
