/** Writes the head of a request as the server gets it, and what names the request in logs. */

import { latin1Bytes } from "../../lib/text-bytes.ts";
import { fieldNumber } from "../http/field-names.ts";
import { HeadWriter } from "../http/head-writer.ts";
import { isDegraded } from "../route/load-shedding.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { RequestFacts } from "../route/request-facts.ts";
import { ACCESS_TEXTS } from "./access-record.ts";
import { writeRequestCookies } from "./binding.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Exchange } from "./exchange.ts";
import type { CompiledRoute, Frontend } from "./frontend.ts";

const HOST = latin1Bytes("host: ");
const CHUNKED = latin1Bytes("transfer-encoding: chunked\r\n");
const UPGRADE = fieldNumber("upgrade");
const TRACEPARENT = fieldNumber("traceparent");
const LENGTH = fieldNumber("content-length");
/** For what is added to a head: forwarding fields, ids, cookies; edits beyond that double it. */
const ADDED_BYTES = 2048;
const MAX_BYTES = 1024 * 1024;

export class RequestWriter {
  readonly #parts: EngineParts;
  readonly #writer = new HeadWriter();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** The client's own id of the request, or a drawn one: for the log, answers of ours and the server. */
  identify({ client, record }: Exchange, head: RequestHead): void {
    const { requestIdHeader, requestIdHash } = client!.frontend;
    if (requestIdHeader === "") return;
    const index = head.next(requestIdHash, requestIdHeader, 0);
    if (index >= 0) {
      const from = head.valueFrom(index);
      return record.keep(ACCESS_TEXTS.requestId, head.bytes, from, head.valueTo(index));
    }
    const writer = this.#writer;
    writer.begin(this.#parts.scratch, 0);
    this.#drawHex(4);
    record.keep(ACCESS_TEXTS.requestId, writer.bytes, 0, writer.at);
    record.drewId = true;
  }

  /** Into `exchange.outbound`. False: too large with what is added to it. */
  write(exchange: Exchange, facts: RequestFacts, headBytes: number): boolean {
    const { outbound } = exchange;
    const { bufferBytes } = exchange.dispatcher!.settings.retry;
    for (let room = headBytes + ADDED_BYTES; room <= MAX_BYTES; room *= 2) {
      const at = outbound.begin(room, bufferBytes);
      this.#writer.begin(outbound.bytes, at);
      this.#writeHead(exchange, facts);
      if (this.#writer.overflow) continue;
      outbound.headWritten(this.#writer.at);
      return true;
    }
    return false;
  }

  #writeHead(exchange: Exchange, facts: RequestFacts): void {
    const writer = this.#writer;
    const { head } = facts;
    const { frontend, route, origin } = contextOf(exchange);
    frontend.ownWords.strike(head);
    route?.requestEdits.strike(head);
    const target = route?.rewrite(facts);
    writer.requestLine(head, target);
    // Two of them would be read differently by different servers.
    if (route?.requestEdits.setsHost !== true) this.#writeHost(facts, origin.localAddress);
    writeRequestCookies(writer, facts, exchange.dispatcher!.pool);
    route?.requestEdits.writeReplaced(writer, head);
    writer.fields(head, frontend.forwarding.without);
    if (exchange.requestChunked) writer.octets(CHUNKED);
    else if (head.has(LENGTH)) writer.contentLength(head.length);
    if (exchange.expectsContinue) writer.text("expect: 100-continue\r\n");
    this.#writeIds(exchange, facts);
    frontend.forwarding.write(writer, facts, route?.requestEdits);
    const { shedding } = frontend.settings;
    if (shedding.degradedHeader !== "" && isDegraded(shedding, this.#parts.load.sum())) {
      writer.field(shedding.degradedHeader, "1");
    }
    route?.requestEdits.write(writer, facts);
    if (exchange.wantsUpgrade) {
      writer.text("connection: upgrade\r\nupgrade: ");
      const index = head.indexOf(UPGRADE);
      writer.span(head.bytes, head.valueFrom(index), head.valueTo(index));
      writer.text("\r\n");
    } else if (exchange.dispatcher!.settings.sendProxy !== "off") {
      // Its connection belongs to one client and is not kept.
      writer.text("connection: close\r\n");
    }
    writer.end();
  }

  #writeHost(facts: RequestFacts, localAddress: string): void {
    const writer = this.#writer;
    const { head } = facts;
    writer.octets(HOST);
    // HTTP/1.0 may leave it out, HTTP/1.1 may not.
    if (head.hostFrom === head.hostTo)
      writer.text(localAddress === "" ? "localhost" : localAddress);
    else writer.span(head.bytes, head.hostFrom, head.hostTo);
    writer.lineEnd();
  }

  /** What a route sets itself is left to it. */
  #writeIds(exchange: Exchange, { head }: RequestFacts): void {
    const writer = this.#writer;
    const { record } = exchange;
    const { frontend, route } = contextOf(exchange);
    const { requestIdHeader, requestIdLine } = frontend;
    if (record.drewId && route?.requestEdits.drops(requestIdHeader) !== true) {
      const from = 2 * ACCESS_TEXTS.requestId;
      writer.octets(requestIdLine);
      writer.span(record.bytes, record.spans[from]!, record.spans[from + 1]!);
      writer.lineEnd();
    }
    const { traceparent } = frontend.settings;
    const isSet = head.has(TRACEPARENT) || route?.requestEdits.drops("traceparent") === true;
    // W3C Trace Context 3.2: version, trace id, parent id, sampled by whoever comes next.
    if (traceparent && !isSet) {
      writer.text("traceparent: 00-");
      this.#drawHex(4);
      writer.text("-");
      this.#drawHex(2);
      writer.text("-00\r\n");
    }
  }

  /** So many random words of 32 bits. */
  #drawHex(words: number): void {
    for (let i = 0; i < words; i++) this.#writer.hex32(this.#parts.prng.uint32());
  }
}

interface Context {
  readonly frontend: Frontend;
  readonly route: CompiledRoute | undefined;
  readonly origin: ClientConnection["origin"];
}

function contextOf(exchange: Exchange): Context {
  const { frontend, origin } = exchange.client!;
  return { frontend, route: exchange.route, origin };
}
