/** `vrrp_sync_group`: instances that change state together. */

import { closest } from "../../../lib/spelling.ts";
import type {
  InstanceSettings,
  SyncGroupSettings,
  TrackReference,
} from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import { type Context, remember } from "./context.ts";
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
 * What the group tracks, its members need not. And weights of their own would part the members: unless the
 * group says `sync_group_tracking_weight`, keepalived 2.2.7 (`keepalived -d`) leaves scripts, BFD sessions
 * and files that have one out, counts it as 0 (FAULT) for links and for files of weight 1, and lets
 * processes keep theirs.
 */
export function asMember(
  instance: InstanceSettings,
  groups: readonly SyncGroupSettings[],
  context: Context,
): InstanceSettings {
  const group = groups.find((g) => g.members.includes(instance.name));
  if (group === undefined) return instance;
  const own = instance.tracks.filter((track) => !isTrackedBy(group, track));
  const tracks = group.trackingWeight ? own : own.flatMap((track) => unweighted(track) ?? []);
  const at = context.origins.get(`vrrp_instance ${instance.name}`)!;
  const warn = (of: readonly TrackReference[], why: string, next: string): void => {
    const names = of.map((track) => track.name).join(", ");
    if (of.length > 0) context.findings.warn(at, `${names} of ${instance.name}: ${why}`, next);
  };
  // Told here: it is not that nobody asks for it.
  for (const { kind, name } of instance.tracks) remember(context, `use of ${kind} ${name}`, at);
  const twice = instance.tracks.filter((track) => !own.includes(track));
  warn(twice, `${group.name} tracks that already`, "this line is left out: remove it");
  const weights = `weights have no place in vrrp_sync_group ${group.name}`;
  const next = "track them in the group with sync_group_tracking_weight, or with weight 0";
  const isSaid = ({ kind, name }: TrackReference): boolean =>
    tracks.some((track) => track.kind === kind && track.name === name);
  const changed = own.filter((track) => !tracks.includes(track));
  warn(
    changed.filter((track) => !isSaid(track)),
    `${weights}: left out, a failure changes nothing`,
    next,
  );
  warn(changed.filter(isSaid), `${weights}: they count as 0, a failure is a FAULT`, next);
  return { ...instance, tracks };
}

function isTrackedBy(group: SyncGroupSettings, { kind, name }: TrackReference): boolean {
  return group.tracks.some((track) => track.kind === kind && track.name === name);
}

function unweighted(track: TrackReference): TrackReference | undefined {
  if (track.weight === 0 || track.kind === "process") return track;
  const stays = track.kind === "interface" || (track.kind === "file" && track.weight === 1);
  return stays ? { ...track, weight: 0 } : undefined;
}
