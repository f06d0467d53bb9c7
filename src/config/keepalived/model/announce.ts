/** Bursts and refreshes of gratuitous ARP and unsolicited neighbour advertisements. */

import type { AnnounceSettings } from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";

export interface AnnounceSources {
  readonly instance: Block;
  readonly globals: Block;
  readonly garpGroups: readonly Block[];
  readonly interface: string;
  readonly strict: boolean;
}

/** Instance, then `vrrp_…` in global_defs, then keepalived's defaults. */
export function readAnnounce(from: AnnounceSources): AnnounceSettings {
  const { instance, globals, strict } = from;
  const minimal = globals.flag("vrrp_min_garp");
  const read = (name: string): number | undefined =>
    instance.number(name) ?? globals.number(`vrrp_${name}`);
  const delayMs = read("garp_master_delay") ?? (minimal ? 0 : 5000);
  const repeat = read("garp_master_repeat") ?? (minimal ? 1 : 5);
  const spacing = spacingOf(from);
  return {
    delayMs,
    repeat,
    refreshMs: strict ? 0 : (read("garp_master_refresh") ?? 0),
    refreshRepeat: read("garp_master_refresh_repeat") ?? 1,
    lowerPriorityDelayMs: read("garp_lower_prio_delay") ?? delayMs,
    lowerPriorityRepeat: strict ? 0 : (read("garp_lower_prio_repeat") ?? repeat),
    arpSpacingMs: spacing.arpMs,
    naSpacingMs: spacing.naMs,
    afterSplitMs:
      instance.number("announce_after_split") ??
      globals.number("announce_after_split") ??
      (strict ? 0 : 30_000),
  };
}

function spacingOf(from: AnnounceSources): { arpMs: number; naMs: number } {
  const group = from.garpGroups.find(
    (block) =>
      block.text("interface") === from.interface ||
      block
        .lines("interfaces")
        .some((line) => [line.keyword, ...line.args].some((word) => word.text === from.interface)),
  );
  return {
    arpMs: group?.number("garp_interval") ?? from.globals.number("vrrp_garp_interval") ?? 0,
    naMs: group?.number("gna_interval") ?? from.globals.number("vrrp_gna_interval") ?? 0,
  };
}
