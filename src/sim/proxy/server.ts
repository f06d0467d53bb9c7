/**
 * Servers as they are in the field: they answer, early or late, framed in every way, close without
 * a word, break off at any byte, fall silent, say too much.
 */

import type { Peer } from "../../core/proxy/wire.ts";
import type { Prng } from "../../lib/prng.ts";
import type { EventQueue } from "../event-queue.ts";
import type { LinkEnd, LinkNature } from "./byte-link.ts";
import { Door } from "./door.ts";
import { checkPattern, type Delivery, type Entry, type Ledger } from "./ledger.ts";
import { framingOf, MessageReader, type BodyKind, type MessageHead } from "./message-reader.ts";
import { answerBytes, CONTINUE, switchingBytes } from "./message-writer.ts";
import { patternKey, type ServerPlan } from "./scenario.ts";
import { Sending } from "./sending.ts";
import { ProxyViolation } from "./violation.ts";

export interface ServerWorld {
  readonly queue: EventQueue;
  readonly ledger: Ledger;
  readonly prng: Prng;
  readonly nature: LinkNature;
}

export class SimServer {
  readonly plan: ServerPlan;
  readonly world: ServerWorld;
  readonly connections: Set<SimServerConnection> = new Set();
  readonly door: Door;

  constructor(plan: ServerPlan, world: ServerWorld) {
    this.plan = plan;
    this.world = world;
    this.door = new Door(world, (wire, head) => {
      this.connections.add(new SimServerConnection(this, wire, head));
    });
  }

  /** Requests whose head was read and whose answer is not out, as far as the proxy still waits. */
  get busy(): number {
    let count = 0;
    for (const connection of this.connections) if (connection.isBusy) count++;
    return count;
  }

  /** The process is killed: every connection is reset, new ones are refused. */
  die(): void {
    this.door.manner = "refuse";
    for (const connection of this.connections) connection.destroy(true);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

class SimServerConnection implements Peer {
  readonly #server: SimServer;
  readonly #wire: LinkEnd;
  readonly #proxyHeader: Uint8Array;
  #headerRead = 0;
  readonly #sending: Sending;
  readonly #reader: MessageReader;
  #entry: Entry | undefined;
  #delivery: Delivery | undefined;
  #bodyRead = 0;
  #answering = false;
  /** Nothing more is said, and no end either. */
  #isCut = false;
  #tunnel = false;
  #closeWhenDone = false;
  #closed = false;
  /** Counts requests, so that an idle timer of long ago closes nothing. */
  #generation = 0;

  /** `proxyHeader`: must come first, byte by byte. */
  constructor(server: SimServer, wire: LinkEnd, proxyHeader: Uint8Array = NOTHING) {
    this.#proxyHeader = proxyHeader;
    this.#server = server;
    this.#wire = wire;
    this.#sending = new Sending(wire);
    this.#reader = new MessageReader({
      head: (head) => this.#head(head),
      body: (bytes, from, to) => this.#body(bytes.subarray(from, to)),
      end: () => this.#requestEnd(),
    });
    wire.attach(this);
    this.#armIdle();
  }

  get isBusy(): boolean {
    return this.#entry !== undefined && !this.#wire.isDeserted;
  }

