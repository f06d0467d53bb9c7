/** The groups of one pool: made when a server is asked first, gone with the server. */

import type { Server } from "../balance/server.ts";
import { ServerGroup } from "./server-group.ts";

export class ServerGroups {
  readonly #pool: string;
  readonly #groups = new Map<Server, ServerGroup>();

  constructor(pool: string) {
    this.#pool = pool;
  }

  of(server: Server): ServerGroup {
    let group = this.#groups.get(server);
    if (group === undefined) {
      group = new ServerGroup(this.#pool, server);
      this.#groups.set(server, group);
    }
    return group;
  }

  /** Of all servers that were ever asked and are still there. */
  get all(): Iterable<ServerGroup> {
    return this.#groups.values();
  }

  /** Undefined: it was never asked. */
  find(server: Server): ServerGroup | undefined {
    return this.#groups.get(server);
  }

  /** Kept connections lead to where it was before. */
  moved(server: Server): void {
    this.#groups.get(server)?.keepNone();
  }

  /** All that is open was opened in another way than now: what runs is finished, nothing is kept. */
  outdated(): void {
    for (const group of this.#groups.values()) group.keepNone();
  }

  removed(server: Server): void {
    this.#groups.get(server)?.retire();
    this.#groups.delete(server);
  }

  /** The pool is no longer configured: what runs is finished, nothing is kept. */
  retire(): void {
    for (const group of this.#groups.values()) group.retire();
  }
}
