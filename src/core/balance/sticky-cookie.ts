/**
 * Cookies that bind a client to a server. The value names the server by a keyed digest, so that it
 * tells nothing, and is signed, so that nobody can bind himself to a server of his choice.
 */

import type { Stickiness } from "./pool-settings.ts";

export type CookieSettings = Extract<Stickiness, { kind: "cookie" }>;

export interface CookieRead {
  /** Name of the server; undefined when there is no usable binding. */
  readonly server: string | undefined;
  readonly why: "bound" | "absent" | "malformed" | "forged" | "expired" | "idle" | "server-gone";
  /** Issue again with this answer: the idle time is to start anew, or there was no binding. */
  readonly refresh: boolean;
  /** Give to `issue` for the same binding, so that `maxAgeMs` counts from its beginning. */
  readonly issuedAtMs: number | undefined;
}
