/**
 * What the balance workers say and hear.
 *
 * - `RUNDIR/balance.sock`: the control role listens; workers connect, say `hello`, and connect again
 *   when it is gone: so a new control process finds the living ones. Everything that an operator
 *   does and sees goes here.
 * - `RUNDIR/check.sock`: the check role listens; workers (verdicts, also while no control process
 *   lives) and the control role (targets) connect.
 * - `RUNDIR/control.box`, `RUNDIR/balance-SERIAL.box`: listening sockets, see `fd-passing.ts`. The
 *   text is a JSON array of their names in the same order. With them goes `WORKER_MEMORY`.
 */

import type { AdminChange, ServerOverride } from "../core/balance/pool-ports.ts";
import type { StickRecord } from "../core/balance/stick-table.ts";
import type { PoolNotices } from "../core/check/server-notices.ts";
import type { CheckTarget, CheckVerdict, Suspended } from "../core/check/check-settings.ts";
import type { Counted } from "../core/journal/tally.ts";
import type { FifoSettings, ScriptSecurity } from "../config/model.ts";
import type { BalanceSettings } from "../core/proxy/frontend-settings.ts";
import type { AskedRequest, RequestExplanation } from "../core/proxy/request-explanation.ts";
import type { WorkerStatus } from "./balance-status.ts";
import type { EventDraft } from "./event-log.ts";
import type { TicketSecrets } from "./ticket-keys.ts";
import type { MailModel } from "./notify-mail.ts";

/** Raised when an older process could misread a newer one; a mismatch means: replace that worker. */
export const BALANCE_PROTOCOL = 4;

/** The name of what workers count and know together (`worker-memory.ts`); another layout, another name. */
export const WORKER_MEMORY = "worker-memory";

/** What operators changed at run time, for one pool. */
export interface PoolOverrides {
  readonly pool: string;
  readonly servers: readonly ServerOverride[];
}

/** Entries of a stick table as its pool exports them. */
export interface StickEntries {
  readonly pool: string;
  readonly entries: readonly StickRecord[];
}

export type ToWorker =
  | ({
      readonly type: "configure";
      readonly id: number;
      /** Servers have addresses, no names. */
      readonly settings: BalanceSettings;
      readonly overrides: readonly PoolOverrides[];
    } & TicketSecrets)
  | {
      readonly type: "change-server";
      readonly id: number;
      readonly pool: string;
      readonly server: string;
      readonly admin?: AdminChange;
      /** null: the configuration's again. */
      readonly weight?: number | null;
    }
  | { readonly type: "get-status"; readonly id: number; readonly histograms: boolean }
  /** What was counted: of frontends and pools (default), or of a hundred servers after that one. */
  | {
      readonly type: "get-traffic";
      readonly id: number;
      readonly what?: "services" | "servers";
      readonly after?: string;
    }
  | { readonly type: "explain"; readonly id: number; readonly request: AskedRequest }
  | { readonly type: "ping"; readonly id: number }
  /** What sticks, from that entry on: a page, for a control process that is new. */
  | { readonly type: "export-sticks"; readonly id: number; readonly from: number }
  | { readonly type: "sticks"; readonly tables: readonly StickEntries[] }
  /** Send all listening sockets to this box. */
  | { readonly type: "send-listeners"; readonly box: string }
  /** For handshakes from now on. */
  | ({ readonly type: "ticket-keys" } & TicketSecrets)
  /** After a log rotation. */
  | { readonly type: "reopen-logs" }
  /** Say "not ready", go on serving. */
  | { readonly type: "unready" }
  /** Each answer is the last of its connection; clients still come in. */
  | { readonly type: "last-answers" }
  /** After that: as if nothing had been. */
  | { readonly type: "as-usual" }
  /** Accept no more, finish what runs, exit 0; at the deadline whatever still runs is cut. */
  | { readonly type: "drain"; readonly withinMs: number; readonly reason: string };

export type FromWorker =
  | {
      readonly type: "hello";
      readonly protocol: number;
      readonly pid: number;
      readonly serial: number;
      readonly version: string;
      /** Names of the listening sockets that it holds. */
      readonly listening: readonly string[];
      readonly isDraining: boolean;
      /** Once it was configured. */
      readonly tickets?: TicketSecrets;
    }
  /** It accepts on all sockets that it was told of. */
  | { readonly type: "serving" }
  | {
      readonly type: "event";
      readonly wallMs: number;
      /** Absent: from a worker of an earlier version. */
      readonly monoMs?: number;
      readonly event: EventDraft;
    }
  /** A client was bound to a server, or is no longer. */
  | { readonly type: "sticks"; readonly tables: readonly StickEntries[] }
  /** The last word of a worker that was drained: its numbers must not vanish from the sums. */
  | {
      readonly type: "farewell";
      readonly status: WorkerStatus;
      readonly counted?: readonly Counted[];
    }
  | { readonly type: "reply"; readonly id: number; readonly error?: string; reply?: WorkerReply };

export interface WorkerReply {
  readonly status?: WorkerStatus;
  readonly counted?: readonly Counted[];
  readonly explanation?: RequestExplanation;
  readonly sticks?: readonly StickEntries[];
  /** Of clients, open now: what a `ping` is answered with. */
  readonly connections?: number;
}

export type ToCheckRole =
  | {
      readonly type: "hello";
      readonly role: "control" | "balance";
      readonly pid: number;
      /** Of the control role: the verdicts of an earlier check process, for one that has none yet. */
      readonly known?: readonly CheckVerdict[];
      /** What that process was to ask, where it was something else. */
      readonly asked?: readonly CheckTarget[];
      /** Pools that it was to tell of. */
      readonly told?: readonly string[];
    }
  | {
      readonly type: "configure-checks";
      readonly targets: readonly CheckTarget[];
      /** Under whose rights and which rules checks by script run. */
      readonly scripts: ScriptSecurity;
      readonly notices: readonly PoolNotices[];
      /** Of all, told or not; absent: from a process of an earlier version. */
      readonly pools?: readonly string[];
      /** Where lines about pools and servers go; absent: from a process of an earlier version. */
      readonly fifos?: FifoSettings;
      /** Without addresses there is no vrrp role to tell it. Absent: as above. */
      readonly mail?: MailModel;
    }
  /** The node ends: who wants to hear of that is told. Answered by `end-told`. */
  | { readonly type: "tell-end" };

export type FromCheckRole =
  /** All at first, then what changed; to the control role all of them now and then. */
  | { readonly type: "verdicts"; readonly verdicts: readonly CheckVerdict[] }
  /** What was told of these holds no more: they have moved, say. */
  | { readonly type: "unknown"; readonly subjects: readonly string[] }
  /** To the control role: all whose checks wait for an address, whenever that may have changed. */
  | { readonly type: "suspended"; readonly servers: readonly Suspended[] }
  /** To the control role: a script that servers are told of with could not be run, or failed. */
  | { readonly type: "note"; readonly subject: string; readonly reason: string }
  | { readonly type: "end-told" };
