/** Bytes on their way into a wire: stops when the wire is full, goes on when it has drained. */

import type { Wire } from "../../core/proxy/wire.ts";

export class Sending {
  readonly #wire: Wire;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #full = false;
  #whenSent: (() => void) | undefined;
  /** Bytes handed over since the beginning. */
  sent = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get busy(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** Behind whatever is still to be sent. `whenSent` replaces the one before. */
  push(bytes: Uint8Array, whenSent?: () => void): void {
    const rest = this.#bytes.subarray(this.#at);
    const all = new Uint8Array(rest.length + bytes.length);
    all.set(rest);
    all.set(bytes, rest.length);
    this.#bytes = all;
    this.#at = 0;
    if (whenSent !== undefined) this.#whenSent = whenSent;
    this.#flush();
  }

  drained(): void {
    this.#full = false;
    this.#flush();
  }

  /** Forgets what is not sent. */
  stop(): void {
    this.#bytes = new Uint8Array(0);
    this.#at = 0;
    this.#whenSent = undefined;
  }

  #flush(): void {
    while (!this.#full && this.busy) {
      const to = Math.min(this.#bytes.length, this.#at + 16 * 1024);
      this.#full = !this.#wire.send(this.#bytes, this.#at, to);
      this.sent += to - this.#at;
      this.#at = to;
    }
    if (this.busy || this.#whenSent === undefined) return;
    const whenSent = this.#whenSent;
    this.#whenSent = undefined;
    whenSent();
  }
}
