/**
 * One server of a pool: facts told from outside, what was learned from traffic, and what follows from
 * both. Only the pool and its parts write here; the engine reads, and keeps it as an identity.
 */

import type { AdminChange, ServerState } from "./pool-ports.ts";
import type { AdminState, ServerSettings } from "./pool-settings.ts";
import type { SharedEjection } from "./shared-ejections.ts";

const STRICTNESS: Readonly<Record<AdminState, number>> = { ready: 0, drain: 1, maint: 2 };

/** What a tier counts of its usable servers. */
export interface TierLoad {
  /** All together. */
  active: number;
  /** Each by its slot. */
  readonly actives: Int32Array;
}

export interface Counted {
  requests: number;
  errors: number;
}

export class Server {
  /** Never used again within the pool's life: for arrays and maps of the engine. */
  readonly id: number;
  readonly name: string;
  settings: ServerSettings;

  /** Attempts running now. */
  active = 0;
  started = 0;
  failed = 0;

  // What was told.
  /** Undefined: not checked (yet), which counts as good. */
  checkUp: boolean | undefined = undefined;
  checkReason = "not checked yet";
  agentPercent = 100;
  agentAdmin: AdminState = "ready";
  /** Undefined: it does not speak of it. */
  agentMaxConnections: number | undefined = undefined;
  adminChange: AdminChange | undefined = undefined;
  weightChange: number | undefined = undefined;
  /** Taken out of the configuration while requests were running. */
  leaving = false;

  // What was learned.
  /** Moving average of the time to the first byte, ms, with failures as slow answers; -1 = unknown. */
  latencyMs: number = -1;
  /** The same of real answers alone, as it is shown; -1 = none yet. */
  answerMs: number = -1;
  latencyAt = 0;
  errorsInRow = 0;
  /** Where nothing is shared: what this worker has counted. */
  readonly counted: Counted = { requests: 0, errors: 0 };
  /** Where the counters stood when the interval began in which its success rate is looked at. */
  readonly countedBefore: Counted = { requests: 0, errors: 0 };
  /** Infinity while it is not ejected. */
  ejectedUntil: number = Infinity;
  ejectionReason = "";
  /** End of its last ejection. */
  returnedAt: number = -Infinity;
  /** Sets how long the next ejection lasts; sinks while the server behaves. */
  ejectionLevel = 0;
  /** Those that were decided on here: each is counted by one worker. */
  ejections = 0;
  /** This one was decided on here. */
  isEjectedHere = false;
  /** What all workers know of it; undefined: each decides for itself. */
  shared: SharedEjection | undefined = undefined;

  // What follows, written by the pool whenever a fact has changed.
  state: ServerState = "unchecked";
  stateSince: number;
  stateReason = "";
  /** Ready, up and in: whatever its weight. */
  inService = false;
  /** In service with a weight. */
  healthy = false;
  /** Gets requests that are bound to no server: healthy, or not asked for in a panic. */
  usable = false;
  /** Also those that are bound to it. */
  reachable = false;
  /** With the agent's percentage and slow start; what algorithms go by. */
  weight = 0;
  /** The agent's word or the configuration's; 0 = no limit. */
  maxConnections = 0;
  /** Start of its slow start; Infinity = it is warm. */
  warmingSince: number = Infinity;
  /** Running requests are cut then; Infinity while it is ready. */
  drainEndsAt: number = Infinity;
  /** ... and since then not even bound clients reach it. */
  drainOver = false;
  drained = false;
  /** Where its requests are counted while it is usable. */
  load: TierLoad | undefined = undefined;
  slot = 0;

  constructor(id: number, settings: ServerSettings, now: number) {
    this.id = id;
    this.name = settings.name;
    this.settings = settings;
    this.stateSince = now;
  }

  /** Not one more request at the moment. */
  get full(): boolean {
    return this.maxConnections !== 0 && this.active >= this.maxConnections;
  }

  get ejected(): boolean {
    return this.ejectedUntil !== Infinity;
  }

  /** The operator's or the configuration's: what tables go by, since keys must not wander often. */
  get baseWeight(): number {
    return this.weightChange ?? this.settings.weight;
  }

  /** The stricter one of what the operator (or the configuration) and the agent say. */
  get admin(): AdminState {
    const own = this.adminChange?.state ?? this.settings.admin;
    return STRICTNESS[this.agentAdmin] > STRICTNESS[own] ? this.agentAdmin : own;
  }

  maxConnectionsNow(): number {
    const { maxConnections, workers = 1 } = this.settings;
    const said = this.agentMaxConnections;
    return said === undefined ? maxConnections : Math.ceil(said / workers);
  }

  /** First reason that holds, in the order of `ServerState`. */
  stateNow(): ServerState {
    if (this.leaving) return "leaving";
    if (this.admin !== "ready") return this.admin;
    if (this.checkUp === false) return "down";
    if (this.ejected) return "ejected";
    return this.checkUp === true ? "up" : "unchecked";
  }

  reasonNow(): string {
    switch (this.stateNow()) {
      case "leaving":
        return "not in the configuration any more";
      case "maint":
      case "drain":
        return this.adminReason();
      case "ejected":
        return this.ejectionReason;
      case "down":
      case "up":
        return this.checkReason;
      case "unchecked":
        return this.settings.check === undefined ? "has no check" : this.checkReason;
    }
  }

  adminReason(): string {
    const own = this.adminChange?.state ?? this.settings.admin;
    if (own !== this.admin) return `its agent says ${this.agentAdmin}`;
    return this.adminChange?.reason ?? `the configuration says ${own}`;
  }
}

/** May one more request of this kind go there? Health is the caller's question. */
export function hasPlace(server: Server, tried: readonly Server[]): boolean {
  return !server.full && (tried.length === 0 || !tried.includes(server));
}
