/** Brings the body of a request to the server, framed anew. */

import { HeadWriter } from "../http/head-writer.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import { writeChunkHead } from "./outbound-request.ts";

/** One chunk of ours holds at most that many bytes. */
const CHUNK_BYTES = 64 * 1024;

export class RequestRelay {
  readonly #parts: EngineParts;
  readonly #writer = new HeadWriter();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /**
   * Reads the body from `from`; gives the position up to which it was taken: less than `to` when
   * the body is complete, refused (see `exchange.requestBody`), or must wait for the server.
   */
  take(exchange: Exchange, bytes: Uint8Array, from: number, to: number): number {
    const body = exchange.requestBody;
    let at = from;
    // It comes unasked.
    if (from < to) exchange.expectsContinue = false;
    while (at < to && !body.done && body.refused === undefined) {
      const room = this.#room(exchange);
      if (room === 0) return at;
      at = body.consume(bytes, at, Math.min(to, at + room));
      if (body.to > body.from) this.#forward(exchange, bytes, body.from, body.to);
    }
    if (body.done) this.#finish(exchange);
    return at;
  }

  /** More of the body is the client's to send: it was not told to wait, and is read from. */
  isAwaited(exchange: Exchange): boolean {
    const { requestDone, expectsContinue } = exchange;
    return !requestDone && !expectsContinue && this.#room(exchange) > 0;
  }

  /** How many bytes may be taken now. */
  #room(exchange: Exchange): number {
    switch (exchange.phase) {
      case "asked":
      case "answering":
        return exchange.isServerBlocked ? 0 : CHUNK_BYTES;
      default:
        return exchange.outbound.room;
    }
  }

  #forward(exchange: Exchange, bytes: Uint8Array, from: number, to: number): void {
    const { outbound, server, requestChunked } = exchange;
    const isConnected = exchange.phase === "asked" || exchange.phase === "answering";
    if (outbound.whole && to - from <= outbound.room) {
      if (requestChunked) outbound.addChunk(bytes, from, to);
      else outbound.add(bytes, from, to);
      if (!isConnected) return;
      this.#sent(exchange, outbound.flush(server!));
    } else {
      outbound.release();
      if (requestChunked) {
        const { scratch } = this.#parts;
        const end = this.#chunk(bytes, from, to);
        this.#sent(exchange, server!.send(scratch, 0, end));
      } else {
        this.#sent(exchange, server!.send(bytes, from, to));
      }
    }
  }

  #sent(exchange: Exchange, more: boolean): void {
    if (!more) exchange.isServerBlocked = true;
    exchange.dispatcher!.progressed(exchange);
  }

  #chunk(bytes: Uint8Array, from: number, to: number): number {
    const { scratch } = this.#parts;
    const at = writeChunkHead(scratch, 0, to - from);
    scratch.set(bytes.subarray(from, to), at);
    const end = at + to - from;
    scratch[end] = 13;
    scratch[end + 1] = 10;
    return end + 2;
  }

  #finish(exchange: Exchange): void {
    exchange.requestDone = true;
    exchange.record.requestMs = this.#parts.now - exchange.startedAt;
    if (exchange.requestChunked) {
      const { scratch } = this.#parts;
      const writer = this.#writer;
      const { trailers } = exchange.requestBody;
      writer.begin(scratch, 0);
      writer.text("0\r\n");
      if (trailers !== undefined) writer.fields(trailers);
      writer.end();
      const { outbound } = exchange;
      outbound.add(scratch, 0, writer.at);
      const isConnected = exchange.phase === "asked" || exchange.phase === "answering";
      if (isConnected) outbound.flush(exchange.server!);
    }
    exchange.dispatcher!.progressed(exchange);
  }
}
