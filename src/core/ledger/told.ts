/** What the ledger has said already, in this life or an earlier one: nothing is said twice. */

import type { BurnStatus } from "./burn.ts";
import type { LedgerRecord } from "./evidence.ts";
import type { Incident } from "./incident.ts";

export type IncidentStage = "opened" | "switched" | "restored" | "closed";

export interface IncidentNews {
  readonly stage: IncidentStage;
  readonly incident: Incident;
  /** A sentence for journal and mail. */
  readonly reason: string;
}

/** Incidents that are remembered as told; far more than a year of them. */
const MAX_TOLD = 20_000;

export class Told {
  /** By `stage service`, the beginnings of incidents. */
  readonly #stages = new Map<string, number[]>();
  readonly #firing = new Map<string, number>();
  readonly #sameMs: number;
  /** Incidents that are over, of which everything was told: looked through again only when they change. */
  readonly #over = new Set<string>();

  /** `mergeMs`: incidents are further apart. */
  constructor(mergeMs: number) {
    this.#sameMs = Math.min(SAME_MS, mergeMs);
  }

  /** True: the record is one of the ledger's own, and now remembered. */
  read({ source, kind, subject, wallMs, data }: LedgerRecord): boolean {
    if (source !== "ledger") return false;
    const stage = /^incident-(opened|switched|restored|closed)$/u.exec(kind)?.[1];
    const startMs = Number(data?.["startMs"]);
    if (stage !== undefined && startMs >= 0) this.#remember(`${stage} ${subject}`, startMs);
    const key = `${subject} ${String(data?.["vantage"])} ${String(data?.["rule"])}`;
    if (kind === "burn-started") this.#firing.set(key, wallMs);
    if (kind === "burn-ended") this.#firing.delete(key);
    return true;
  }

  firingSince(service: string, vantage: string, rule: string): number | undefined {
    return this.#firing.get(`${service} ${vantage} ${rule}`);
  }

  burnChanged({ service, vantage, rule, state, sinceMs }: BurnStatus): boolean {
    const key = `${service} ${vantage} ${rule.name}`;
    const fires = state === "firing";
    if (fires === this.#firing.has(key)) return false;
    if (fires) this.#firing.set(key, sinceMs);
    else this.#firing.delete(key);
    return true;
  }

  /** True the first time. An incident whose beginning moved by late evidence is the same one. */
  isFirst(stage: IncidentStage, { service, startMs, closedMs }: Incident): boolean {
    const key = `${stage} ${service}`;
    const known = this.#stages.get(key) ?? [];
    const untilMs = closedMs ?? Infinity;
    const same = known.some(
      (ms) => ms >= startMs - this.#sameMs && ms <= Math.max(startMs, untilMs),
    );
    if (same) return false;
    this.#remember(key, startMs);
    return true;
  }

  /** True: `incident` is as it was when all of it had been told. */
  isOver({ id, state, dismissed }: Incident): boolean {
    return state === "closed" && this.#over.has(`${id} ${dismissed ?? ""}`);
  }

  toldAll({ id, state, dismissed }: Incident): void {
    if (state !== "closed") return;
    if (this.#over.size >= MAX_TOLD) this.#over.clear();
    this.#over.add(`${id} ${dismissed ?? ""}`);
  }

  #remember(key: string, startMs: number): void {
    const known = this.#stages.get(key) ?? [];
    known.push(startMs);
    if (known.length > MAX_TOLD) known.shift();
    this.#stages.set(key, known);
  }
}

/** Beginnings that near are one: evidence of one fault comes within a few buckets. */
const SAME_MS = 60_000;

export function incidentNews(incident: Incident, told: Told): IncidentNews[] {
  if (told.isOver(incident)) return [];
  const { service, state, restoredMs, switchedMs, recovery, drill, dismissed } = incident;
  // What turned out to be nothing is told only if it was told that it began.
  const stages: [IncidentStage, boolean, string][] = [
    ["opened", dismissed === undefined, incident.cause],
    ["switched", switchedMs !== undefined && dismissed === undefined, incident.switchedBy ?? ""],
    ["restored", restoredMs !== undefined && state !== "open", `${service} answers: ${recovery}`],
    ["closed", state === "closed", dismissed ?? closingWords(incident)],
  ];
  const isKnown = dismissed === undefined;
  const news = stages.flatMap(([stage, is, words]) => {
    if (!is || (!isKnown && stage !== "closed") || !told.isFirst(stage, incident)) return [];
    const reason = `${incident.id} ${stage}: ${words}${drill === undefined ? "" : ` (drill ${drill})`}`;
    return [{ stage, incident, reason }];
  });
  told.toldAll(incident);
  return news;
}

function closingWords({ harmMs, class: given, score, recovery }: Incident): string {
  const minutes = Number((harmMs / 60_000).toFixed(2));
  const harm =
    harmMs === 0 ? "nobody was hurt" : `${minutes} min, score ${Number(score.toFixed(1))}`;
  return `class ${given}, ${harm}, recovered ${recovery}`;
}
