/** The nodes of a group as this one knows them: who is heard, who holds what, who is called how. */

import type { ServiceFacts } from "../daemon/control-api.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Holder, NodeView, State } from "./api.ts";
import type { LedgerNews } from "./ledger-news.ts";
import type { NodePart, PartInstance } from "./node-part.ts";

/** News older than that is no news: three times the pause between two questions, and a bit. */
export const STALE_MS = 7_000;

/** Another node of `nodes:`. */
export interface Peer {
  readonly name: string;
  readonly address: string;
  /** The last that it told. */
  readonly part?: NodePart;
  /** Of `part`. */
  readonly ageMs?: number;
  /** Of its ledger. */
  readonly news?: LedgerNews;
  /** Why there is nothing newer; `it answers` when there is. */
  readonly reason: string;
  readonly clockOffsetMs?: number;
  readonly certificateEndsMs?: number;
}

export interface GroupFacts {
  readonly nowMs: number;
  /** With old numbers when `source` says so; absent before control has answered once. */
  readonly self?: NodePart;
  readonly node: string;
  readonly version: string;
  readonly peers: readonly Peer[];
  /** Why other nodes cannot be asked at all. */
  readonly apart?: string;
  readonly service?: ServiceFacts;
  readonly certificateEndsMs?: number;
}

export interface Member {
  readonly name: string;
  readonly isSelf: boolean;
  readonly part?: NodePart;
  readonly isFresh: boolean;
  readonly ageMs?: number;
  /** Its clock before ours, ms; absent: not known. */
  readonly aheadMs?: number;
  readonly reason: string;
}

/** This node first. */
export function membersOf({ self, node, peers }: GroupFacts): readonly Member[] {
  const own: Member =
    self === undefined
      ? { name: node, isSelf: true, isFresh: false, reason: "control has not answered yet" }
      : {
          name: node,
          isSelf: true,
          part: self,
          isFresh: self.source.state === "live",
          ageMs: self.source.ageMs,
          reason: self.source.reason,
        };
  return [own, ...peers.map(memberOf)];
}

function memberOf({ name, part, ageMs, reason, clockOffsetMs }: Peer): Member {
  const ahead = clockOffsetMs === undefined ? {} : { aheadMs: clockOffsetMs };
  const base = { name, isSelf: false, reason, ...ahead };
  if (part === undefined || ageMs === undefined) return { ...base, isFresh: false };
  const age = ageMs + part.source.ageMs;
  const isFresh = ageMs <= STALE_MS && part.source.state === "live";
  const why = ageMs <= STALE_MS ? part.source.reason : reason;
  return { ...base, part, ageMs: age, isFresh, reason: why };
}

/** Names for the addresses of nodes. */
export function namer({ service, peers }: GroupFacts): (address: string) => string {
  const nodes = service?.nodes ?? peers;
  return (address) => nodes.find((one) => one.address === address)?.name ?? address;
}

export function holdersOf(facts: GroupFacts): readonly Holder[] {
  const members = membersOf(facts);
  const nameOf = namer(facts);
  const seen = members.flatMap((member) =>
    (member.part?.instances ?? []).map((instance) => ({ member, instance })),
  );
  const view = { nameOf, nowMs: facts.nowMs };
  return [...Map.groupBy(seen, ({ instance }) => instance.name)].map(([name, its]) =>
    holderOf(name, its, view),
  );
}

interface Seen {
  readonly member: Member;
  readonly instance: PartInstance;
}

interface View {
  readonly nameOf: (address: string) => string;
  readonly nowMs: number;
}

