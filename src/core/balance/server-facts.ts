/**
 * What is told of a server and what is decided about it alone: checks, the operator, ejection, drain.
 * Each change is logged with its reason here; who may be picked afterwards is the roster's question.
 */

import { ejectionMs, startCounting } from "./outlier.ts";
import { roughly, type PoolLog } from "./pool-log.ts";
import type { AdminChange, HealthVerdict } from "./pool-ports.ts";
import type { AdminState, PoolSettings, ServerSettings } from "./pool-settings.ts";
import type { Server } from "./server.ts";
import type { Ejection } from "./shared-ejections.ts";

const NOTHING_HEARD: { readonly up: undefined } & Omit<HealthVerdict, "up"> = {
  up: undefined,
  reason: "not checked yet",
};

export class ServerFacts {
  readonly #log: PoolLog;
  #settings: PoolSettings;

  constructor(settings: PoolSettings, log: PoolLog) {
    this.#settings = settings;
    this.#log = log;
  }

  update(settings: PoolSettings): void {
    this.#settings = settings;
  }

  /** True when anything has changed, if only the reason; most verdicts repeat what is known. Undefined: none holds. */
  heard(now: number, server: Server, verdict: HealthVerdict | undefined): boolean {
    const heard = verdict ?? NOTHING_HEARD;
    const { up, reason, weightPercent = 100, admin = "ready", maxConnections } = heard;
    let changed = server.checkUp !== up;
    // A check process that is new tells again what was known before.
    const isNews = changed || server.checkReason !== reason;
    server.checkReason = reason;
    if (changed) {
      server.checkUp = up;
      if (up !== undefined) this.#log.add(now, up ? "up" : "down", server, reason);
      if (up === false && this.#settings.killOnDown) this.cut(now, server, "it is down");
    }
    // Its second ejection in a short time shows that the check does not see what is wrong.
    // One that others decided on is theirs to judge: what a new worker is told first is no news.
    const isFirstHere = server.ejected && server.isEjectedHere && server.ejectionLevel === 1;
    if (up === true && isNews && isFirstHere) {
      this.returned(now, server, `active check: ${reason}`);
      changed = true;
    }
    if (weightPercent !== server.agentPercent) {
      const percent = `${server.agentPercent} % -> ${weightPercent} %`;
      this.#log.add(now, "weight", server, `${percent}, says its check`);
      server.agentPercent = weightPercent;
      changed = true;
    }
    if (maxConnections !== server.agentMaxConnections) {
      server.agentMaxConnections = maxConnections;
      changed = true;
    }
    if (admin !== server.agentAdmin) {
      const before = server.admin;
      server.agentAdmin = admin;
      this.#adminChanged(now, server, before);
      changed = true;
    }
    return changed || isNews;
  }

  /** Undefined: what the configuration says holds again. */
  ordered(now: number, server: Server, change: AdminChange | undefined): void {
    const before = server.admin;
    server.adminChange = change;
    this.#adminChanged(now, server, before);
    if (server.admin === before && change?.deadlineMs !== undefined && before !== "ready") {
      this.#startDrain(now, server, change.deadlineMs);
    }
  }

  weighted(now: number, server: Server, weight: number | undefined): void {
    const before = server.baseWeight;
    server.weightChange = weight;
    this.#weightChanged(now, server, before);
  }

  ejected(now: number, server: Server, reason: string): void {
    server.ejectionLevel++;
    server.ejections++;
    const ms = ejectionMs(server.ejectionLevel, this.#settings.outlier);
    server.ejectedUntil = now + ms;
    server.ejectionReason = reason;
    server.isEjectedHere = true;
    server.shared?.publish({ untilMs: now + ms, level: server.ejectionLevel, reason });
    this.#log.add(now, "ejected", server, `${reason}; out for ${roughly(ms)}`);
  }

  /** Another worker did it, and tells of it. */
  ejectedElsewhere(server: Server, { untilMs, level, reason }: Ejection): void {
    server.ejectionLevel = level;
    server.ejectedUntil = untilMs;
    server.ejectionReason = reason;
    server.isEjectedHere = false;
  }

  returned(now: number, server: Server, reason: string): void {
    const isOurs = server.shared?.end(server.ejectedUntil) ?? true;
    this.returnedElsewhere(now, server);
    if (isOurs) this.#log.add(now, "returned", server, reason);
  }

  /** Another worker saw to it, and tells of it. */
  returnedElsewhere(now: number, server: Server): void {
    server.ejectedUntil = Infinity;
    server.returnedAt = now;
    server.errorsInRow = 0;
    server.isEjectedHere = false;
    // It has paid for its errors: our own interval, which began at another time, judges by them no more.
    startCounting(server);
  }

  joins(now: number, server: Server): void {
    server.leaving = false;
    this.#log.add(now, "added", server, "in the configuration");
    if (server.admin === "ready") this.#endDrain(server);
    else this.#startDrain(now, server, this.#settings.drainDeadlineMs);
  }

  leaves(now: number, server: Server): void {
    server.leaving = true;
    this.leavesNoPast(server);
    server.adminChange = undefined;
    server.weightChange = undefined;
    this.#log.add(now, "removed", server, "not in the configuration any more");
    this.#startDrain(now, server, this.#settings.drainDeadlineMs);
  }

  /** For all workers: one that comes back under its name has no past. */
  leavesNoPast({ shared, ejected, ejectedUntil }: Server): void {
    if (ejected) shared?.end(ejectedUntil);
    shared?.forgive();
  }

  /** Other settings under the same name: what changed there counts more than older orders. */
  configured(now: number, server: Server, settings: ServerSettings): void {
    const before = server.settings;
    const { admin, baseWeight } = server;
    server.settings = settings;
    if (settings.admin !== before.admin) server.adminChange = undefined;
    if (settings.weight !== before.weight) server.weightChange = undefined;
    this.#adminChanged(now, server, admin);
    this.#weightChanged(now, server, baseWeight);
    // Of other checks, or those of another address, the check process tells what they find and what holds no more.
    if (settings.check === undefined) this.heard(now, server, undefined);
    if (endpointText(settings) !== endpointText(before)) this.#moved(now, server);
  }

  /** Its last request has ended. */
  emptied(now: number, server: Server): void {
    if (server.drained || (server.admin === "ready" && !server.leaving)) return;
    server.drained = true;
    this.#log.add(now, "drained", server, "no request left");
  }

  /** Requests that still run are cut, and clients bound to it are sent elsewhere from now on. */
  drainEnds(now: number, server: Server): void {
    server.drainEndsAt = Infinity;
    server.drainOver = true;
    if (server.active > 0) {
      const left = requests(server.active);
      this.#log.add(now, "drain-deadline", server, `time is over with ${left} left`);
      this.cut(now, server, "its time to drain is over");
    } else if (this.#settings.stickiness.kind !== "none") {
      const reason = "time is over: clients bound to it go elsewhere from now on";
      this.#log.add(now, "drain-deadline", server, reason);
    }
  }

  cut(now: number, server: Server, reason: string): void {
    this.#log.add(now, "cut-connections", server, reason);
  }

  #adminChanged(now: number, server: Server, before: AdminState): void {
    const { admin } = server;
    if (admin === before) return;
    const kind = admin === "drain" ? "drain-started" : admin;
    this.#log.add(now, kind, server, server.adminReason());
    if (admin === "ready") this.#endDrain(server);
    else {
      const ms = server.adminChange?.deadlineMs ?? this.#settings.drainDeadlineMs;
      this.#startDrain(now, server, ms);
    }
  }

  #weightChanged(now: number, server: Server, before: number): void {
    if (server.baseWeight === before) return;
    this.#log.add(now, "weight", server, `${before} -> ${server.baseWeight}`);
  }

