/**
 * What the console says over HTTP: the types of every answer. The page imports them, so nothing
 * here knows node or a browser. All times are Unix ms of the node that answers (`nowMs`): a
 * browser with a wrong clock takes the difference. Routes: `docs/console.md`.
 *
 * A `Sentence` has a code and its arguments for programs, and a text for people. A `reason` is the sentence of
 * whoever decided, as the journal keeps it. Both are told in the language that `Accept-Language` asks for, English
 * or Chinese.
 */

import type { BurnState } from "../core/ledger/burn.ts";
import type { VantagePoints } from "../core/ledger/chart.ts";
import type { GroupIncident } from "../core/ledger/group-incidents.ts";
import type { Objectives } from "../core/ledger/settings.ts";

export interface Sentence {
  /** Stable, kebab-case, e.g. `service-degraded`. */
  readonly code: string;
  readonly args: Readonly<Record<string, string | number>>;
  /** Whole, with the arguments in it. */
  readonly text: string;
}

/** `read` sees everything that is no secret; `operate` may change things, too. */
/** `probe`: may hand in what a prober saw, and nothing else. */
export type Role = "read" | "operate" | "probe";

export type VerdictState = "up" | "degraded" | "down" | "unknown";

/** Of whatever the topology shows. `UNKNOWN` comes with `ageMs`, unless nothing was ever heard. */
export type State =
  | "UP"
  | "DEGRADED"
  /** Up, and checks have begun to fail. */
  | "GOING-DOWN"
  | "DOWN"
  | "DRAINING"
  | "MAINTENANCE"
  | "STANDBY"
  | "UNKNOWN";

export type Layer = "client" | "address" | "director" | "pool" | "server";

export type Level = "info" | "warning" | "error";

/** Everything that the first screen needs. */
export interface Overview {
  /** Name of the node that answers. */
  readonly node: string;
  readonly version: string;
  readonly nowMs: number;
  readonly viewer: Viewer;
  readonly source: Source;
  readonly verdict: Verdict;
  readonly survival: Survival;
  readonly holders: readonly Holder[];
  readonly topology: Topology;
  readonly services: readonly ServiceView[];
  /** What somebody has to look at, worst first; at most 100. */
  readonly alerts: readonly Alert[];
  /** Open ones first, then the latest; at most 20. */
  readonly incidents: readonly IncidentView[];
  /** The latest of all nodes, newest first; at most 50. */
  readonly records: readonly RecordView[];
  /** This node first. */
  readonly nodes: readonly NodeView[];
  readonly drills: DrillsView;
}

export interface Viewer {
  readonly role: Role;
  /** Name of the token, `local` for the unix socket, `anonymous` for a loopback reader. */
  readonly who: string;
}

/** Where the numbers of this node come from: with a dead control process they are old. */
export interface Source {
  readonly state: "live" | "stale";
  /** Of the newest status of the control process; 0 when `live`. */
  readonly ageMs: number;
  /** Why it is stale. */
  readonly reason: string;
}

export interface Verdict {
  readonly state: VerdictState;
  readonly sentence: Sentence;
  /** When this state began; undefined: before the journal remembers. */
  readonly sinceMs?: number;
}

/** Would the next failure of one machine be noticed? */
export interface Survival {
  readonly survives: "yes" | "no" | "unknown";
  readonly services: readonly SurvivalOfService[];
}

export interface SurvivalOfService {
  readonly service: string;
  readonly survives: "yes" | "no" | "unknown";
  /** Each reason against it; when there is none, one for it. */
  readonly why: readonly Sentence[];
}

/** Who holds which addresses. */
export interface Holder {
  /** Name of the instance. */
  readonly instance: string;
  readonly addresses: readonly string[];
  /** Name of the node, or its address when it has no name; undefined: nobody that is known. */
  readonly holder?: string;
  readonly isSelf: boolean;
  readonly sinceMs?: number;
  /** Ready to take over, best first. */
  readonly standbys: readonly string[];
  /** Two holders are heard: the others. */
  readonly rivals: readonly string[];
  readonly reason: string;
}

