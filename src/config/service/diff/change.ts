/** One change of the running system, and how the parts of a configuration are compared. */

import { changedFields, type FieldChange } from "./fields.ts";

/**
 * `in place`: at once, and nothing that runs notices. `new connections only`: what is open goes on
 * as it is. `interrupts`: somebody's connection is cut, an address moves, a client loses its server.
 */
export type Effect = "in place" | "new connections only" | "interrupts";

export interface Change {
  /** `pool web`. */
  readonly subject: string;
  /** `server web3 added`, one clause. */
  readonly text: string;
  readonly effect: Effect;
}

/** A change of a thing whose name the caller adds. */
export type Part = Pick<Change, "text" | "effect">;

/** What only new connections to servers can follow. */
const OF_NEW_CONNECTIONS: ReadonlySet<string> = new Set([
  "mode",
  "tls",
  "sendProxy",
  "acceptProxyFrom",
  "timeouts.connect",
  "timeouts.handshake",
]);

export function effectOf(field: FieldChange): Effect {
  return OF_NEW_CONNECTIONS.has(field.root) || OF_NEW_CONNECTIONS.has(field.path)
    ? "new connections only"
    : "in place";
}

export function fields(effect: Effect, before: object, after: object, skip: string[] = []): Part[] {
  return changedFields(before, after, ["name", ...skip]).map(({ text }) => ({ text, effect }));
}
