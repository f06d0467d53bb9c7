/**
 * Connections to servers on which a client has signed in (NTLM, Negotiate: RFC 4559 section 6): the server takes all
 * that comes over one for that user. So each is its client's alone, carries whatever else that one asks of the
 * pool, and ends with it.
 */

import type { ClientConnection } from "./client-connection.ts";
import type { Exchange } from "./exchange.ts";
import type { ServerConnection } from "./server-connection.ts";

export class SignedIn {
  /** A client has at most one for each pool: where it signed in last. */
  readonly #of = new Map<ClientConnection, ServerConnection[]>();

  /** False: its client asks no more. A stream of HTTP/2 is one request. */
  keep({ client, closesClient, keepAlive }: Exchange, connection: ServerConnection): boolean {
    if (client === undefined || closesClient || !keepAlive || client.origin.http2) return false;
    const { pool } = connection.group;
    this.take(client, pool)?.destroy();
    const kept = this.#of.get(client) ?? [];
    kept.push(connection);
    this.#of.set(client, kept);
    return true;
  }

  /** That can carry a request now. */
  find(client: ClientConnection, pool: string): ServerConnection | undefined {
    if (this.#of.size === 0) return undefined;
    return this.#of.get(client)?.find((one) => one.group.pool === pool && one.isWaiting);
  }

  take(client: ClientConnection, pool: string): ServerConnection | undefined {
    const found = this.find(client, pool);
    const rest = this.#of.get(client)?.filter((one) => one !== found && one.isWaiting) ?? [];
    if (rest.length > 0) this.#of.set(client, rest);
    else this.#of.delete(client);
    return found;
  }

  left(client: ClientConnection): void {
    if (this.#of.size === 0) return;
    for (const connection of this.#of.get(client) ?? []) connection.destroy();
    this.#of.delete(client);
  }
}
