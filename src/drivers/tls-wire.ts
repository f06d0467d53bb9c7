/**
 * TLS on a descriptor of the loop: a `StreamWire` whose bytes pass through a `TlsSession`. Queue, marks,
 * pauses and ends are those of the plain wire; what is queued is encrypted already.
 *
 * An end is told by close_notify. A FIN without one is a cut, since anybody on the way can send it (RFC 8446
 * section 6.1): of a server, whose answer may end with the connection (RFC 9112 section 9.8), and of whoever
 * is carried as bytes. Where a request of HTTP ends is said by its framing, so there it is an end of the client.
 */

import type { ServerPeer } from "../core/proxy/wire.ts";
import { EAGAIN, type NativeMemory } from "./ffi.ts";
import { READ_BYTES, type StreamLoop } from "./stream-loop.ts";
import { StreamWire } from "./stream-wire.ts";
import type { AlpnAnswer } from "./tls-library.ts";
import { CIPHER_BYTES, PLAIN_BYTES, type TlsSession } from "./tls-session.ts";

/** A `receive` that failed in TLS, whose reason the session tells; EPROTO. */
const FAILED = -71;
/**
 * Queued without a word of the engine's: alerts to somebody who provokes them and does not read. A
 * client that is slow with an answer has less in line.
 */
const MOST_QUEUED = 2 * 1024 * 1024;

/** Of records that say nothing to the engine; then others get their turn. */
const READS_WITHOUT_BYTES = 4;

export interface TlsWireOptions {
  readonly session: TlsSession;
  /** Towards a server: told `connected` when the handshake is over. */
  readonly connecting?: ServerPeer;
  /** Of an accepted connection: what it says has no framing that Nines knows. */
  readonly isCarried?: boolean;
  /** Told to an accepted client that offers protocols. */
  readonly alpn: AlpnAnswer;
  /** The handshake is over. Of an accepted connection: its peer is set before this returns. */
  readonly secured: () => void;
  /** The first bytes have come after that. */
  readonly answered?: () => void;
}

export class TlsWire extends StreamWire {
  readonly #session: TlsSession;
  readonly #options: TlsWireOptions;
  readonly #isClient: boolean;
  readonly #early: Uint8Array[] = [];
  #isSecured = false;
  #hasAnswered = false;
  #hasClosed = false;

  constructor(loop: StreamLoop, fd: number, options: TlsWireOptions) {
    super(loop, fd, options.connecting);
    this.#session = options.session;
    this.#options = options;
    this.#isClient = options.connecting !== undefined;
  }

  override destroy(reset: boolean): void {
    if (!reset && !this.isGone && this.#isSecured) {
      // Whatever is staged is the last, and goes out with close_notify behind it.
      this.isEnding = true;
      if (this.stagedLength === 0) this.seal();
    }
    super.destroy(reset);
  }

  protected override receive(now: number): number {
    const session = this.#session;
    for (let i = 0; i < READS_WITHOUT_BYTES; i++) {
      if (session.failure !== undefined) return FAILED;
      if (session.isClosedByPeer) return 0;
      const count = this.receiveRaw(session.input.address, CIPHER_BYTES);
      if (count === 0) return this.#endWithoutNotice();
      if (count < 0) return count;
      session.fed(count);
      if (this.#isSecured || this.#shake()) {
        // In the loop's input before anybody is called: nothing of it is left where others come by.
        const plain = session.read(this.loop.input, this.loop.inputAt, READ_BYTES);
        this.#sendOut();
        if (!this.#isSecured) this.#open(now);
        if (this.isGone) return -EAGAIN;
        if (session.failure !== undefined || session.isClosedByPeer) this.isReadable = true;
        if (plain > 0) {
          this.#noteAnswer();
          return plain;
        }
      }
      if (!this.isReadable) return -EAGAIN;
    }
    this.loop.makeReady(this);
    return -EAGAIN;
  }

  protected override transmit(memory: NativeMemory, from: number, to: number): void {
    while (from < to) {
      const count = Math.min(to - from, PLAIN_BYTES);
      const isWritten = this.#session.write(memory.address + from, count);
      from += count;
      if (isWritten && from === to && this.isEnding) this.#closeSession();
      this.#sendOut();
      if (!isWritten) return this.fail(this.#session.failure!);
    }
  }

  protected override queueEarly(bytes: Uint8Array, from: number, to: number): void {
    this.#early.push(bytes.slice(from, to));
  }

  protected override opened(): void {
    this.#shake();
    if (this.#session.failure !== undefined) this.fail(this.#session.failure);
  }

  protected override seal(): void {
    if (!this.#isSecured) return;
    this.#closeSession();
    this.#sendOut();
  }

  protected override reasonOf(result: number): string {
    return result === FAILED ? this.#session.failure! : super.reasonOf(result);
  }

  protected override dispose(): void {
    this.#session.free();
  }

  /** True: the handshake is over, and `read` comes next. */
  #shake(): boolean {
    const progress = this.#session.handshake(this.#options.alpn);
    if (progress === "done") return true;
    this.#sendOut();
    if (progress === "failed") this.isReadable = true;
    return false;
  }

  #open(now: number): void {
    this.#isSecured = true;
    for (const bytes of this.#early.splice(0)) this.loop.stage(this, bytes, 0, bytes.length);
    this.#options.secured();
    if (this.#isClient && !this.isGone) this.tellConnected(now);
  }

  #noteAnswer(): void {
    if (this.#hasAnswered) return;
    this.#hasAnswered = true;
    this.#options.answered?.();
  }

  #endWithoutNotice(): number {
    if (!this.#isSecured) this.#session.failure = "closed within the TLS handshake";
    else if (this.#isClient) this.#session.failure = "the server cut TLS without close_notify";
    else if (this.#options.isCarried === true)
      this.#session.failure = "TLS cut without close_notify";
    else return 0;
    return FAILED;
  }

  #closeSession(): void {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    this.#session.close();
  }

  /** Whatever TLS itself or the engine has to say: after every call of the session. */
  #sendOut(): void {
    const count = this.#session.take();
    if (count === 0 || this.isGone) return;
    this.sendRaw(this.#session.output, 0, count);
    if (this.backlogLength > MOST_QUEUED) this.#session.failure ??= "TLS: replies are not read";
  }
}
