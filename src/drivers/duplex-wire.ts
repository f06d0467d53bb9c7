/** A TLS connection (any socket of Node) as a `Wire`. Sends of one turn become one write. */

import type { Socket } from "node:net";
import type { Peer, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { Sender, type StreamLoop } from "./stream-loop.ts";

/** More than that is queued: the engine is asked to stop until it is out. */
const MARK_BYTES = 128 * 1024;
const NO_DESCRIPTOR = -1;

const nobody: Peer = { received() {}, drained() {}, ended() {}, closed() {} };

export class DuplexWire extends Sender implements Wire {
  readonly #loop: StreamLoop;
  readonly #socket: Socket;
  #peer: Peer = nobody;
  #isBlocked = false;
  #isEnding = false;
  #isGone = false;
  #reason = "";

  /** `peer` is set before the next turn of the event loop. */
  constructor(loop: StreamLoop, socket: Socket) {
    super(NO_DESCRIPTOR, false);
    this.#loop = loop;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#tell((peer, now) => peer.received(now, chunk, 0, chunk.length));
    });
    socket.on("end", () => this.#tell((peer, now) => peer.ended(now)));
    socket.on("drain", () => {
      if (!this.#isBlocked) return;
      this.#isBlocked = false;
      this.#tell((peer, now) => peer.drained(now));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#reason = error.code ?? error.message;
    });
    socket.on("close", () => {
      this.#tell((peer, now) => {
        this.#isGone = true;
        peer.closed(now, this.#reason);
      });
    });
  }

  set peer(peer: Peer) {
    this.#peer = peer;
  }

  get queued(): number {
    return this.stagedLength + this.#socket.writableLength;
  }

  send(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#isGone || this.#isEnding) return true;
    this.#loop.stage(this, bytes, from, to);
    this.#isBlocked = this.#socket.writableLength > MARK_BYTES;
    return !this.#isBlocked;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#loop.touchNode();
    this.#socket.resume();
  }

  end(): void {
    if (this.#isGone || this.#isEnding) return;
    this.#isEnding = true;
    this.#loop.touchNode();
    if (this.stagedLength === 0) this.#socket.end();
  }

  destroy(_reset: boolean): void {
    if (this.#isGone) return;
    if (this.stagedLength > 0) this.flush();
    this.#isGone = true;
    this.#loop.touchNode();
    this.#socket.destroy();
  }

  // ---- called by the loop ----

  /** The bytes in the arena are somebody else's in the next turn. */
  flush(): void {
    const from = this.stagedAt;
    const to = from + this.stagedLength;
    this.stagedLength = 0;
    if (this.#isGone) return;
    this.#loop.touchNode();
    this.#socket.write(Buffer.from(this.#loop.arena.bytes.subarray(from, to)));
    if (this.#isEnding) this.#socket.end();
  }

  tellFailure(): void {}

  /** Node reads. */
  fetch(): boolean {
    return false;
  }

  deliver(): void {}

  event(): void {}

  #tell(body: (peer: Peer, now: number) => void): void {
    if (!this.#isGone) this.#loop.run((now) => body(this.#peer, now));
  }
}

/** Told as a `ServerPeer` once `socket` emits `ready`. */
export function serverWire(
  loop: StreamLoop,
  socket: Socket,
  { peer, ready }: { readonly peer: ServerPeer; readonly ready: string },
): DuplexWire {
  const wire = new DuplexWire(loop, socket);
  wire.peer = peer;
  socket.once(ready, () => loop.run((now) => peer.connected(now)));
  return wire;
}
