/** `vrrp_sync_group`: instances that change state together. */

import { closest } from "../../../lib/spelling.ts";
import type {
  InstanceSettings,
  SyncGroupSettings,
  TrackReference,
} from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import type { Context } from "./context.ts";
import { readNotify } from "./notify.ts";
import { readReferences, type Tracked, unique } from "./tracks.ts";

export interface GroupSources {
  readonly globals: Block;
  readonly tracked: Tracked;
  /** Names of the instances written in the file, also of those that are wrong in themselves. */
  readonly instances: readonly string[];
}

export function readGroups(
  blocks: readonly Block[],
  sources: GroupSources,
  context: Context,
): SyncGroupSettings[] {
  const groupOf = new Map<string, string>();
  return unique(blocks, context).map((block) => ({
    name: block.name,
    members: readMembers(block, sources, groupOf, context),
    tracks: readReferences(block, sources.tracked, context),
    trackingWeight: block.has("sync_group_tracking_weight") || block.has("global_tracking"),
    notify: readNotify(block, sources.globals, context),
  }));
}

function readMembers(
  block: Block,
  sources: GroupSources,
  groupOf: Map<string, string>,
  context: Context,
): string[] {
  const { findings } = context;
  const members: string[] = [];
  for (const word of block.lines("group").flatMap((line) => [line.keyword, ...line.args])) {
    const other = groupOf.get(word.text);
    if (!sources.instances.includes(word.text)) {
      const near = closest(word.text, sources.instances);
      const next = near === undefined ? "define it, or remove it here" : `did you mean '${near}'?`;
      findings.error(word, `there is no vrrp_instance ${word.text}`, next);
    } else if (other === block.name) {
      findings.warn(word, `${word.text} is named twice in this group`, "remove one of them");
    } else if (other !== undefined) {
      const reason = `${word.text} is a member of vrrp_sync_group ${other} already`;
      findings.error(word, reason, "an instance can be in one group only");
    } else {
      members.push(word.text);
      groupOf.set(word.text, block.name);
    }
  }
  const at = block.statement.args[0]!;
  if (block.lines("group").length === 0 && !block.misspelt.has("group")) {
    findings.error(at, `${block.title} has no members`, "add: group { INSTANCE INSTANCE }");
  } else if (members.length === 1) {
    findings.warn(at, `${block.title} has one member only`, "a group synchronizes two or more");
  }
  return members;
}

/**
 * Weights inside a group would let its members diverge, so they count as 0 (FAULT) unless the
 * group says `sync_group_tracking_weight`: keepalived.conf(5), VRRP synchronization group(s).
 */
export function withoutWeights(
  instance: InstanceSettings,
  groups: readonly SyncGroupSettings[],
  context: Context,
): InstanceSettings {
  const group = groups.find((g) => g.members.includes(instance.name));
  if (group === undefined || group.trackingWeight) return instance;
  const weighted = instance.tracks.filter((track) => track.weight !== 0);
  if (weighted.length === 0) return instance;
  const at = context.origins.get(`vrrp_instance ${instance.name}`)!;
  const names = weighted.map((track) => track.name).join(", ");
  const reason = `weights of ${names} count as 0 (FAULT) because ${instance.name} is in vrrp_sync_group ${group.name}`;
  const next = "track them in the group with sync_group_tracking_weight, or remove the weights";
  context.findings.warn(at, reason, next);
  const tracks: TrackReference[] = instance.tracks.map((track) => ({ ...track, weight: 0 }));
  return { ...instance, tracks };
}
