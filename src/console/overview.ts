/** Everything that the first screen says, from what the nodes, the ledger and the journal told. Pure. */

import type { Reason } from "../core/survival/survival.ts";
import { formatDuration } from "../lib/duration.ts";
import type {
  Alert,
  DrillsView,
  IncidentView,
  Level,
  Overview,
  RecordView,
  ServiceView,
  State,
  TopologyNode,
  UptimeDays,
  Verdict,
} from "./api.ts";
import { membersOf, nodeViews, STALE_MS, type GroupFacts, type Member } from "./group-view.ts";
import { topologyOf } from "./topology.ts";
import { liveServices, say, seenOf, serviceState, survivalOf, verdictOf } from "./verdict.ts";

/** What other parts of the console add. */
export interface Exhibits {
  /** With their uptime and budget; their `state` is made from what is seen now. */
  readonly services: readonly Omit<ServiceView, "state" | "sentence">[];
  readonly incidents: readonly IncidentView[];
  readonly drills: DrillsView;
  readonly alerts: readonly Alert[];
}

export const NO_EXHIBITS: Exhibits = {
  services: [],
  incidents: [],
  drills: { recent: [] },
  alerts: [],
};

export interface OverviewFacts {
  readonly group: GroupFacts;
  readonly exhibits: Exhibits;
  /** Newest first. */
  readonly records: readonly RecordView[];
  /** The verdict that was told last and when it began. */
  readonly before?: Pick<Verdict, "state" | "sinceMs">;
  /** Of the console itself: a port that is taken, a file that cannot be read. */
  readonly troubles: readonly string[];
}

const MAX_ALERTS = 100;
const MAX_INCIDENTS = 20;
const MAX_RECORDS = 50;
const DAYS = 90;
const DAY_MS = 86_400_000;
/** A certificate of the group that ends that soon is somebody's work of this month. */
const CERTIFICATE_WARNING_MS = 30 * DAY_MS;

/** What is written down of each look; of an overview that nobody reads no more is made. */
export function judged(group: GroupFacts): Pick<Overview, "nowMs" | "verdict" | "nodes"> {
  const seen = seenOf(group);
  const states = liveServices(group, []).map((service) => serviceState(service, seen));
  const verdict = verdictOf(states, group.self?.source.ageMs);
  return { nowMs: group.nowMs, verdict, nodes: nodeViews(group) };
}

/** As seen by a reader without a name; each reader's own goes over it. */
export function overviewOf(facts: OverviewFacts): Overview {
  const { group, exhibits, before } = facts;
  const live = liveServices(
    group,
    exhibits.services.map(({ name }) => name),
  );
  const seen = seenOf(group);
  const states = live.map((service) => serviceState(service, seen));
  const topology = topologyOf(group);
  const verdict = verdictOf(states, group.self?.source.ageMs);
  const counted = new Map(exhibits.services.map((one) => [one.name, one]));
  const sinceMs = verdict.state === before?.state ? before.sinceMs : group.nowMs;
  return {
    node: group.node,
    version: group.version,
    nowMs: group.nowMs,
    viewer: { role: "read", who: "" },
    source: group.self?.source ?? NOT_YET,
    verdict: sinceMs === undefined ? verdict : { ...verdict, sinceMs },
    survival: survivalOf(live, seen, group.apart !== undefined),
    holders: seen.holders,
    topology,
    services: states.map(({ name, state, sentence }) => ({
      ...(counted.get(name) ?? { days: emptyDays(group.nowMs) }),
      name,
      state,
      sentence,
    })),
    alerts: alertsOf(facts, topology.nodes).slice(0, MAX_ALERTS),
    incidents: exhibits.incidents.slice(0, MAX_INCIDENTS),
    records: facts.records.slice(0, MAX_RECORDS),
    nodes: nodeViews(group),
    drills: exhibits.drills,
  };
}

const NOT_YET = {
  state: "stale",
  ageMs: 0,
  reason: "the control process has not answered yet",
} as const;

function emptyDays(nowMs: number): UptimeDays {
  return {
    firstDay: new Date(nowMs - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10),
    availability: Array.from({ length: DAYS }, () => null),
    badMinutes: Array.from({ length: DAYS }, () => 0),
  };
}

