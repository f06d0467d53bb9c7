/** Bursts and refreshes of gratuitous ARP and unsolicited neighbour advertisements. */

import type { AnnounceSettings, VirtualAddress } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Block } from "../block.ts";

export interface AnnounceSources {
  readonly instance: Block;
  readonly globals: Block;
  readonly garpGroups: readonly Block[];
  readonly interface: string;
  readonly strict: boolean;
  readonly addresses: readonly VirtualAddress[];
  readonly excludedAddresses: readonly VirtualAddress[];
}

/** Instance, then `vrrp_…` in global_defs, then keepalived's defaults. */
export function readAnnounce(from: AnnounceSources, findings: Findings): AnnounceSettings {
  const { instance, globals, strict } = from;
  const minimal = globals.flag("vrrp_min_garp");
  const read = (name: string): number | undefined =>
    instance.number(name) ?? globals.number(`vrrp_${name}`);
  const delay = globals.number("vrrp_garp_master_delay") ?? (minimal ? 0 : 5000);
  const repeat = globals.number("vrrp_garp_master_repeat") ?? (minimal ? 1 : 5);
  const spacing = spacingOf(from);
  return {
    delayMs: read("garp_master_delay") ?? delay,
    repeat: read("garp_master_repeat") ?? repeat,
    refreshMs: strict ? 0 : sooner(read("garp_master_refresh") ?? 0, readExtra(from, findings)),
    refreshRepeat: read("garp_master_refresh_repeat") ?? 1,
    // The node's, not the instance's, as in keepalived.
    lowerPriorityDelayMs: strict ? 0 : (read("garp_lower_prio_delay") ?? delay),
    lowerPriorityRepeat: strict ? 0 : (read("garp_lower_prio_repeat") ?? repeat),
    arpSpacingMs: spacing.arpMs,
    naSpacingMs: spacing.naMs,
    afterSplitMs:
      instance.number("announce_after_split") ??
      globals.number("announce_after_split") ??
      (strict ? 0 : 30_000),
  };
}

/** Longest pause of keepalived between two of them: a day. */
const MOST_EXTRA_S = 86_400;

/**
 * `garp_extra_if`: no advert leaves with a virtual MAC that sends none (vmac_xmit_base, unicast), nor
 * on another interface than the instance's, so switches would forget where it is. Milliseconds; 0 = never.
 */
function readExtra(from: AnnounceSources, findings: Findings): number {
  const { instance, globals } = from;
  const words =
    instance.words("garp_extra_if") ??
    instance.words("vmac_garp_intvl") ??
    globals.words("vrrp_garp_extra_if") ??
    [];
  const time = words.find((word) => word.text !== "all");
  if (words.length === 0) return 0;
  const seconds = Number(time?.text ?? Number.NaN);
  if (!(seconds >= 0 && seconds <= MOST_EXTRA_S)) {
    const reason = `garp_extra_if takes seconds from 0 to ${MOST_EXTRA_S}, after 'all' or alone`;
    findings.error(time ?? words[0]!, reason, "e.g. garp_extra_if all 100");
    return 0;
  }
  const all = words.some((word) => word.text === "all");
  const carried = [...from.addresses, ...from.excludedAddresses];
  const elsewhere = carried.some((one) => one.interface !== from.interface);
  const onOthers = carried.some(({ vmac }) => vmac !== undefined);
  const silent =
    instance.has("use_vmac") && (instance.has("vmac_xmit_base") || instance.has("unicast_peer"));
  const wanted = silent || onOthers || (elsewhere && (all || instance.has("use_vmac")));
  return wanted ? seconds * 1000 : 0;
}

/** 0 = never. */
function sooner(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
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
