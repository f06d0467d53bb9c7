/**
 * Clients as they are in the field: patient and impatient, pipelining, slow readers, some of them
 * gone in the middle of a word. Each checks every byte that it gets.
 */

import type { Peer } from "../../core/proxy/wire.ts";
import type { Prng } from "../../lib/prng.ts";
import type { EventQueue } from "../event-queue.ts";
import type { LinkEnd } from "./byte-link.ts";
import { checkPattern, type Entry, type Ledger } from "./ledger.ts";
import { framingOf, MessageReader, type BodyKind, type MessageHead } from "./message-reader.ts";
import { requestBytes } from "./message-writer.ts";
import {
  fillPattern,
  patternKey,
  type AnswerPlan,
  type ClientPlan,
  type RequestPlan,
} from "./scenario.ts";
import { Sending } from "./sending.ts";
import { ProxyViolation } from "./violation.ts";

export interface ClientWorld {
  readonly queue: EventQueue;
  readonly ledger: Ledger;
  readonly prng: Prng;
  /** Opens a connection to the proxy; gives the client's end. */
  readonly open: () => LinkEnd;
}

/** Our own, which the balancer adds. */
const STICKY_COOKIE = "srv";
/** A client that waits for 100 sends its body anyway after. */
const CONTINUE_PATIENCE_MS = 1000;
/** Bytes of the other protocol, sent and expected back after an upgrade. */
const TUNNEL_BYTES = 700;

/** Without a length nobody can tell a server that ended from one that broke off. */
function endsUnseen({ framing, fault }: AnswerPlan): boolean {
  return framing === "close" && fault.kind === "cut" && fault.how === "end";
}

export class SimClient implements Peer {
  readonly #plan: ClientPlan;
  readonly #world: ClientWorld;
  readonly #entries: Entry[];
  #wire: LinkEnd;
  #sending: Sending;
  #reader: MessageReader = this.#newReader();
  /** Index of the next request to send, and of the one whose answer comes next. */
  #next = 0;
  #answered = 0;
  #bodyRead = 0;
  #bytesRead = 0;
  #bodyWaits: Uint8Array | undefined;
  #closing = false;
  #closed = false;
  #left = false;

  constructor(plan: ClientPlan, world: ClientWorld) {
    this.#plan = plan;
    this.#world = world;
    this.#entries = plan.requests.map((request) => world.ledger.entry(request.id, "crash"));
    this.#wire = world.open();
    this.#sending = new Sending(this.#wire);
    this.#wire.attach(this);
    this.#sendSoon();
  }

  /** Nothing is waited for any more. */
  get settled(): boolean {
    return this.#closed;
  }

  received(now: number, bytes: Uint8Array, from: number, to: number): void {
    this.#bytesRead += to - from;
    this.#reader.feed(bytes, from, to);
    const { leavesAfterRead, readPauseMs } = this.#plan;
    if (leavesAfterRead >= 0 && this.#bytesRead >= leavesAfterRead) return this.#leave(now);
    if (readPauseMs === 0 || this.#closed) return;
    this.#wire.pause();
    this.#world.queue.after(readPauseMs, () => {
      if (!this.#closed) this.#wire.resume();
    });
  }

  drained(): void {
    this.#sending.drained();
  }

  ended(now: number): void {
    const entry = this.#current();
    const clean = this.#reader.finish();
    if (!clean && entry !== undefined) this.#settle(entry, "cut", now);
    this.#over(now);
    this.#sending.stop();
    if (!this.#wire.gone) this.#wire.end();
  }

  closed(now: number): void {
    this.#over(now);
  }

  #current(): Entry | undefined {
    return this.#answered < this.#next ? this.#entries[this.#answered] : undefined;
  }

  #sendSoon(): void {
    const plan = this.#plan.requests[this.#next];
    if (plan === undefined) return this.#finished();
    this.#world.queue.after(plan.pauseMs, () => this.#send(plan));
  }

  #finished(): void {
    if (this.#answered < this.#entries.length || this.#closing || this.#closed) return;
    this.#closing = true;
    this.#sending.stop();
    this.#wire.end();
  }

  #send(plan: RequestPlan): void {
    if (this.#closed || this.#closing || this.#plan.requests[this.#next] !== plan) return;
    const entry = this.#entries[this.#next++] as Entry;
    entry.outcome = "waiting";
    entry.sentAt = this.#world.queue.now;
    const { head, body } = requestBytes(plan, this.#world.prng);
    this.#push(head);
    if (this.#closed || this.#closing) return;
    if (plan.expectContinue && body.length > 0) this.#waitForContinue(body);
    else this.#push(body);
    if (this.#bodyWaits !== undefined) return;
    const following = this.#plan.requests[this.#next];
    if (following?.pipelined === true && !plan.close && !plan.upgrade) this.#sendSoon();
  }

  #waitForContinue(body: Uint8Array): void {
    this.#bodyWaits = body;
    this.#world.queue.after(CONTINUE_PATIENCE_MS, () => this.#sendWaitingBody(body));
  }

  #sendWaitingBody(body: Uint8Array | undefined): void {
    if (body === undefined || this.#bodyWaits !== body || this.#closed || this.#closing) return;
    this.#bodyWaits = undefined;
    this.#push(body);
  }

  #push(bytes: Uint8Array): void {
    const { leavesAfterSent } = this.#plan;
    const room = leavesAfterSent - this.#sending.sent;
    if (leavesAfterSent < 0 || bytes.length <= room) return this.#sending.push(bytes);
    this.#sending.push(bytes.subarray(0, Math.max(0, room)));
    this.#leave(this.#world.queue.now);
  }

  #leave(now: number): void {
    if (this.#closed) return;
    this.#left = true;
    if (this.#plan.leavesBy !== "end") {
      this.#wire.destroy(this.#plan.leavesBy === "reset");
      return this.#over(now);
    }
    this.#closing = true;
    this.#sending.stop();
    this.#wire.end();
  }

  #newReader(): MessageReader {
    return new MessageReader({
      head: (head) => this.#head(head),
      body: (bytes, from, to) => this.#body(bytes.subarray(from, to)),
      end: () => this.#messageEnd(),
    });
  }

