/**
 * The ledger at work: takes records and measurements, keeps incidents and burn rates up to date, and
 * says what is new. After a restart it is given the same evidence again and what was told already, and
 * goes on as if nothing had been.
 */

import { BURN_RULES, BurnWatch, type BurnStatus } from "./burn.ts";
import { evidenceOfMeasure, evidenceOfRecord, type LedgerRecord, servicesOf } from "./evidence.ts";
import type { Incident } from "./incident.ts";
import { type Drill, incidentsOf } from "./incidents.ts";
import { type Span, union } from "./intervals.ts";
import { BUCKET_MS, type Measure } from "./measure.ts";
import { drillChange, type NamedPeriod, Periods } from "./periods.ts";
import { Series } from "./series.ts";
import { ServiceBook } from "./service-book.ts";
import type { LedgerService, LedgerSettings, PlannedWindow } from "./settings.ts";
import { incidentNews, type IncidentNews, Told } from "./told.ts";

export type LedgerAlert =
  | { readonly kind: "burn-started" | "burn-ended"; readonly burn: BurnStatus }
  | { readonly kind: "incident"; readonly news: IncidentNews };

/** More vantages than that are not watched: names come from outside. */
const MAX_VANTAGES = 64;

interface Kept {
  readonly service: LedgerService;
  readonly book: ServiceBook;
  readonly series: Map<string, Series>;
  readonly watches: Map<string, readonly BurnWatch[]>;
  incidents: readonly Incident[];
  burns: readonly BurnStatus[];
  stale: boolean;
}

export class Ledger {
  readonly #settings: LedgerSettings;
  readonly #kept: ReadonlyMap<string, Kept>;
  readonly #told: Told;
  readonly #maintenance = new Periods();
  readonly #drills = new Periods();