  received(_now: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#delivery?.act.fault.kind === "reset-at-request") return this.destroy(true);
    if (this.#closeWhenDone && this.#entry === undefined) return;
    let at = from;
    for (; at < to && this.#headerRead < this.#proxyHeader.length; at++) {
      if (bytes[at] === this.#proxyHeader[this.#headerRead++]) continue;
      throw new ProxyViolation("malformed", "the PROXY header is not what it should be");
    }
    this.#reader.feed(bytes, at, to);
  }

  drained(): void {
    this.#sending.drained();
  }

  ended(): void {
    if (this.#tunnel || (this.#entry === undefined && !this.#sending.busy)) this.#finish();
    else this.#closeWhenDone = true;
  }

  closed(): void {
    this.#forget();
  }

  destroy(reset: boolean): void {
    if (!this.#closed) this.#wire.destroy(reset);
    this.#forget();
  }

  #head(head: MessageHead): BodyKind {
    const id = head.headers.get("x-id")?.join() ?? "";
    const entry = this.#server.world.ledger.entry(id, "request-bytes");
    this.#checkHead(head, entry);
    if (this.#entry !== undefined) {
      throw new ProxyViolation("malformed", `${id} was sent before the answer to the one before`);
    }
    const { plan } = entry;
    const delivery = this.#server.world.ledger.delivered(id, this.#server.plan.name);
    this.#entry = entry;
    this.#delivery = delivery;
    this.#bodyRead = 0;
    this.#answering = false;
    this.#generation++;
    const { maxConnections, name } = this.#server.plan;
    const { busy } = this.#server;
    if (maxConnections > 0 && busy > maxConnections) {
      throw new ProxyViolation("max-connections", `${name} has ${busy} requests`);
    }
    const { act } = delivery;
    if (act.fault.kind === "reset-at-request") {
      this.destroy(true);
      return { kind: "none" };
    }
    if (head.headers.get("expect")?.[0] === "100-continue" && act.when === "complete") {
      this.#sending.push(CONTINUE);
    }
    if (head.headers.has("upgrade")) return this.#upgrade(entry);
    if (act.when === "early") this.#answerSoon();
    const framing = framingOf(head);
    if (framing === undefined && plan.bodyLength > 0) {
      throw new ProxyViolation("request-bytes", `${id} came without the length of its body`);
    }
    return framing ?? { kind: "none" };
  }

  #checkHead(head: MessageHead, { plan }: Entry): void {
    const fail = (why: string): ProxyViolation =>
      new ProxyViolation("hop-by-hop", `${plan.id} at ${this.#server.plan.name}: ${why}`);
    const wanted = `${plan.method} /${plan.id}?size=${plan.bodyLength} HTTP/1.1`;
    if (head.startLine !== wanted) {
      throw new ProxyViolation("request-bytes", `'${head.startLine}' instead of '${wanted}'`);
    }
    if (head.headers.has("x-secret")) throw fail("a field named in Connection passed");
    if (head.headers.has("keep-alive")) throw fail("Keep-Alive passed");
    if (head.headers.get("host")?.join() !== "example.org") throw fail("Host changed");
    if (head.headers.get("accept")?.join() !== "*/*") throw fail("a field was lost");
    if ((head.headers.get("upgrade")?.join() === "echo") !== plan.upgrade) throw fail("upgrade");
  }

  #body(piece: Uint8Array): void {
    const entry = this.#entry;
    if (this.#tunnel) return this.#sending.push(piece.slice());
    if (entry === undefined) return;
    const { id } = entry.plan;
    checkPattern(patternKey(id, false), this.#bodyRead, piece, (at) => {
      return new ProxyViolation("request-bytes", `byte ${at} of ${id}'s body is another's`);
    });
    this.#bodyRead += piece.length;
  }

  #requestEnd(): void {
    const entry = this.#entry;
    const delivery = this.#delivery;
    if (entry === undefined || delivery === undefined || this.#closed) return;
    const { id, bodyLength } = entry.plan;
    if (this.#bodyRead !== bodyLength) {
      const what = `${id}'s body ended after ${this.#bodyRead} of ${bodyLength} bytes`;
      throw new ProxyViolation("request-bytes", what);
    }
    delivery.complete = true;
    if (delivery.act.when === "complete") this.#answerSoon();
    else if (!this.#sending.busy && this.#answering && !this.#isCut) this.#answerDone();
  }

  #answerSoon(): void {
    const generation = this.#generation;
    const act = this.#delivery!.act;
    this.#server.world.queue.after(act.delayMs, () => {
      if (!this.#closed && generation === this.#generation) this.#answer();
    });
  }

  #answer(): void {
    const { plan } = this.#entry!;
    const { act } = this.#delivery!;
    const bytes = answerBytes(act, {
      plan,
      server: this.#server.plan,
      prng: this.#server.world.prng,
    });
    this.#answering = true;
    if (act.fault.kind !== "cut" || act.fault.at >= bytes.length) {
      this.#sending.push(bytes, () => this.#answerOut());
      return;
    }
    const { at, how, afterMs = 0 } = act.fault;
    this.#isCut = true;
    const cut = (): void => {
      if (how !== "silence") this.destroy(how === "reset");
    };
    this.#sending.push(bytes.subarray(0, at), () => {
      if (afterMs === 0) cut();
      else this.#server.world.queue.after(afterMs, cut);
    });
    if (at === 0 && how !== "silence") this.destroy(how === "reset");
  }

  #answerOut(): void {
    const delivery = this.#delivery!;
    delivery.answered = delivery.act.fault.kind !== "garbage";
    if (delivery.complete) this.#answerDone();
    else if (delivery.act.closes !== "no" || delivery.act.framing === "close") this.#answerDone();
  }

  #answerDone(): void {
    const { act } = this.#delivery!;
    this.#entry = undefined;
    this.#delivery = undefined;
    this.#generation++;
    const ends = act.closes !== "no" || act.framing === "close" || act.version === "1.0";
    if (ends || act.fault.kind === "garbage" || this.#closeWhenDone) this.#finish();
    else this.#armIdle();
  }

  #upgrade({ plan }: Entry): BodyKind {
    this.#delivery!.complete = true;
    this.#delivery!.answered = true;
    this.#tunnel = true;
    this.#sending.push(switchingBytes(plan));
    return { kind: "tunnel" };
  }

  #armIdle(): void {
    const generation = this.#generation;
    this.#server.world.queue.after(this.#server.plan.keepAliveMs, () => {
      if (!this.#closed && generation === this.#generation) this.#finish();
    });
  }

  /** FIN after everything; whatever the proxy says after that is answered by the kernel. */
  #finish(): void {
    this.#closeWhenDone = true;
    if (!this.#closed) this.#wire.close();
    this.#forget();
  }

  #forget(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.stop();
    this.#sending.stop();
    this.#entry = undefined;
    this.#server.connections.delete(this);
  }
}
