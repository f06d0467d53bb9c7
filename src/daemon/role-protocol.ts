/**
 * What the role processes say to each other over `RUNDIR/vrrp.sock`: newline-delimited JSON.
 *
 * The vrrp role listens; the control and the check role connect and say `hello` first. A fresh
 * check role gets `configure-check` and every notification that nobody has acknowledged yet, so
 * that the death of a check role loses none. A reader that is too slow is dropped, never waited
 * for: it connects again and gets the current state.
 */

import type { CheckTarget } from "../core/check/check-settings.ts";
import type { NotifiedState, RouterEvent } from "../core/vrrp/router-ports.ts";
import type { Decision, RouterStatus } from "../core/vrrp/status.ts";
import type { Model } from "../config/model.ts";

/** Raised when an older process could misread a newer one; a mismatch means: replace that role. */
export const ROLE_PROTOCOL = 2;

/** One notification as the router ordered it, numbered without gaps per life of the vrrp role. */
export interface Notification {
  readonly seq: number;
  readonly scope: "INSTANCE" | "GROUP";
  readonly name: string;
  readonly state: NotifiedState;
  readonly priority: number;
  /** Of the change of state. */
  readonly reason?: string;
  /** No change of state: a line for the FIFOs. */
  readonly fifoOnly?: true;
  /** An earlier life of the vrrp role was in that state and has very likely told so. */
  readonly again?: true;
  /** Unix time of the decision, ms. */
  readonly wallMs: number;
}

/** The parts of the model that the vrrp and the check role carry out; all of it plain data. */
export type RoleModel = Omit<Model, "origins" | "virtualServers"> & {
  /** Checks of nines.yaml that addresses track, by the names of the track references. */
  readonly trackedChecks: readonly CheckTarget[];
};

export function roleModel(model: Model, trackedChecks: readonly CheckTarget[] = []): RoleModel {
  const { origins: _origins, virtualServers: _virtualServers, ...rest } = model;
  return { ...rest, trackedChecks };
}

/** What the vrrp process carries out. */
export interface RoleConfiguration {
  readonly model: RoleModel;
  /** False (`--no-realtime`): normal scheduling whatever the model says. */
  readonly realtime: boolean;
}

export type FromControl =
  | { readonly type: "hello"; readonly role: "control"; readonly protocol: number; pid: number }
  /** `model.vrrp` is carried out by difference; the rest is handed to the check role. */
  | ({ readonly type: "configure"; readonly id: number } & RoleConfiguration)
  | { readonly type: "get-status"; readonly id: number }
  | { readonly type: "get-decisions"; readonly id: number; readonly instance: string }
  | {
      readonly type: "hand-over";
      readonly id: number;
      readonly instance: string;
      readonly reason: string;
    }
  | { readonly type: "ping"; readonly id: number }
  /** Resign, release, deliver the last notifications, exit 0. */
  | { readonly type: "stop"; readonly reason: string };

export type ToControl =
  | {
      readonly type: "welcome";
      readonly protocol: number;
      readonly pid: number;
      /** False: waiting for its first `configure`. */
      readonly configured: boolean;
      /** The check role connected now, if any. */
      readonly checkPid?: number;
    }
  | {
      readonly type: "event";
      readonly source: "vrrp" | "check";
      readonly wallMs: number;
      /** Absent: from a process of an earlier version. */
      readonly monoMs?: number;
      readonly event: RouterEvent;
    }
  | { readonly type: "check-role"; readonly pid: number; readonly connected: boolean }
  | {
      readonly type: "reply";
      readonly id: number;
      readonly error?: string;
      readonly reply?: Reply;
    };

export interface Reply {
  readonly status?: RouterStatus;
  readonly role?: RoleStatus;
  readonly decisions?: readonly Decision[];
  /** The clock of `decisions`. */
  readonly nowMs?: number;
}

/** What the vrrp process knows about itself and the router does not. */
export interface RoleStatus {
  readonly pid: number;
  readonly startedWallMs: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
  /** What could not be had (privileges, kernel facilities) and what that means. */
  readonly limitations: readonly string[];
  readonly notificationsWaiting: number;
  readonly notificationsDropped: number;
}

export type FromCheck =
  | { readonly type: "hello"; readonly role: "check"; readonly protocol: number; pid: number }
  | {
      readonly type: "track-changed";
      readonly kind: "script" | "process" | "file" | "bfd";
      readonly name: string;
      readonly ok: boolean;
      /** Files only; else 0. */
      readonly value: number;
      readonly reason: string;
    }
  | { readonly type: "witness-changed"; readonly address: string; readonly reachable: boolean }
  /** Everything up to and including `seq` is in the check role's own queue or done. */
  | { readonly type: "notified"; readonly seq: number }
  /** A line for the operator: a script that is unsafe, a mail that could not be sent. */
  | { readonly type: "check-event"; readonly event: RouterEvent };

/** What was heard last of a script, a file or a check that is tracked. */
export interface KnownTrack {
  readonly name: string;
  /** A check's is that of scripts. */
  readonly kind: "script" | "file";
  readonly ok: boolean;
  readonly reason: string;
}

export type ToCheck =
  /**
   * Also after every reload. What is unchanged goes on undisturbed; what is new begins with what is known of its
   * name: neither a new check process nor an edit makes a healthy node fail.
   */
  | {
      readonly type: "configure-check";
      readonly model: RoleModel;
      readonly known: readonly KnownTrack[];
    }
  | ({ readonly type: "notify" } & Notification)
  /** Deliver what is queued, then exit 0. */
  | { readonly type: "stop" };

export type ToVrrp = FromControl | FromCheck;
export type FromVrrp = ToControl | ToCheck;

/** Whatever role processes say to each other. */
export interface Message {
  readonly type: string;
}

const BYTES_KEY = '"$hex"';

/**
 * One line. Bytes (HMAC keys) travel as `{"$hex": "…"}`. To look for them at each value costs many times
 * what the text does, so answers, of which a status is large and asked for again and again, have none.
 */
export function encodeLine(message: Message): string {
  return `${JSON.stringify(message, message.type === "reply" ? undefined : hexOfBytes)}\n`;
}

/** Looks at the holder because a Buffer turns itself into something else before it gets here. */
function hexOfBytes(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return original instanceof Uint8Array ? { $hex: Buffer.from(original).toString("hex") } : value;
}

/** The message of one line, or undefined when it is not an object with a `type`. */
export function decodeLine(line: string): Message | undefined {
  try {
    const value: unknown = line.includes(BYTES_KEY)
      ? JSON.parse(line, (_key, part: unknown) => reviveBytes(part))
      : JSON.parse(line);
    if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
    return typeof value.type === "string" ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

function reviveBytes(part: unknown): unknown {
  if (typeof part !== "object" || part === null || !("$hex" in part)) return part;
  return typeof part.$hex === "string" ? new Uint8Array(Buffer.from(part.$hex, "hex")) : part;
}
