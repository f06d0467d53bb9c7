/**
 * Carries probes over plain TCP and unix sockets on one epoll descriptor: about half of what
 * `node:net` costs a check, most of which lives for one connection attempt only.
 */

import type { CheckTarget } from "../core/check/check-settings.ts";
import { failure, type Probe, type ProbeResult, type ProbeStep } from "../core/check/probe.ts";
import { ownHeader } from "../core/proxy/proxy-header.ts";
import type { ConnectTarget, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { setSocketOption } from "./ffi.ts";
import { IPPROTO_TCP, TCP_QUICKACK } from "./stream-calls.ts";
import { StreamConnector } from "./stream-connector.ts";
import { StreamLoop } from "./stream-loop.ts";
import { StreamWire } from "./stream-wire.ts";

/** A server that does not take our last word gets that long, ms. */
export const FAREWELL_MS = 1000;

type Told = (result: ProbeResult) => void;

export class CheckWires {
  readonly #loop: StreamLoop;
  readonly #connector: StreamConnector;
  /** By the target, which lives as long as the configuration that it stands in. */
  readonly #asked = new WeakMap<CheckTarget, ConnectTarget>();

  constructor() {
    this.#loop = new StreamLoop({ afterTurn() {} });
    this.#connector = new StreamConnector(this.#loop);
  }

  run(target: CheckTarget, probe: Probe, onEnd: Told): () => void {
    let asked = this.#asked.get(target);
    if (asked === undefined) {
      const { subject, endpoint, sendProxy } = target;
      const head = sendProxy === undefined ? {} : { head: ownHeader(sendProxy) };
      asked = { pool: "", server: subject, endpoint, ...head };
      this.#asked.set(target, asked);
    }
    const peer = new ProbePeer(probe, onEnd);
    const isGlance = target.check.protocol.kind === "tcp" && target.sendProxy === undefined;
    peer.wire = this.#connector.connectAs(asked, (fd) => {
      // The reset then comes before the third packet of the handshake: nobody is accepted, and no
      // database logs, or counts towards a limit of errors, that a client broke off. As HAProxy.
      if (isGlance && fd >= 0) setSocketOption(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
      return new StreamWire(this.#loop, fd, peer);
    });
    return () => peer.abandon();
  }

  /** The caller has abandoned all probes. */
  close(): void {
    this.#loop.close();
  }
}

class ProbePeer implements ServerPeer {
  wire: Wire | undefined;
  readonly #probe: Probe;
  readonly #onEnd: Told;
  #isOver = false;
  #farewell: NodeJS.Timeout | undefined;

  constructor(probe: Probe, onEnd: Told) {
    this.#probe = probe;
    this.#onEnd = onEnd;
  }

  connected(): void {
    this.#take(this.#probe.connected());
  }

  received(_now: number, bytes: Uint8Array, from: number, to: number): void {
    if (!this.#isOver) this.#take(this.#probe.received(bytes.subarray(from, to)));
  }

  drained(): void {}

  ended(): void {
    if (this.#isOver) this.#hangUp(false);
    else this.#take(this.#probe.ended());
  }

  closed(_now: number, reason: string): void {
    clearTimeout(this.#farewell);
    this.wire = undefined;
    this.#end(failure(reason === "" ? "the connection was closed" : reason));
  }

  abandon(): void {
    this.#isOver = true;
    this.#hangUp(false);
  }

  #take({ send, result }: ProbeStep): void {
    if (send !== undefined) this.wire?.send(send, 0, send.length);
    if (result === undefined) return;
    if (send === undefined) {
      // A reset leaves no TIME_WAIT behind: thousands of checks a second would use up the ports.
      this.#hangUp(result.ok);
    } else {
      // Said in full, so that the server does not count a connection that was broken off.
      this.wire?.end();
      this.#farewell = setTimeout(() => this.#hangUp(false), FAREWELL_MS);
    }
    this.#end(result);
  }

  #hangUp(reset: boolean): void {
    clearTimeout(this.#farewell);
    this.wire?.destroy(reset);
    this.wire = undefined;
  }

  #end(result: ProbeResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(result);
  }
}