const LOUD: Partial<Record<State, Level>> = {
  DOWN: "error",
  DEGRADED: "warning",
  "GOING-DOWN": "warning",
};

function alertsOf(facts: OverviewFacts, nodes: readonly TopologyNode[]): readonly Alert[] {
  const { group, exhibits, troubles } = facts;
  const alerts: Alert[] = [...exhibits.alerts];
  const add = (level: Level, subject: string, { code, text, args }: Reason): void => {
    alerts.push({ level, subject, node: group.node, sentence: say(code, text, args) });
  };
  const { self } = group;
  if (self?.source.state === "stale") {
    const { ageMs, reason } = self.source;
    const text = `${group.node}: news of ${formatDuration(ageMs)} ago: ${reason}`;
    add("error", "", { code: "control-silent", args: { node: group.node, reason }, text });
  }
  for (const { id, layer, state, reason, sinceMs, facts: more } of nodes) {
    const level = LOUD[state];
    // The pool's servers say it.
    if (level === undefined || (layer === "pool" && more["usable"] !== 0)) continue;
    const word = state === "DOWN" ? "down" : state === "DEGRADED" ? "degraded" : "going-down";
    // Several pools may have a server of that name: `web/web1`.
    const subject = id.slice(id.indexOf(" ") + 1);
    const text = `${subject} is ${word.replace("-", " ")}: ${reason}`;
    const sentence = say(`${layer}-${word}`, text, { name: subject, reason });
    const since = sinceMs === undefined ? {} : { sinceMs };
    alerts.push({ level, subject, node: group.node, ...since, sentence });
  }
  for (const { name, address, reason, ageMs } of group.peers.map(unheard)) {
    if (reason === undefined || group.apart !== undefined) continue;
    const age = ageMs === undefined ? "never" : `${formatDuration(ageMs)} ago`;
    const text = `${name} (${address}) was last heard ${age}: ${reason}`;
    add("warning", name, { code: "node-unheard", args: { name, reason }, text });
  }
  for (const { name, certificateEndsMs: endsMs } of nodeViews(group)) {
    if (endsMs === undefined || endsMs - group.nowMs > CERTIFICATE_WARNING_MS) continue;
    const days = Math.floor((endsMs - group.nowMs) / DAY_MS);
    const text = `the certificate of ${name} ends in ${days} days: renew it with nines cert request, invite and join`;
    const level = days < 3 ? "error" : "warning";
    add(level, name, { code: "certificate-ends", args: { name, days }, text });
  }
  alerts.push(...membersOf(group).flatMap((member) => alertsOfMember(member, troubles)));
  const rank: Readonly<Record<Level, number>> = { error: 0, warning: 1, info: 2 };
  return alerts.toSorted((a, b) => rank[a.level] - rank[b.level]);
}

/** What each node tells of itself. `troubles` are this node's. */
function alertsOfMember(
  { name, part, isFresh, isSelf }: Member,
  troubles: readonly string[],
): readonly Alert[] {
  if (!isSelf && !isFresh) return [];
  const { refused } = part ?? {};
  const own = isSelf ? troubles : (part?.troubles ?? []);
  const all: readonly Reason[] = [
    ...(refused === undefined
      ? []
      : [
          {
            code: "reload-refused",
            args: { reason: refused },
            text: `the last reload was refused: ${refused}`,
          },
        ]),
    ...own.map((text) => ({ code: "console-trouble", args: { reason: text }, text })),
  ];
  return all.map(({ code, text, args }) => {
    return { level: "warning", subject: "", node: name, sentence: say(code, text, args) };
  });
}

function unheard(peer: GroupFacts["peers"][number]): {
  readonly name: string;
  readonly address: string;
  readonly reason?: string;
  readonly ageMs?: number;
} {
  const { name, address, reason, ageMs, part } = peer;
  const isHeard = part !== undefined && ageMs !== undefined && ageMs <= STALE_MS;
  return {
    name,
    address,
    ...(isHeard ? {} : { reason }),
    ...(ageMs === undefined ? {} : { ageMs }),
  };
}
