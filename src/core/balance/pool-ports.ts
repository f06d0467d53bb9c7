/** What goes into a pool and what comes out of it, besides its settings. */

import type { CheckVerdict } from "../check/check-settings.ts";
import type { AdminState } from "./pool-settings.ts";
import type { Server } from "./server.ts";

/** One request looks for a server. Belongs to the caller, who may use it again. */
export interface PickRequest {
  /**
   * Of the bytes that the algorithm's key names, by `hashBytes`; other algorithms ignore it. A request
   * without that header or cookie: of the client's address, or all of them would meet at one server.
   */
  hash: number;
  /** Name of the server that this client is bound to by cookie or table. */
  sticky: string | undefined;
  /** Tried by earlier attempts of this request: not picked again. */
  tried: readonly Server[];
}

/**
 * Why this server: `algorithm` the usual case; `sticky` the client is bound to it; `redispatched`
 * the bound one cannot serve, so the binding must be issued again; `tier` backups serve; `panic` too
 * few are usable, so health is not asked.
 * Why none: `queue` all usable ones are full, wait in line; `all-tried` no other one is left;
 * `none-usable` nobody can serve.
 */
export type PickWhy =
  | "algorithm"
  | "sticky"
  | "redispatched"
  | "tier"
  | "panic"
  | "queue"
  | "all-tried"
  | "none-usable";

/** The pool's own object, valid until its next call. */
export interface Pick {
  readonly server: Server | undefined;
  readonly why: PickWhy;
  /** A sentence, made when asked for. */
  readonly reason: string;
}

/**
 * How one attempt ended. `ok`: an answer below 500; `error-status`: 5xx; `connect-failed`, `reset`,
 * `timeout`: no (whole) answer; `cancelled`: ended by the client or by us, says nothing of the server.
 */
export type Outcome = "ok" | "error-status" | "connect-failed" | "reset" | "timeout" | "cancelled";

/** What an active check says of a server; a `CheckVerdict` fits. */
export type HealthVerdict = Omit<CheckVerdict, "subject" | "latencyMs" | "warning">;

/** An operator's word; it counts more than the configuration until that changes. */
export interface AdminChange {
  readonly state: AdminState;
  /** Who and why, for the event and the status. */
  readonly reason: string;
  /** For `drain` and `maint`: requests still running after that are cut. Default: the pool's. */
  readonly deadlineMs?: number;
}

/** What operators changed at run time, to be kept over a restart. */
export interface ServerOverride {
  readonly server: string;
  readonly admin?: AdminChange;
  readonly weight?: number;
}

/** `cut-connections` is an order: close every connection to that server at once. */
export type PoolEventKind =
  | "up"
  | "down"
  | "ejected"
  | "returned"
  | "drain-started"
  | "drained"
  | "drain-deadline"
  | "maint"
  | "ready"
  | "weight"
  | "panic-on"
  | "panic-off"
  | "tier"
  | "quorum-lost"
  | "quorum-regained"
  | "added"
  | "removed"
  /** Another address under the same name: kept connections lead to the old one. */
  | "moved"
  | "cut-connections";

export interface PoolEvent {
  readonly at: number;
  readonly kind: PoolEventKind;
  /** Undefined for those of the pool: `panic-…`, `tier`, `quorum-…`. */
  readonly server: Server | undefined;
  readonly reason: string;
}

/** The first that holds: `leaving` removed by a reload while requests were running. */
export type ServerState = "leaving" | "maint" | "drain" | "down" | "ejected" | "up" | "unchecked";

export interface ServerStatus {
  readonly name: string;
  readonly state: ServerState;
  /** Why it is in this state. */
  readonly reason: string;
  /** How long it has been, ms. */
  readonly sinceMs: number;
  /** Gets requests that are bound to no server. */
  readonly usable: boolean;
  readonly tier: number;
  /** Of the configuration or the operator. */
  readonly weight: number;
  /** With an agent's percentage and slow start; not whole. */
  readonly effectiveWeight: number;
  readonly active: number;
  /** An agent's or the configuration's; 0 = no limit. */
  readonly maxConnections: number;
  /** Moving average of the time to the first byte of answers, ms; -1 = none yet. */
  readonly latencyMs: number;
  /** While draining, in `maint` or leaving: `left: 3 requests, 41 s`. */
  readonly drain?: { readonly requests: number; readonly leftMs: number; readonly text: string };
  /** Since the server was added. */
  readonly started: number;
  readonly failed: number;
  readonly ejections: number;
}

export interface PoolStatus {
  readonly name: string;
  readonly algorithm: string;
  /** The tier that serves; undefined when none can. */
  readonly tier: number | undefined;
  readonly panic: boolean;
  readonly waiting: number;
  readonly retryBalance: number;
  readonly servers: readonly ServerStatus[];
}