  /** Another machine or program: what was learned of the old one says nothing of it. */
  #moved(now: number, server: Server): void {
    this.#log.add(now, "moved", server, `listens at ${endpointText(server.settings)}`);
    server.latencyMs = -1;
    server.answerMs = -1;
    server.errorsInRow = 0;
    server.shared?.forgive();
    server.ejectionLevel = 0;
    if (server.ejected) this.returned(now, server, "it has another address");
  }

  #startDrain(now: number, server: Server, ms: number): void {
    server.drained = false;
    server.drainOver = false;
    server.drainEndsAt = now + ms;
    if (server.active === 0) this.emptied(now, server);
  }

  #endDrain(server: Server): void {
    server.drained = false;
    server.drainOver = false;
    server.drainEndsAt = Infinity;
  }
}

/** `left: 3 requests, 41 s`. */
export function drainText(active: number, leftMs: number): string {
  return `left: ${requests(active)}, ${roughly(leftMs)}`;
}

function endpointText({ endpoint }: ServerSettings): string {
  if (endpoint.kind === "unix") return endpoint.path;
  return `${endpoint.kind === "ip" ? endpoint.address : endpoint.host} port ${endpoint.port}`;
}

function requests(count: number): string {
  return count === 1 ? "1 request" : `${count} requests`;
}