export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
}

export interface TopologyNode {
  /** `client`, `address VI_1`, `director a`, `pool web`, `server web/web1`. */
  readonly id: string;
  readonly layer: Layer;
  readonly name: string;
  readonly state: State;
  /** Why it is in this state. */
  readonly reason: string;
  readonly sinceMs?: number;
  /** How old the knowledge is; only for `UNKNOWN`. */
  readonly ageMs?: number;
  /** Of a server: `pool NAME`. */
  readonly parent?: string;
  /** Pages show them as a list of words and values: `endpoint`, `weight`, `priority`, `active`. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  /** False: a way that is ready and not taken now (a standby). */
  readonly isActive: boolean;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** To the first byte, a moving average; absent: not known. */
  readonly latencyMs?: number;
}

export interface ServiceView {
  readonly name: string;
  readonly state: VerdictState;
  readonly sentence: Sentence;
  readonly days: UptimeDays;
  /** Share of the objective's window that was good, 0 to 1; undefined: nothing measured. */
  readonly availability?: number;
  readonly budget?: Budget;
}

/** The last 90 days, UTC. */
export interface UptimeDays {
  /** `2026-08-24`, of the first entry. */
  readonly firstDay: string;
  /** Oldest first, today last: availability 0 to 1, null when nothing was measured. */
  readonly availability: readonly (number | null)[];
  /** Minutes that were bad, of the same days. */
  readonly badMinutes: readonly number[];
}

export interface Budget {
  /** 0.999. */
  readonly objective: number;
  readonly windowDays: number;
  readonly totalMs: number;
  readonly spentMs: number;
  /** May be negative. */
  readonly leftMs: number;
  /** Multiple of the speed that uses the budget up exactly at the end, over the last hour. */
  readonly burnRate: number;
}

export interface Alert {
  readonly level: Level;
  /** What it is about, as in records. */
  readonly subject: string;
  readonly node: string;
  readonly sinceMs?: number;
  readonly sentence: Sentence;
}

/** One incident of the group as the ledgers have it, with everybody who saw it. */
export type IncidentView = GroupIncident;

export interface IncidentList {
  /** Newest first. */
  readonly incidents: readonly IncidentView[];
}

/** One service: its aims and how it stands. */
export interface ObjectiveView {
  readonly service: string;
  readonly objectives: Objectives;
  /** Share of good requests within the window, where it is worst; absent: nothing measured. */
  readonly availability?: number;
  readonly budget: Budget;
  readonly burns: readonly BurnView[];
}

/** What was measured over time, of all nodes together. */
export interface SeriesView {
  /** `service shop`, `pool web`, `server web/web1`. */
  readonly subject: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of each entry of the lists below. */
  readonly stepMs: number;
  readonly vantages: readonly VantagePoints[];
  /** Nodes whose measurements are not in it. */
  readonly missing: readonly { readonly node: string; readonly reason: string }[];
}

/** One rule that watches how fast a budget goes. */
export interface BurnView {
  /** Whose ledger it is. */
  readonly node: string;
  readonly service: string;
  readonly vantage: string;
  readonly rule: string;
  readonly state: BurnState;
  readonly long: number;
  readonly short: number;
  readonly reason: string;
}