function holderOf(name: string, seen: readonly Seen[], { nameOf, nowMs }: View): Holder {
  const fresh = seen.filter(({ member }) => member.isFresh);
  const masters = mastersOf(fresh, nowMs);
  const [master] = masters;
  const known = seen.find(({ member }) => member.isSelf) ?? seen[0]!;
  const heard = fresh.map(({ instance }) => instance.master).find((one) => one !== undefined);
  const holder = master?.member.name ?? (heard === undefined ? undefined : nameOf(heard));
  const rivals = new Set(masters.slice(1).map(({ member }) => member.name));
  for (const { instance } of masters) {
    if (instance.rival !== undefined && nameOf(instance.rival) !== holder) {
      rivals.add(nameOf(instance.rival));
    }
  }
  const standbys = fresh
    .filter(({ instance, member }) => instance.state === "BACKUP" && member.name !== holder)
    .toSorted((a, b) => b.instance.priority - a.instance.priority)
    .map(({ member }) => member.name);
  const source = master ?? known;
  return {
    instance: name,
    addresses: source.instance.addresses,
    ...(holder === undefined ? {} : { holder }),
    isSelf: master?.member.isSelf ?? false,
    ...(master === undefined ? {} : { sinceMs: master.instance.sinceMs }),
    standbys,
    rivals: [...rivals],
    reason: source.instance.reason,
  };
}

/** Those who said so after every other had begun: what a dead master said before its heir took over is no claim. */
function mastersOf(fresh: readonly Seen[], nowMs: number): readonly Seen[] {
  const all = fresh.filter(({ instance }) => instance.state === "MASTER");
  return all.filter(({ member }) => {
    const saidMs = nowMs - (member.ageMs ?? 0);
    return !all.some(
      (one) => one.member !== member && one.instance.sinceMs - (one.member.aheadMs ?? 0) > saidMs,
    );
  });
}

/** A node that was never heard, or not for a while, is unknown: it may be well. */
export function nodeViews(facts: GroupFacts): readonly NodeView[] {
  return membersOf(facts).map((member, i) => {
    const peer = i === 0 ? undefined : facts.peers[i - 1];
    const { name, isSelf, part, ageMs, isFresh } = member;
    const address = peer?.address ?? facts.service?.nodes.find((one) => one.name === name)?.address;
    const ends = isSelf ? facts.certificateEndsMs : peer?.certificateEndsMs;
    const offset = peer?.clockOffsetMs;
    return {
      name,
      isSelf,
      ...(address === undefined ? {} : { address }),
      ...directorState(member),
      // Ages of fresh news differ at every look; only an old age is news.
      ...(ageMs === undefined ? {} : { ageMs: isFresh ? 0 : ageMs }),
      version: part?.version ?? (isSelf ? facts.version : ""),
      roles: isFresh ? (part?.roles ?? []).map((role) => `${role.name} ${role.state}`) : [],
      ...(offset === undefined ? {} : { clockOffsetMs: offset }),
      ...(ends === undefined ? {} : { certificateEndsMs: ends }),
    };
  });
}

/** The state of a whole node, with its reason. */
export function directorState({ part, isFresh, ageMs, reason }: Member): {
  readonly state: State;
  readonly reason: string;
} {
  if (!isFresh || part === undefined) {
    const age =
      ageMs === undefined ? "nothing was heard yet" : `news of ${formatDuration(ageMs)} ago`;
    return { state: "UNKNOWN", reason: `${age}: ${reason}` };
  }
  const broken = part.roles.filter(({ state }) => state === "down" || state === "backing-off");
  if (broken.length > 0) {
    const which = broken.map(({ name, state }) => `${name} is ${state}`).join(", ");
    return { state: "DEGRADED", reason: which };
  }
  const { instances } = part;
  const held = instances.filter(({ state }) => state === "MASTER").map(({ name }) => name);
  if (held.length > 0) return { state: "UP", reason: `holds ${held.join(", ")}` };
  const [first] = instances;
  if (first === undefined) return { state: "UP", reason: "all its processes run" };
  if (instances.every(({ state }) => state === "FAULT")) {
    return { state: "DOWN", reason: first.reason };
  }
  const fault = instances.find(({ state }) => state === "FAULT");
  if (fault !== undefined) return { state: "DEGRADED", reason: `${fault.name}: ${fault.reason}` };
  return { state: "STANDBY", reason: `${first.name}: ${first.reason}` };
}