  constructor(settings: LedgerSettings) {
    this.#settings = settings;
    this.#told = new Told(settings.mergeMs);
    this.#kept = new Map(
      settings.services.map((service) => [
        service.name,
        {
          service,
          book: new ServiceBook(),
          series: new Map(),
          watches: new Map(),
          incidents: [],
          burns: [],
          stale: true,
        },
      ]),
    );
  }

  /** Of this node or another, new or late. */
  record(record: LedgerRecord): void {
    const { kind, subject, wallMs: atMs, reason } = record;
    if (this.#told.read(record)) return;
    if (kind === "maintenance-started" || kind === "maintenance-ended") {
      const untilMs = Number(record.data?.["untilMs"] ?? Infinity);
      const key = keyOf(record, ["id"]);
      const change = { key, subject, atMs, reason, untilMs };
      this.#maintenance.add(kind === "maintenance-started" ? "start" : "end", change);
      for (const kept of this.#kept.values()) kept.stale = true;
      return;
    }
    const drill = drillChange(record);
    if (drill !== undefined) {
      this.#drills.add(...drill);
      for (const kept of this.#kept.values()) kept.stale = true;
      return;
    }
    const evidence = evidenceOfRecord(record);
    if (evidence.length === 0) return;
    const ofIncident = record.subject !== "" && kind.startsWith("incident-");
    for (const { name } of servicesOf(record, this.#settings.services)) {
      const kept = this.#kept.get(name)!;
      if (ofIncident && name !== subject) continue;
      for (const one of evidence) kept.book.add(one);
      kept.stale = true;
    }
  }

  /** One whole bucket, once. */
  measured(measure: Measure): void {
    const kept = this.#kept.get(measure.service);
    if (kept === undefined) return;
    const harm = evidenceOfMeasure(measure, kept.service);
    if (harm !== undefined) kept.book.add(harm);
    kept.stale ||= harm !== undefined;
    let series = kept.series.get(measure.vantage);
    if (series === undefined) {
      if (kept.series.size >= MAX_VANTAGES) return;
      kept.series.set(measure.vantage, (series = new Series()));
    }
    series.add(measure.fromMs, measure);
  }

  /** What is new at `nowMs`, each thing once, also over restarts. */
  step(nowMs: number): readonly LedgerAlert[] {
    const alerts: LedgerAlert[] = [];
    for (const kept of this.#kept.values()) {
      // Of most services there is nothing, step after step.
      if (!kept.stale && kept.incidents.length === 0 && kept.series.size === 0) continue;
      this.#fold(kept, nowMs);
      for (const incident of kept.incidents) {
        for (const news of incidentNews(incident, this.#told)) {
          alerts.push({ kind: "incident", news });
        }
      }
      alerts.push(...this.#burn(kept, nowMs));
    }
    return alerts;
  }

  /** As of the last step; oldest first. */
  get incidents(): readonly Incident[] {
    return [...this.#kept.values()]
      .flatMap(({ incidents }) => incidents)
      .sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1));
  }

  get burns(): readonly BurnStatus[] {
    return [...this.#kept.values()].flatMap(({ burns }) => burns);
  }

  /** The same of one service: to look through those of all for each of a thousand takes long. */
  of(service: string): Pick<Ledger, "incidents" | "burns"> {
    return this.#kept.get(service) ?? { incidents: [], burns: [] };
  }

  /** Pieces of evidence that were too many to keep. */
  get dropped(): number {
    return [...this.#kept.values()].reduce((sum, { book }) => sum + book.dropped, 0);
  }

  /** The windows in which whatever happens to `service` was planned. */
  planned(service: string): PlannedWindow[] {
    const ofRecords = this.#maintenance.all().map(({ subject, fromMs, toMs, reason }) => {
      return { service: subject, fromMs, toMs, reason };
    });
    return [...this.#settings.planned, ...ofRecords]
      .filter((window) => window.service === "" || window.service === service)
      .sort((a, b) => a.fromMs - b.fromMs);
  }

  /** Begun by hand and not over; empty subject: all of them. */
  openMaintenance(subject: string, nowMs: number): readonly NamedPeriod[] {
    return this.#maintenance
      .all()
      .filter((one) => one.toMs > nowMs && (subject === "" || one.subject === subject));
  }

  drills(): Drill[] {
    // The last failures of a drill are counted when it is over already.
    return this.#drills.all().map(({ subject: name, fromMs, toMs }) => {
      return { name, fromMs: fromMs - BUCKET_MS, toMs: toMs + BUCKET_MS };
    });
  }

  #fold(kept: Kept, nowMs: number): void {
    const isOpen = kept.incidents.some(({ state }) => state !== "closed");
    if (!kept.stale && !isOpen) return;
    const planned: readonly Span[] = union(this.planned(kept.service.name));
    const around = { settings: this.#settings, planned, drills: this.drills(), nowMs };
    kept.incidents = incidentsOf(kept.service, kept.book, around);
    kept.stale = false;
  }

  #burn(kept: Kept, nowMs: number): LedgerAlert[] {
    const alerts: LedgerAlert[] = [];
    kept.burns = [...kept.series].flatMap(([vantage, series]) =>
      this.#watchesOf(kept, vantage).map((watch) => {
        const burn = watch.judge(nowMs, series);
        if (this.#told.burnChanged(burn)) {
          const kind = burn.state === "firing" ? "burn-started" : "burn-ended";
          alerts.push({ kind, burn });
        }
        return burn;
      }),
    );
    return alerts;
  }

  #watchesOf({ service, watches }: Kept, vantage: string): readonly BurnWatch[] {
    let list = watches.get(vantage);
    if (list === undefined) {
      list = BURN_RULES.map((rule) => {
        const since = this.#told.firingSince(service.name, vantage, rule.name);
        return new BurnWatch(service, vantage, rule, since);
      });
      watches.set(vantage, list);
    }
    return list;
  }
}

/** What a period is known by: the first of these that the record names, else its subject. */
function keyOf({ data, subject }: LedgerRecord, names: readonly string[]): string {
  const values = names.map((name) => data?.[name]);
  return values.find((value) => typeof value === "string") ?? subject;
}
