/**
 * One request and its answer. Exchanges are used again: nothing of a request may survive `clear`.
 *
 *   intake -> [delayed] -> [queued] -> connecting -> asked -> answering -> free
 *                              ^           |           |  \-> tunnel -----^
 *                              \-----------+-----------/ another attempt
 */

import type { PickRequest } from "../balance/pool-ports.ts";
import type { Server } from "../balance/server.ts";
import type { QueueClass, Ticket } from "../balance/wait-queue.ts";
import { BodyReader } from "../http/body-reader.ts";
import { AccessRecord, type EndCause, type EndPhase } from "./access-record.ts";
import type { ByteBuffers } from "./byte-buffers.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Failure } from "./failures.ts";
import type { CompiledRoute } from "./frontend.ts";
import { OutboundRequest } from "./outbound-request.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerGroup } from "./server-group.ts";
import { Timed } from "./timer-wheel.ts";

export type ExchangePhase =
  | "free"
  /** Its head is being looked at, or the proxy answers it itself. */
  | "intake"
  /** An injected delay. */
  | "delayed"
  /** In the pool's line. */
  | "queued"
  | "connecting"
  /** On its way to a server or there; no byte of the final answer yet. */
  | "asked"
  | "answering"
  | "tunnel";

const NO_LINES: Uint8Array = new Uint8Array(0);

/** Mutable: the exchange's own `PickRequest`. */
interface OwnPickRequest extends PickRequest {
  readonly tried: Server[];
}

export class Exchange extends Timed {
  phase: ExchangePhase = "free";
  client: ClientConnection | undefined = undefined;
  server: ServerConnection | undefined = undefined;
  dispatcher: Dispatcher | undefined = undefined;
  /** Of the last attempt. */
  group: ServerGroup | undefined = undefined;
  route: CompiledRoute | undefined = undefined;
  ticket: Ticket<Exchange> | undefined = undefined;
  readonly pick: OwnPickRequest = { hash: 0, sticky: undefined, tried: [] };

  // The request, as far as it matters after its head is gone.
  isHead = false;
  /** RFC 9110 9.2.2, or it carries an Idempotency-Key: may be sent again. */
  isIdempotent = false;
  isVersion10 = false;
  /** Servers differ about it: its connection to the server is not used again. */
  isAmbiguous = false;
  /** Its connection to the server is its client's from then on. */
  signsIn = false;
  /** The client wants to go on with this connection. */
  keepAlive = false;
  /** No request is taken after this one. */
  isLast = false;
  /** The client has said that nothing follows, not even a body. */
  isFinalWord = false;
  /** The client sends no body before it got a 100, or has waited long enough. */
  expectsContinue = false;
  wantsUpgrade = false;
  queueClass: QueueClass = 2;
  requestDone = false;
  /** Of the request, from the client. */
  readonly requestBody: BodyReader = new BodyReader();
  /** It goes on chunked. */
  requestChunked = false;
  /** The server does not take more at the moment. */
  isServerBlocked = false;
  readonly outbound: OutboundRequest;

  // The answer.
  readonly answerBody: BodyReader = new BodyReader();
  answerChunked = false;
  /** Something of an answer, if only a 100, went to the client: it cannot be taken back. */
  answerShown = false;
  hints = 0;
  /** The client's connection ends with this answer. */
  closesClient = false;
  /** The client's binding is to be issued with the answer. */
  bindsCookie = false;
  /** Wall clock; 0 = the binding begins now. */
  boundSinceMs = 0;
  stickKey = "";
  /** What the route adds to the answer's head: whole lines with their ends. */
  answerFields: Uint8Array = NO_LINES;
  /** An injected fault; 0 = none. */
  abortStatus = 0;

  /** Of a tunnel: the server has ended its half; the client's end was passed on to it. */
  serverEnded = false;
  clientEnded = false;

  // Attempts.
  retries = 0;
  /** Of the attempt before. */
  failure: Failure | undefined = undefined;
  /** A kept connection turned out to be closed: that happens once. */
  staleRetried = false;
  // Moments; -1 = not reached.
  startedAt = 0;
  /** Its head is complete and decided upon. */
  placedAt = -1;
  firstAttemptAt = -1;
  /** The last attempt began. */
  attemptAt = -1;
  connectedAt = -1;
  sentAt = -1;
  /** First byte of the final answer. */
  answeredAt = -1;

  readonly record: AccessRecord = new AccessRecord();

  constructor(buffers: ByteBuffers) {
    super();
    this.outbound = new OutboundRequest(buffers);
  }

  /** A sentence and HAProxy's two letters; the first word counts. */
  blame(cause: EndCause, phase: EndPhase, reason: string): void {
    if (this.record.cause !== "-") return;
    this.record.cause = cause;
    this.record.phase = phase;
    this.record.reason = reason;
  }

  due(): void {
    this.dispatcher?.timeUp(this);
  }

  clear(): void {
    this.phase = "free";
    this.client = undefined;
    this.server = undefined;
    this.dispatcher = undefined;
    this.group = undefined;
    this.route = undefined;
    this.ticket = undefined;
    this.pick.hash = 0;
    this.pick.sticky = undefined;
    // Setting a length, even to what it is, goes through the runtime.
    if (this.pick.tried.length > 0) this.pick.tried.length = 0;
    this.isHead = this.isIdempotent = this.isVersion10 = this.isAmbiguous = false;
    this.signsIn = false;
    this.keepAlive = this.isLast = this.isFinalWord = false;
    this.expectsContinue = this.wantsUpgrade = false;
    this.queueClass = 2;
    this.requestDone = this.requestChunked = false;
    this.isServerBlocked = false;
    this.outbound.clear();
    this.answerChunked = false;
    this.answerShown = false;
    this.hints = 0;
    this.closesClient = false;
    this.bindsCookie = false;
    this.boundSinceMs = 0;
    this.stickKey = "";
    this.answerFields = NO_LINES;
    this.abortStatus = 0;
    this.serverEnded = this.clientEnded = false;
    this.retries = 0;
    this.failure = undefined;
    this.staleRetried = false;
    this.placedAt =
      this.firstAttemptAt =
      this.attemptAt =
      this.connectedAt =
      this.sentAt =
      this.answeredAt =
        -1;
    this.record.clear();
  }
}

/** In which phase it ends if it ends now: HAProxy's second letter. */
export function phaseOf(exchange: Exchange): EndPhase {
  switch (exchange.phase) {
    case "queued":
      return "Q";
    case "delayed":
      return "T";
    case "connecting":
      return "C";
    case "asked":
      return exchange.requestDone ? "H" : "D";
    case "answering":
    case "tunnel":
      return "D";
    default:
      return "R";
  }
}
