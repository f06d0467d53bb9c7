/**
 * What one notification means in keepalived's terms: which scripts with which arguments, which
 * line in the FIFO, which mail. keepalived.conf(5), "notify scripts and alerts".
 */

import type { RouterAction } from "../vrrp/router-ports.ts";
import type { NotifyCommand, NotifySettings } from "../vrrp/settings.ts";
import type { FifoLine } from "./fifo-queue.ts";

export type NotifyState = Extract<RouterAction, { type: "notify" }>["state"];

/** A notification as the vrrp role numbered it. */
export interface NotifyRequest {
  readonly seq: number;
  readonly scope: "INSTANCE" | "GROUP";
  readonly name: string;
  readonly state: NotifyState;
  readonly priority: number;
  /** Why its state changed. */
  readonly reason?: string;
  /** No change of state: a line for the FIFOs. */
  readonly fifoOnly?: true;
  /** An earlier life of the vrrp role was in that state and has very likely told so. */
  readonly again?: true;
  /** Unix time of the decision, ms. */
  readonly wallMs: number;
}

/** An instance or group and the scripts that its changes run. */
export interface NotifySubject {
  readonly scope: "INSTANCE" | "GROUP";
  readonly name: string;
  readonly notify: NotifySettings;
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

export function subjectKey(of: { readonly scope: string; readonly name: string }): string {
  return `${of.scope} ${of.name}`;
}

/** It runs no script and sends no mail. */
export function isLineOnly({ state, fifoOnly }: NotifyRequest): boolean {
  return fifoOnly === true || state === "MASTER_PRIORITY" || state === "BACKUP_PRIORITY";
}

/** The script of the state first, the generic one after it, as keepalived runs them. */
export function commandsFor(
  notify: NotifySettings,
  request: NotifyRequest,
): readonly NotifyCommand[] {
  if (request.state === "MASTER_RX_LOWER_PRI") {
    return notify.masterReceivedLowerPriority === undefined
      ? []
      : [notify.masterReceivedLowerPriority];
  }
  const { master, backup, fault, stop, deleted, any } = notify;
  const own: Partial<Record<NotifyState, NotifyCommand | undefined>> = {
    MASTER: master,
    BACKUP: backup,
    FAULT: fault,
    STOP: stop,
    DELETED: deleted,
  };
  const first = own[request.state];
  const commands = first === undefined ? [] : [first];
  if (any === undefined) return commands;
  const { scope, name, state, priority } = request;
  return [...commands, { ...any, argv: [...any.argv, scope, name, state, String(priority)] }];
}

/** One line of the FIFO: `INSTANCE "VI_1" MASTER 100`. */
export function fifoLine(request: NotifyRequest): FifoLine {
  const { scope, name, state, priority } = request;
  return { subject: subjectKey(request), line: `${scope} "${name}" ${state} ${priority}\n` };
}

const STATE_PHRASES: Record<NotifyState, string> = {
  MASTER: "Entering MASTER state",
  BACKUP: "Entering BACKUP state",
  FAULT: "Entering FAULT state",
  STOP: "Stopping",
  DELETED: "Deleted",
  MASTER_RX_LOWER_PRI: "Heard a master of lower priority",
  MASTER_PRIORITY: "Changed priority",
  BACKUP_PRIORITY: "Changed priority",
};

/**
 * The alert for one change. The subject keeps keepalived's form, because operators filter by
 * it: `[router_id] VRRP Instance VI_1 - Entering MASTER state`.
 */
export function mailFor(request: NotifyRequest, routerId: string, when: string): Mail {
  const what = request.scope === "INSTANCE" ? "VRRP Instance" : "VRRP Group";
  const phrase = STATE_PHRASES[request.state];
  const { reason = "" } = request;
  const lines = [
    `${what} ${request.name} on ${routerId}: ${phrase}.`,
    ...(reason === "" ? [] : [`Reason: ${reason}`]),
    `Priority: ${request.priority}`,
    `Time: ${when}`,
  ];
  const subject = `${what} ${request.name} - ${phrase}`;
  return withRouter({ subject, text: `${lines.join("\n")}\n` }, routerId);
}

export function withRouter({ subject, text }: Mail, routerId: string): Mail {
  return { subject: oneLine(`[${routerId}] ${subject}`), text };
}

/** Names come from a file: no line break may smuggle a header in. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}
