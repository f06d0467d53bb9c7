/** `notify_*` and `smtp_alert` of instances and sync groups. */

import type { NotifySettings } from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import { type Context, remember } from "./context.ts";
import { optional } from "./route-lines.ts";

const SCRIPTS = [
  ["master", "notify_master"],
  ["backup", "notify_backup"],
  ["fault", "notify_fault"],
  ["stop", "notify_stop"],
  ["deleted", "notify_deleted"],
  ["any", "notify"],
  ["masterReceivedLowerPriority", "notify_master_rx_lower_pri"],
] as const;

export function readNotify(block: Block, globals: Block, context: Context): NotifySettings {
  const commands = Object.assign(
    {},
    ...SCRIPTS.map(([key, keyword]) => {
      const command = block.command(keyword);
      if (command !== undefined) {
        remember(context, `${keyword} of ${block.name}`, block.valueAt(keyword));
      }
      return optional(key, command);
    }),
  ) as Partial<NotifySettings>;
  const mail =
    block.bool("smtp_alert") ?? globals.bool("smtp_alert_vrrp") ?? globals.bool("smtp_alert");
  return {
    ...commands,
    ...(block.has("notify_deleted") ? { tellsDeleted: true } : {}),
    priorityChanges:
      block.bool("notify_priority_changes") ?? globals.flag("vrrp_notify_priority_changes"),
    mail: mail ?? false,
  };
}
