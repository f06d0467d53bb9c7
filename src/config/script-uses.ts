/** Every command that a configuration names, with the place where it stands. */

import type { NotifyCommand } from "../core/vrrp/settings.ts";
import type { Place } from "./diagnostic.ts";
import type { Model, Origin } from "./model.ts";
import type { UnfinishedService } from "./service/service-model.ts";

export interface ScriptUse {
  readonly command: NotifyCommand;
  readonly at: Place;
  /** Tracked scripts: the time one run may take. */
  readonly timeoutMs?: number;
}

/** Of `origins`: where exactly this command was written first. What is wrong with it is told once. */
export function commandKey({ argv, user = "", group = "" }: NotifyCommand): string {
  return `command ${user}:${group} ${argv.join(" ")}`;
}

const KEYWORDS = {
  master: "notify_master",
  backup: "notify_backup",
  fault: "notify_fault",
  stop: "notify_stop",
  deleted: "notify_deleted",
  any: "notify",
  masterReceivedLowerPriority: "notify_master_rx_lower_pri",
} as const;

export function scriptUses(model: Model): ScriptUse[] {
  const { vrrp, hooks, fifos, virtualServers, origins } = model;
  const nowhere = { file: "", line: 1, column: 1, text: "" };
  const place = (key: string): Place => origins.get(key) ?? nowhere;
  const tracked = vrrp.scripts.map((script) => ({
    command: script.command,
    at: place(`script of ${script.name}`),
    timeoutMs: script.timeoutMs,
  }));
  const notified = [...vrrp.instances, ...vrrp.groups].flatMap((one) =>
    Object.entries(KEYWORDS).flatMap(([key, keyword]) => {
      const command = one.notify[key as keyof typeof KEYWORDS];
      return command === undefined ? [] : [{ command, at: place(`${keyword} of ${one.name}`) }];
    }),
  );
  const others = [
    hooks.startup?.command,
    hooks.shutdown?.command,
    fifos.all.script,
    fifos.vrrp.script,
    fifos.lvs.script,
    ...virtualServers.flatMap((server) => [
      server.quorumUp,
      server.quorumDown,
      ...server.realServers.flatMap(({ notifyUp, notifyDown, checks }) => [
        notifyUp,
        notifyDown,
        ...checks.map((check) => (check.kind === "misc" ? check.command : undefined)),
      ]),
    ]),
  ];
  return [...tracked, ...notified, ...written(others, origins)];
}

/** Of a nines.yaml: what its checks, pools and alerts run. */
export function serverScriptUses(service: UnfinishedService): ScriptUse[] {
  const { vrrp, checks = [], notices = [], ledger, origins } = service;
  // Those of a keepalived.conf were written as virtual servers.
  if (origins === undefined || vrrp.virtualServers.length > 0) return [];
  const commands = [
    ...checks.map(({ protocol }) => (protocol.kind === "script" ? protocol : undefined)),
    ...notices.flatMap(({ servers, quorum }) => [
      quorum.up,
      quorum.down,
      ...servers.flatMap(({ up, down }) => [up, down]),
    ]),
    ...(ledger?.alerts.commands ?? []),
  ];
  return written(commands, origins);
}

/** Each once. */
function written(
  commands: readonly (NotifyCommand | undefined)[],
  origins: ReadonlyMap<string, Origin>,
): ScriptUse[] {
  const uses = new Map<string, ScriptUse>();
  for (const command of commands) {
    if (command === undefined) continue;
    const key = commandKey(command);
    const at = origins.get(key);
    if (at !== undefined) uses.set(key, { command, at });
  }
  return [...uses.values()];
}
