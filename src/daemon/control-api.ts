/**
 * The control API: HTTP/1.1 with JSON over `RUNDIR/control.sock` (mode 0600).
 *
 *   GET  /v1/status              NodeStatus
 *   GET  /v1/events?since=SEQ    LoggedEvent[]; with `&follow=1` an endless stream of JSON lines. The
 *                                header `nines-life` names the life of this process, in which the
 *                                numbers count; `&life=LIFE` of another one means: all events
 *   GET  /v1/traffic             TrafficLook
 *   GET  /v1/traffic/servers     TrafficLook of single servers
 *   GET  /v1/service             ServiceFacts: what is in force
 *   GET  /v1/why/INSTANCE        Why
 *   POST /v1/handover/INSTANCE   Done
 *   POST /v1/reload              Reloaded
 *   GET  /v1/balance             BalanceStatus
 *   POST /v1/server              ServerOrder -> Done
 *   POST /v1/explain-request     AskedRequest -> RequestExplanation
 *   POST /v1/plan                { file } -> Plan
 *   POST /v1/apply               { file, confirmWithinMs? } -> Applied
 *   POST /v1/confirm             Done
 *   POST /v1/replace-workers     Done
 *   POST /v1/upgrade             Upgrading; then this process becomes the program on disk
 *   POST /v1/renew-roles         RenewedRole[]: fresh vrrp, check and console processes
 *   GET  /metrics                Prometheus text exposition format 0.0.4
 *
 * Anything that went wrong is `{ "error": "sentence with the next move" }` and a status code of
 * 400 or above.
 */

import type { ServiceModel } from "../config/service/service-model.ts";
import type { Change } from "../config/service/diff/diff-service.ts";
import type { CountingProcess } from "../core/journal/tally.ts";
import type { PoolEventKind } from "../core/balance/pool-ports.ts";
import type { AdminState } from "../core/balance/pool-settings.ts";
import type { EventCause, RouterEvent } from "../core/vrrp/router-ports.ts";
import type { Decision, RouterStatus } from "../core/vrrp/status.ts";
import type { BalanceStatus } from "./balance-status.ts";
import type { RoleStatus } from "./role-protocol.ts";

export interface LoggedEvent {
  /** Counts from 1 in the life of one control process. */
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** CLOCK_MONOTONIC of this machine when it happened, ms. */
  readonly monoMs: number;
  readonly source: "vrrp" | "check" | "control" | "balance" | "operator";
  readonly level: "info" | "warning" | "error";
  readonly kind: RouterEvent["kind"] | ControlEventKind | BalanceEventKind;
  /** Name of an instance, `pool/server` or a pool; empty when the event is about none. */
  readonly instance: string;
  readonly reason: string;
  readonly from?: string;
  readonly to?: string;
  readonly priority?: number;
  readonly peer?: string;
  readonly cause?: EventCause;
  readonly silentMs?: number;
  readonly address?: string;
  /** Of `started`: no worker lived on, so nothing that one had found out about servers holds any more. */
  readonly fresh?: true;
  /** Who asked for it, as the client that asked says: the operating system's name of the user. */
  readonly who?: string;
}

export type BalanceEventKind =
  | `server-${PoolEventKind}`
  | "listen-failed"
  | "limited"
  | "clients-refused";

export type ControlEventKind =
  | "started"
  | "stopping"
  | "configuration-loaded"
  | "configuration-changed"
  | "configuration-refused"
  | "configuration-warning"
  | "role-started"
  | "role-adopted"
  | "role-ended"
  | "role-hung"
  | "operator-asked"
  | "operator-refused"
  | "handover-asked"
  | "server-change-asked"
  | "configuration-confirmed"
  | "configuration-rolled-back";

export interface RoleProcessStatus {
  readonly name: "vrrp" | "check" | "balance" | "console";
  readonly state: "starting" | "running" | "down" | "backing-off";
  readonly pid?: number;
  /** Unix ms of the last change of `state`. */
  readonly sinceWallMs: number;
  /** How often it had to be started again in the life of this control process. */
  readonly restarts: number;
}

export interface NodeStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedWallMs: number;
  readonly wallMs: number;
  readonly configuration: {
    readonly file: string;
    readonly loadedWallMs: number;
    readonly warnings: number;
    /** The last reload was refused: why. The configuration before it is still in force. */
    readonly refused?: string;
    /** It was applied for a trial, and the one before it comes back unless it is confirmed. */
    readonly goesBackInMs?: number;
  };
  readonly roles: readonly RoleProcessStatus[];
  /** Where its journal is. Absent: of an earlier version. */
  readonly stateDirectory?: string;
  /** Absent until the vrrp role has answered once. */
  readonly router?: RouterStatus;
  readonly vrrp?: RoleStatus;
  /** Absent on a node that does not balance. */
  readonly balance?: BalanceStatus;
  /** How old `router` is, ms: large when the vrrp process does not answer. */
  readonly routerAgeMs: number;
}

/** A status with another `startedWallMs` tells that it has happened. */
/** Of `renew-roles`. `stays`: what could not be done, and how it is done by hand. */
export interface RenewedRole {
  readonly role: "vrrp" | "check" | "console";
  readonly stays?: string;
}

export interface Upgrading {
  readonly from: string;
  readonly to: string;
  readonly startedWallMs: number;
}

/** What is measured of this node: cheap enough for every second. */
export interface TrafficLook {
  readonly processes: readonly CountingProcess[];
}

/** The configuration in force, without the places where it was written. */
export type ServiceFacts = Omit<ServiceModel, "origins" | "vrrp"> & {
  readonly vrrp: Omit<ServiceModel["vrrp"], "origins">;
};

export interface Why {
  readonly instance: string;
  /** The clock of `decisions` now, monotonic ms. */
  readonly nowMs: number;
  /** Unix ms of `nowMs`. */
  readonly wallMs: number;
  /** Newest last. */
  readonly decisions: readonly Decision[];
}

export interface Done {
  readonly done: true;
  /** Why it is forgotten at the next start, e.g. a disk that is full. */
  readonly unkept?: string;
}

export interface Reloaded {
  readonly reloaded: boolean;
  /** Formatted diagnostics: the mistakes when refused, warnings otherwise. */
  readonly diagnostics: readonly string[];
}

/** Either a state or a weight (null: the configured one again). */
export interface ServerOrder {
  /** `POOL/SERVER`. */
  readonly server: string;
  readonly state?: AdminState;
  readonly reason?: string;
  readonly deadlineMs?: number;
  readonly weight?: number | null;
}

/** What a file would change on the running system. */
export interface Plan {
  /** The file has mistakes: nothing can be planned. */
  readonly refused: boolean;
  readonly diagnostics: readonly string[];
  readonly changes: readonly Change[];
}

export interface Applied extends Plan {
  readonly reloaded: boolean;
}

export interface Failure {
  readonly error: string;
}
