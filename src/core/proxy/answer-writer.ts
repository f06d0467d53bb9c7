/** Writes what goes to the client: heads of answers, chunks. Everything goes to the scratch buffer. */

import { latin1Bytes, writeAscii } from "../../lib/text-bytes.ts";
import type { Trailers } from "../http/body-reader.ts";
import { fieldNumber } from "../http/field-names.ts";
import { HeadWriter } from "../http/head-writer.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { bindAnswer } from "./binding.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import type { ConnectionWord } from "./own-answer.ts";
import { writeChunkHead } from "./outbound-request.ts";

const CHUNKED = latin1Bytes("transfer-encoding: chunked\r\n");
const LENGTH = fieldNumber("content-length");
const UPGRADE = fieldNumber("upgrade");

export class AnswerWriter {
  readonly #parts: EngineParts;
  readonly #writer = new HeadWriter();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** 1xx but 101. Gives the position after it, as all calls. */
  interim(head: ResponseHead): number {
    const writer = this.#begin(head);
    writer.fields(head);
    return this.#end();
  }

  /** 101: the only answer whose Upgrade is passed on. */
  switching(head: ResponseHead): number {
    const writer = this.#begin(head);
    writer.fields(head);
    writer.field("connection", "upgrade");
    writer.field("upgrade", head.valueText(head.indexOf(UPGRADE)));
    return this.#end();
  }

  /** Decides how the client is told the length, and whether its connection goes on. -1 = no room. */
  final(exchange: Exchange, head: ResponseHead): number {
    const writer = this.#begin(head);
    this.#decide(exchange, head);
    bindAnswer(writer, exchange, head, this.#parts);
    exchange.route?.responseEdits.strike(head);
    exchange.route?.responseEdits.writeReplaced(writer, head);
    writer.fields(head);
    writer.octets(exchange.answerFields);
    if (exchange.answerChunked) writer.octets(CHUNKED);
    // Not with a 204, whatever the server says (RFC 9110 8.6).
    else if (head.has(LENGTH) && head.status !== 204) writer.contentLength(head.length);
    const word = connectionWord(exchange);
    if (word !== "") writer.field("connection", word);
    return this.#end();
  }

  chunk(bytes: Uint8Array, from: number, to: number): number {
    const { scratch } = this.#parts;
    let at = writeChunkHead(scratch, 0, to - from);
    scratch.set(bytes.subarray(from, to), at);
    at += to - from;
    scratch[at] = 13;
    scratch[at + 1] = 10;
    return at + 2;
  }

  lastChunk(trailers: Trailers | undefined): number {
    const { scratch } = this.#parts;
    const writer = this.#writer;
    writer.begin(scratch, writeAscii(scratch, 0, "0\r\n"));
    if (trailers !== undefined) writer.fields(trailers);
    writer.end();
    return writer.at;
  }

  #decide(exchange: Exchange, head: ResponseHead): void {
    const isOpenEnded = head.framing === "chunked" || head.framing === "close";
    exchange.answerChunked = isOpenEnded && !exchange.isVersion10;
    // HTTP/1.0 knows only the end of the connection.
    if (isOpenEnded && exchange.isVersion10) exchange.closesClient = true;
    if (!exchange.keepAlive || this.#parts.isDraining) exchange.closesClient = true;
  }

  #begin(head: ResponseHead): HeadWriter {
    const writer = this.#writer;
    writer.begin(this.#parts.scratch, 0);
    writer.statusLine(head);
    return writer;
  }

  #end(): number {
    this.#writer.end();
    return this.#writer.overflow ? -1 : this.#writer.at;
  }
}

/** HTTP/1.1 goes on unless told otherwise, HTTP/1.0 ends. */
export function connectionWord(exchange: Exchange): ConnectionWord {
  if (exchange.closesClient) return "close";
  return exchange.isVersion10 ? "keep-alive" : "";
}
