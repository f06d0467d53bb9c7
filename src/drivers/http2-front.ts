/**
 * HTTP/2 towards clients (node:http2). Each stream is a connection of its own to the engine and
 * speaks HTTP/1.1 there: one way of judging requests, whatever brought them.
 */

import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { BodyReader } from "../core/http/body-reader.ts";
import type { FieldBlock } from "../core/http/field-block.ts";
import { ResponseHead } from "../core/http/response-head.ts";
import type { ClientOrigin, Peer, Wire } from "../core/proxy/wire.ts";
import { chunkOf, lastChunk, translateRequest } from "./http2-request.ts";
import { unacknowledged } from "./stream-calls.ts";
import type { StreamLoop } from "./stream-loop.ts";

/** The part of the engine that clients come to. */
export interface Acceptor {
  accept(now: number, wire: Wire, origin: ClientOrigin): Peer;
}

export interface Http2Options {
  readonly acceptor: Acceptor;
  readonly origin: ClientOrigin;
  /** Without any stream for so long the connection is closed. */
  readonly keepAliveMs: number;
  readonly headBytes: number;
  /** More at once would be refused. */
  readonly streams: number;
  /** The socket's descriptor. */
  readonly fd: number;
}

/** Streams at once of one connection; what browsers expect at least (RFC 9113 section 6.5.2). */
const MAX_STREAMS = 100;
/** Who takes requests back without end (CVE-2023-44487) is sent away before all others wait. */
const RESETS = { streamResetBurst: 2 * MAX_STREAMS, streamResetRate: 33 } as const;
/**
 * What a client may send ahead, per stream and in all. With the protocol's 64 KiB (RFC 9113 section 6.9.2)
 * an upload stops for an answer some 1,500 times in 100 MB.
 */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 1024 * 1024;
const MARK_BYTES = 128 * 1024;
/**
 * More fields than any request may have by `limits.headers`, with the pieces that browsers cut a Cookie into
 * (RFC 9113 section 8.2.3): the engine counts, and refuses with an answer what is too much.
 */
const MOST_FIELDS = 1280;
/** What each field counts besides its octets (RFC 9113 section 6.5.2). */
const FIELD_OVERHEAD = 32;
/** Answers are the engine's own: canonical, and checked there. */
const ANSWER_LIMITS = { bytes: 256 * 1024, fields: 1000 };

/** `socket`: decrypted, ALPN `h2`. */
export function serveHttp2(
  loop: StreamLoop,
  socket: Socket,
  options: Http2Options,
): ServerHttp2Session {
  const session = performServerHandshake(socket, {
    maxHeaderListPairs: MOST_FIELDS,
    // A field that a server says twice, as many do with x-content-type-options, is said twice.
    strictSingleValueFields: false,
    ...RESETS,
    settings: {
      maxConcurrentStreams: Math.min(MAX_STREAMS, options.streams),
      initialWindowSize: STREAM_WINDOW,
      maxHeaderListSize: options.headBytes + MOST_FIELDS * FIELD_OVERHEAD,
      enableConnectProtocol: false,
    },
  });
  session.setLocalWindowSize(CONNECTION_WINDOW);
  const rest = new Rest(session, socket, options.keepAliveMs);
  session.on("error", () => session.destroy());
  // The socket may be half open, HTTP/2 may not: whoever ends is answered to the end, and gone.
  socket.on("end", () => session.close());
  session.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    const request = translateRequest(headers, stream.endAfterHeaders);
    if (typeof request === "number") {
      stream.respond({ ":status": request }, { endStream: true });
      return;
    }
    StreamOfHttp2.open(loop, stream, { ...options, ...request, rest, socket });
  });
  return session;
}

/**
 * A connection without anything that the engine has to do with. It is asked to go; one that stays all the
 * same - it does not read, or does not end its half, for which Node waits without a bound - is cut.
 */