/** One record of the journal. */
export interface RecordView {
  readonly node: string;
  readonly seq: number;
  readonly wallMs: number;
  readonly source: string;
  readonly level: Level;
  readonly kind: string;
  /** Instance, `pool/server`, pool, frontend, service, drill; empty: the node. */
  readonly subject: string;
  readonly reason: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface NodeView {
  readonly name: string;
  readonly address?: string;
  readonly isSelf: boolean;
  readonly state: State;
  readonly reason: string;
  /** Age of what is known of it; absent: nothing was ever heard. */
  readonly ageMs?: number;
  readonly version?: string;
  /** What runs there: `vrrp running`, `balance backing-off`. */
  readonly roles: readonly string[];
  /** Its clock minus ours, as far as that is known. */
  readonly clockOffsetMs?: number;
  /** Its certificate for the group ends then. */
  readonly certificateEndsMs?: number;
}

export interface DrillsView {
  readonly running?: DrillRunView;
  /** Latest first; at most 10. */
  readonly recent: readonly DrillRunView[];
}

export interface DrillView {
  readonly name: string;
  readonly title: string;
  readonly faults: readonly string[];
  /** What may be hit, in words. */
  readonly radius: string;
  /** Why it cannot run here now. */
  readonly refused?: string;
}

export interface DrillRunView {
  readonly id: string;
  readonly name: string;
  /** Another node that it was asked of; absent: it was done here. */
  readonly node?: string;
  readonly startMs: number;
  readonly endMs?: number;
  readonly verdict?: "passed" | "deviated" | "aborted" | "error";
  readonly reason: string;
  readonly outageMs?: number;
  readonly failedRequests?: number;
}

/** The past: what `/api/v1/state?at=` replays from the journal. */
export interface StateAt {
  readonly atMs: number;
  readonly verdict: Verdict;
  readonly holders: readonly Holder[];
  readonly topology: Topology;
  /** Records up to 60 s before that moment, newest first; at most 50. */
  readonly records: readonly RecordView[];
}

export interface RecordPage {
  /** Newest first. */
  readonly records: readonly RecordView[];
  /** For `cursor=` of the next page; absent: that was all. */
  readonly next?: string;
}

export type ActionName =
  | "handover"
  | "drain"
  | "ready"
  | "maintenance"
  | "weight"
  | "drill-run"
  | "drill-stop";

export interface ActionRequest {
  readonly action: ActionName;
  /** Instance or group, `pool/server`, or the name of a drill. */
  readonly subject: string;
  /** For `weight`: 0 to 256, null: as configured. */
  readonly weight?: number | null;
  /** For `drill-run`: another node of the group; absent: this one. */
  readonly node?: string;
  /** For `drain` and `maintenance`: what still runs then is cut. */
  readonly deadlineMs?: number;
}

export interface ActionPreview {
  readonly action: ActionRequest;
  /** What will move. */
  readonly moves: readonly Sentence[];
  /** Which redundancy is left afterwards. */
  readonly left: readonly Sentence[];
  /** Unsafe: why. */
  readonly refused?: Sentence;
  /** An operator who types this name may do it all the same; absent: nobody may. */
  readonly override?: string;
  /** The line that does the same, without prompt. */
  readonly command: string;
  /** Goes into the confirmation; binds it to what was seen here. Absent: cannot be done. */
  readonly confirm?: string;
  readonly expiresMs: number;
}

export interface ActionConfirmation extends ActionRequest {
  readonly confirm: string;
  /** Why, for the journal; 1 to 500 characters. */
  readonly reason: string;
  /** The name that the preview asked for. */
  readonly override?: string;
}

export interface ActionOutcome {
  readonly done: true;
  readonly sentence: Sentence;
}

export interface Session {
  readonly viewer: Viewer;
  /** Of the cookie; absent: no cookie. */
  readonly expiresMs?: number;
}

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  /** `about:blank` or `urn:nines:CODE`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** With the next move. */
  readonly detail: string;
}

/**
 * The stream's events: `snapshot` (an `Overview`, first after every connect), `overview` (this: what is new
 * since the event before it; see `overview-change.ts`) and `record` (a `RecordView`; its id is for
 * `Last-Event-ID`, with which the records that were missed come first). Comments are signs of life.
 */
export interface OverviewChange {
  readonly nowMs: number;
  /** Whole parts that differ; `topology` is below. */
  readonly parts: Partial<Omit<Overview, "topology" | "nowMs">>;
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  /** Ids of nodes, and `FROM -> TO` of edges, that are gone. */
  readonly gone: readonly string[];
}
