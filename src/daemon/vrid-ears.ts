/**
 * The one socket that each VRID of an interface is heard on. A multicast reaches those of all virtual MACs
 * on the interface besides, and what is heard twice would look like a replay.
 */
export class VridEars<Socket> {
  /** Undefined: several instances of that number have a socket each, so all of them hear. */
  readonly #of = new Map<number, Socket | undefined>();

  set(vrid: number, socket: Socket): void {
    const isShared = this.#of.has(vrid) && this.#of.get(vrid) !== socket;
    this.#of.set(vrid, isShared ? undefined : socket);
  }

  /** Where its successor cannot be opened, all others hear for it. */
  forget(socket: Socket): void {
    for (const [vrid, ear] of this.#of) if (ear === socket) this.#of.delete(vrid);
  }

  clear(): void {
    this.#of.clear();
  }

  /** Undefined: of a datagram that ends before its number. */
  hears(vrid: number | undefined, socket: Socket | undefined): boolean {
    const ear = vrid === undefined ? undefined : this.#of.get(vrid);
    return ear === undefined || ear === socket;
  }
}