  #head(head: MessageHead): BodyKind {
    const entry = this.#current();
    const match = /^HTTP\/1\.1 (\d{3}) /.exec(head.startLine);
    if (match === null) throw new ProxyViolation("malformed", `start line '${head.startLine}'`);
    if (entry === undefined) {
      throw new ProxyViolation("answer-bytes", `an answer to nothing: '${head.startLine}'`);
    }
    const status = Number(match[1]);
    if (head.headers.has("x-secret")) {
      throw new ProxyViolation("hop-by-hop", `${entry.plan.id}: the server's own field passed`);
    }
    if (status === 101) return this.#switched(entry);
    if (status < 200) return this.#informational(entry, status);
    entry.status = status;
    this.#bodyRead = 0;
    const id = head.headers.get("x-id")?.join();
    entry.fromServer = id !== undefined;
    if (id !== undefined && id !== entry.plan.id) {
      throw new ProxyViolation("answer-bytes", `${entry.plan.id} got the answer of ${id}`);
    }
    if (id !== undefined) this.#checkServerHead(head, entry);
    // The final answer came before the body was asked for: it will not be sent.
    if (status >= 300 && this.#answered === this.#next - 1) this.#bodyWaits = undefined;
    if (head.headers.get("connection")?.join().toLowerCase().includes("close") === true) {
      this.#closing = true;
    }
    const bodiless = entry.plan.method === "HEAD" || status === 204 || status === 304;
    if (bodiless) return { kind: "none" };
    return framingOf(head) ?? { kind: "close" };
  }

  #checkServerHead(head: MessageHead, { plan }: Entry): void {
    const all = head.headers.get("set-cookie") ?? [];
    const cookies = all.filter((cookie) => !cookie.startsWith(`${STICKY_COOKIE}=`));
    if (cookies[0] !== "a=1" || cookies[1] !== "b=2") {
      throw new ProxyViolation("answer-bytes", `${plan.id}: Set-Cookie became ${cookies.join()}`);
    }
    if (plan.version === "1.0" && head.headers.has("transfer-encoding")) {
      throw new ProxyViolation("malformed", `${plan.id}: a 1.0 client got a transfer coding`);
    }
  }

  #informational(entry: Entry, status: number): BodyKind {
    if (entry.plan.version === "1.0") {
      throw new ProxyViolation("malformed", `${entry.plan.id}: a 1.0 client got ${status}`);
    }
    if (status === 100) this.#sendWaitingBody(this.#bodyWaits);
    return { kind: "none" };
  }

  #switched(entry: Entry): BodyKind {
    if (!entry.plan.upgrade) throw new ProxyViolation("malformed", "an upgrade nobody asked for");
    entry.status = 101;
    entry.fromServer = true;
    this.#bodyRead = 0;
    if (!this.#closing)
      this.#sending.push(fillPattern(patternKey(entry.plan.id, true), TUNNEL_BYTES));
    return { kind: "tunnel" };
  }

  #body(piece: Uint8Array): void {
    const entry = this.#current();
    if (entry === undefined || !entry.fromServer) return;
    const { id } = entry.plan;
    checkPattern(patternKey(id, true), this.#bodyRead, piece, (at) => {
      return new ProxyViolation("answer-bytes", `byte ${at} of the answer to ${id} is another's`);
    });
    this.#bodyRead += piece.length;
    if (!this.#reader.tunnel || this.#bodyRead < TUNNEL_BYTES) return;
    this.#settle(entry, "answered", this.#world.queue.now);
    this.#answered++;
    this.#closing = true;
    this.#sending.stop();
    this.#wire.end();
  }

  #messageEnd(): void {
    const entry = this.#current();
    if (entry === undefined || entry.status < 200) return;
    if (entry.fromServer) this.#checkEnd(entry);
    this.#settle(entry, "answered", this.#world.queue.now);
    this.#answered++;
    if (this.#closing || this.#answered < this.#next) return;
    if (this.#plan.requests[this.#next]?.pipelined !== true || entry.plan.close) this.#sendSoon();
    else this.#sendSoon();
  }

  /** An answer that ended as its framing says must be the whole answer of one delivery. */
  #checkEnd({ plan, deliveries, status }: Entry): void {
    const bodiless = plan.method === "HEAD" || status === 204 || status === 304;
    const length = this.#bodyRead;
    const sound = deliveries.some(
      ({ act }) =>
        act.status === status && (length === (bodiless ? 0 : act.bodyLength) || endsUnseen(act)),
    );
    if (sound) return;
    throw new ProxyViolation("false-end", `${plan.id}: ${status} ended after ${length} bytes`);
  }

  #settle(entry: Entry, outcome: "answered" | "cut" | "left", now: number): void {
    entry.outcome = this.#left && outcome !== "answered" ? "left" : outcome;
    entry.settledAt = now;
  }

  /** The connection is over: whatever waits will wait no more. */
  #over(now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sending.stop();
    for (let i = this.#answered; i < this.#next; i++) {
      const entry = this.#entries[i] as Entry;
      if (entry.outcome === "waiting") this.#settle(entry, "cut", now);
    }
  }
}