class Rest {
  #streams = 0;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(session: ServerHttp2Session, socket: Socket, patienceMs: number) {
    this.#timer = setTimeout(() => {
      if (this.#streams > 0) return;
      if (session.closed) {
        socket.destroy();
        return;
      }
      this.#timer.refresh();
      session.close();
    }, patienceMs);
    session.once("close", () => clearTimeout(this.#timer));
  }

  streamBegins(): void {
    this.#streams++;
  }

  streamEnds(): void {
    this.#streams--;
    if (this.#streams === 0) this.#timer.refresh();
  }
}

/**
 * Large pieces of answers lie in buffers that are used again: to make and collect one for each costs as
 * much as to copy it.
 */
const LENT_BYTES = 64 * 1024;
const LEAST_LENT = 8 * 1024;
const MOST_LENT = 64;
const lent: Buffer[] = [];

const nobody: Peer = { received() {}, drained() {}, ended() {}, closed() {} };

interface StreamOptions extends Http2Options {
  readonly head: Buffer;
  readonly method: string;
  readonly isChunked: boolean;
  readonly rest: Rest;
  readonly socket: Socket;
}

class StreamOfHttp2 implements Wire {
  readonly #loop: StreamLoop;
  readonly #stream: ServerHttp2Stream;
  readonly #socket: Socket;
  readonly #fd: number;
  readonly #isHead: boolean;
  readonly #rest: Rest;
  readonly #answer = new ResponseHead();
  readonly #body = new BodyReader();
  #peer: Peer = nobody;
  /** The start of an answer's head that is not complete. */
  #partial: Buffer | undefined;
  #hasAnswered = false;
  #isBlocked = false;
  #isGone = false;
  /** Came within this turn of the event loop: told in one go, so that it goes on in one piece. */
  #arrived: Buffer[] = [];
  #isTelling = false;
  #isPaused = false;

  static open(loop: StreamLoop, stream: ServerHttp2Stream, options: StreamOptions): void {
    const { acceptor, origin, head } = options;
    const wire = new StreamOfHttp2(loop, stream, options);
    wire.#listen(options.isChunked);
    loop.run((now) => {
      wire.#peer = acceptor.accept(now, wire, origin);
      if (!wire.#isGone) wire.#peer.received(now, head, 0, head.length);
    });
  }

  private constructor(loop: StreamLoop, stream: ServerHttp2Stream, options: StreamOptions) {
    this.#loop = loop;
    this.#stream = stream;
    this.#socket = options.socket;
    this.#fd = options.fd;
    this.#isHead = options.method === "HEAD";
    this.#rest = options.rest;
    this.#rest.streamBegins();
  }

  get queued(): number {
    return this.#stream.writableLength;
  }

  /**
   * Whoever takes something of any stream is not idle: which one comes first is decided on this side, what
   * Node was given of one at once is queued until the last byte of it is out, and all wait for the kernel.
   */
  get untaken(): number {
    return this.queued + unacknowledged(this.#fd) - this.#socket.bytesWritten;
  }

  send(bytes: Uint8Array, from: number, to: number): boolean {
    // Reset by the client, which is told in a moment; Node throws at whoever answers it.
    if (this.#isGone || this.#stream.closed) return true;
    this.#loop.touchNode();
    this.#take(bytes, from, to);
    this.#isBlocked = this.#stream.writableLength > MARK_BYTES;
    return !this.#isBlocked;
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#loop.touchNode();
    this.#stream.resume();
    if (this.#arrived.length > 0) this.#tellSoon();
  }

  /** The engine has nothing more to say. */
  end(): void {
    if (this.#isGone) return;
    this.#loop.touchNode();
    if (this.#hasAnswered && this.#body.end()) this.#finish();
    else this.#fail();
  }

  destroy(reset: boolean): void {
    if (this.#isGone) return;
    this.#leave();
    this.#loop.touchNode();
    // Whoever has the whole answer need not send the rest of his request (RFC 9113 section 8.1).
    if (!reset && this.#stream.writableFinished) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    // Nobody has heard of it: the client may ask again, whatever it is (RFC 9113 section 8.7).
    else if (this.#peer === nobody) this.#stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else this.#fail();
    // What lies there unread would keep the stream.
    this.#stream.resume();
  }

  /** Neither side calls the other again. */
  #leave(): void {
    this.#isGone = true;
    this.#arrived = [];
    this.#rest.streamEnds();
  }

  #listen(isChunked: boolean): void {
    const stream = this.#stream;
    let trailers: IncomingHttpHeaders = {};
    stream.on("data", (chunk: Buffer) => this.#arrive(isChunked ? chunkOf(chunk) : chunk));
    stream.on("trailers", (fields: IncomingHttpHeaders) => (trailers = fields));
    stream.on("end", () => {
      if (isChunked && !stream.aborted) this.#arrive(lastChunk(trailers));
    });
    // It closes when it was read to its end, which whoever is paused does not do.
    stream.on("aborted", () => stream.resume());
    stream.on("drain", () => {
      if (!this.#isBlocked) return;
      this.#isBlocked = false;
      this.#tell((peer, now) => peer.drained(now));
    });
    stream.on("close", () => {
      const reason = stream.rstCode === constants.NGHTTP2_NO_ERROR ? "" : "ECONNRESET";
      this.#tell((peer, now) => {
        this.#leave();
        peer.closed(now, reason);
      });
    });
  }

  #arrive(bytes: Buffer): void {
    if (this.#isGone || this.#stream.aborted) return;
    this.#arrived.push(bytes);
    this.#tellSoon();
  }

  /** After the frames that were read at once; ticks run after each of them. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.#tell((peer, now) => this.#tellArrived(peer, now));
    });
  }

  #tellArrived(peer: Peer, now: number): void {
    const arrived = this.#arrived;
    let told = 0;
    while (told < arrived.length && !this.#isPaused && !this.#isGone) {
      const bytes = arrived[told++]!;
      peer.received(now, bytes, 0, bytes.length);
    }
    this.#arrived = arrived.slice(told);
  }

  #tell(body: (peer: Peer, now: number) => void): void {
    if (!this.#isGone) this.#loop.run((now) => body(this.#peer, now));
  }

  #take(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to && !this.#isGone) {
      if (!this.#hasAnswered) {
        const next = this.#takeHead(bytes, at, to);
        if (next === undefined) return;
        at = next;
        continue;
      }
      if (this.#body.done) return;
      at = this.#body.consume(bytes, at, to);
      const { from: start, to: end } = this.#body;
      if (end > start) this.#write(bytes, start, end);
      if (this.#body.done) this.#finish();
      if (this.#body.refused !== undefined) return this.#fail();
    }
  }

  /** A copy: what is given here is somebody else's in the next turn. */
  #write(bytes: Uint8Array, from: number, to: number): void {
    const stream = this.#stream;
    const length = to - from;
    if (length < LEAST_LENT || length > LENT_BYTES) {
      stream.write(Buffer.from(bytes.subarray(from, to)));
      return;
    }
    const buffer = lent.pop() ?? Buffer.allocUnsafeSlow(LENT_BYTES);
    buffer.set(bytes.subarray(from, to));
    stream.write(buffer.subarray(0, length), (error) => {
      // Out of sight of OpenSSL and nghttp2, when it went well.
      const isBack = !error && !stream.destroyed;
      if (isBack && lent.length < MOST_LENT) lent.push(buffer);
    });
  }

  /** The position after the head; undefined: it is not complete, or cannot be understood. */
  #takeHead(bytes: Uint8Array, from: number, to: number): number | undefined {
    const before = this.#partial?.length ?? 0;
    const fresh = bytes.subarray(from, to);
    const all = this.#partial === undefined ? fresh : Buffer.concat([this.#partial, fresh]);
    const answer = this.#answer;
    answer.clear();
    const end = answer.parse(all, 0, all.length, ANSWER_LIMITS);
    if (end === 0) {
      this.#partial = Buffer.from(all);
      return undefined;
    }
    if (end < 0 || !answer.frame(this.#isHead)) {
      this.#fail();
      return undefined;
    }
    this.#partial = undefined;
    this.#respond();
    return from + end - before;
  }

  #respond(): void {
    const answer = this.#answer;
    const headers = { ":status": answer.status, ...fieldsOf(answer) };
    if (answer.status < 200) {
      this.#stream.additionalHeaders(headers);
      return;
    }
    this.#hasAnswered = true;
    const { framing } = answer;
    this.#body.begin(framing, answer.length);
    this.#stream.respond(headers, {
      endStream: this.#body.done,
      waitForTrailers: framing === "chunked",
    });
    if (framing !== "chunked") return;
    this.#stream.on("wantTrailers", () => {
      const { trailers } = this.#body;
      // Without any too: an end of the stream is what tells that the answer is whole.
      if (!this.#stream.closed) this.#stream.sendTrailers(trailers ? fieldsOf(trailers) : {});
    });
  }

  #finish(): void {
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  /** Once all is sent: within this turn Node sends at once, and was seen to do so for ever, in native code. */
  #fail(): void {
    setImmediate(() => this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  }
}

function fieldsOf(block: FieldBlock): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < block.count; i++) {
    if (block.hop[i] === 1) continue;
    const name = block.nameText(i).toLowerCase();
    const value = block.valueText(i);
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else fields[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return fields;
}
