/** Static addresses, routes and rules, and the `track_group`s that tie instances to them. */

import { closest } from "../../../lib/spelling.ts";
import type {
  InstanceSettings,
  TrackReference,
  VrrpSettings,
} from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import type { Statement } from "../tree.ts";
import { readAddressLines } from "./address-lines.ts";
import { type Context, remember } from "./context.ts";
import { readRouteLines } from "./route-lines.ts";
import { readRuleLines } from "./rule-lines.ts";
import { unique } from "./tracks.ts";

type StaticObjects = Pick<VrrpSettings, "staticAddresses" | "staticRoutes" | "staticRules">;

/** `device`: the interface of addresses that name none. */
export function readStaticObjects(top: Block, device: string, context: Context): StaticObjects {
  const lines = readAddressLines(top.lines("static_ipaddress"), device, context);
  for (const { settings, word, vmacAt } of lines) {
    remember(context, `address ${settings.address}`, word);
    if (vmacAt === undefined) continue;
    const reason = "use_vmac has no effect here: a static address belongs to no virtual router";
    context.findings.warn(vmacAt, reason, "remove it");
  }
  return {
    staticAddresses: lines.map((line) => line.settings),
    staticRoutes: readRouteLines(top.lines("static_routes"), context),
    staticRules: readRuleLines(top.lines("static_rules"), context),
  };
}

/** Every member of a `track_group` tracks it. */
export function withStaticTracks(
  instances: readonly InstanceSettings[],
  top: Block,
  context: Context,
): InstanceSettings[] {
  const groups = unique(top.blocks("track_group"), context);
  checkNames(top, groups, context);
  const tracks = new Map<string, TrackReference[]>();
  const names = instances.map((instance) => instance.name);
  for (const group of groups) {
    for (const word of group.lines("group").flatMap((line) => [line.keyword, ...line.args])) {
      if (!names.includes(word.text)) {
        const near = closest(word.text, names);
        const next =
          near === undefined ? "define it, or remove it here" : `did you mean '${near}'?`;
        context.findings.error(word, `there is no vrrp_instance ${word.text}`, next);
      }
      const reference = { kind: "static", name: group.name, weight: 0, reverse: false } as const;
      tracks.set(word.text, [...(tracks.get(word.text) ?? []), reference]);
    }
  }
  return instances.map((instance) => ({
    ...instance,
    tracks: [...instance.tracks, ...(tracks.get(instance.name) ?? [])],
  }));
}

/** Groups that are named on a line but not defined, and the other way round. */
function checkNames(top: Block, groups: readonly Block[], context: Context): void {
  const known = groups.map((group) => group.name);
  const used = new Set<string>();
  for (const word of ["static_ipaddress", "static_routes", "static_rules"].flatMap((keyword) =>
    top.lines(keyword).flatMap(groupWord),
  )) {
    used.add(word.text);
    if (known.includes(word.text)) continue;
    const near = closest(word.text, known);
    const next =
      near === undefined
        ? `define track_group ${word.text} { group { INSTANCE } }`
        : `did you mean '${near}'?`;
    context.findings.error(word, `there is no track_group ${word.text}`, next);
  }
  for (const group of groups) {
    if (used.has(group.name)) continue;
    const reason = `track_group ${group.name} has no effect: no static line names it`;
    context.findings.warn(group.statement.args[0]!, reason, `add: track_group ${group.name}`);
  }
}

function groupWord({ args }: Statement): readonly Statement["keyword"][] {
  const at = args.findIndex((word) => word.text === "track_group");
  return at < 0 || args[at + 1] === undefined ? [] : [args[at + 1]!];
}
