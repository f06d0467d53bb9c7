/** The connections of this process to one server of one pool: those at work and those kept idle. */

import type { Server } from "../balance/server.ts";
import { Crowd } from "./crowd.ts";
import type { ServerConnection } from "./server-connection.ts";
import { Traffic } from "./traffic.ts";

/**
 * A request that must not be sent twice goes over a kept connection only if that was used this
 * recently: the chance that the server is just closing it is then small.
 */
const FRESH_MS = 1000;

export class ServerGroup {
  readonly pool: string;
  readonly server: Server;
  readonly traffic: Traffic = new Traffic();
  /** Every connection that is not closed. */
  readonly open: Crowd<ServerConnection> = new Crowd();
  /** The one used last is at the end, and is taken first: the others can grow old. */
  readonly #idle: ServerConnection[] = [];
  #isRetired = false;

  constructor(pool: string, server: Server) {
    this.pool = pool;
    this.server = server;
  }

  /** Nothing is kept any more. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  takeIdle(now: number, mayRepeat: boolean): ServerConnection | undefined {
    const last = this.#idle.at(-1);
    if (last === undefined || (!mayRepeat && now - last.idleSince > FRESH_MS)) return undefined;
    return this.#idle.pop();
  }

  /** False: enough are kept. */
  keep(connection: ServerConnection, limit: number): boolean {
    if (this.#isRetired || this.#idle.length >= limit) return false;
    this.#idle.push(connection);
    return true;
  }

  /** It was closed while idle. */
  forgetIdle(connection: ServerConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Its server is gone from the configuration: nothing is kept any more. */
  retire(): void {
    this.#isRetired = true;
    this.closeIdle();
  }

  /** Of those that are open now. */
  keepNone(): void {
    this.closeIdle();
    for (const connection of this.open) connection.spoil();
  }

  closeIdle(): void {
    while (this.#idle.length > 0) this.#idle.pop()!.destroy();
    // Those that one client alone has.
    for (const one of Array.from(this.open)) if (one.phase === "idle") one.destroy();
  }
}
