/**
 * The ledger as a part of the console: listens to records and measurements, keeps incidents and alerts
 * going, writes down what is new, and shows it. All that it knows follows from the journal's file.
 */

import type { Measurement } from "../core/journal/measurement.ts";
import type { DatabaseSync } from "node:sqlite";
import { alertRecord, isDelivered } from "../core/ledger/alert-message.ts";
import { Ledger } from "../core/ledger/ledger.ts";
import type { LedgerSettings } from "../core/ledger/settings.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import { onBeat } from "../drivers/beat.ts";
import { showLife } from "../daemon/role-spawn.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { keepSettings, keptSettings } from "../drivers/ledger-store.ts";
import { AlertDesk } from "./alert-desk.ts";
import type { Alert, IncidentView } from "./api.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import { isLedgerKind, type LedgerFile, refillLedger } from "./ledger-reading.ts";
import { ledgerMetrics } from "./ledger-metrics.ts";
import { alertsOfOthers, incidentsOfGroup, summariesOfGroup } from "./group-ledger.ts";
import { findIncident, takeForwarded } from "./incident-routes.ts";
import {
  type LedgerDesk,
  type LedgerNews,
  NEWS_FORMAT,
  type Neighbour,
  TOLD_INCIDENTS,
} from "./ledger-news.ts";
import { takeMaintenance } from "./maintenance-routes.ts";
import { burnViews, type LedgerModel, ledgerRoutes, type OperatorRecord } from "./ledger-routes.ts";
import {
  countsOf,
  type DayRows,
  rowsOf,
  type ServiceCounts,
  type ServiceSummary,
} from "./ledger-summary.ts";
import { takeDrillNews } from "./drill-news.ts";
import type { Exhibits } from "./overview.ts";
import type { Route } from "./routes.ts";
import { type SeriesModel, SeriesReader, seriesRoutes } from "./series.ts";
import { measuresOfAll } from "./service-measures.ts";

const STEP_MS = 2_000;
/** Sums over 90 days are not made for every look. */
const COUNT_MS = 30_000;
const NEWS_MS = 1_000;
const MAX_TOLD_BURNS = 500;
const MAX_LISTED = 1_000;
const SHOWN_INCIDENTS = 20;
/** Restarts and the first looks of a console are no time to wake people. */
const EMPTY: LedgerSettings = {
  services: [],
  classes: {},
  mergeMs: 0,
  falseStartMs: 0,
  timezone: "UTC",
  planned: [],
  alerts: { mail: false, webhooks: [], commands: [] },
};

export const LEDGER: ConsolePart = {
  name: "the ledger",
  start: (core) => new LedgerPart(core),
};

class LedgerPart implements RunningPart {
  readonly routes: readonly Route[];
  readonly ledger: LedgerDesk;
  readonly #core: ConsoleCore;
  readonly #desk: AlertDesk;
  readonly #ends: (() => void)[];
  #settings: LedgerSettings = EMPTY;
  #settingsText = "";
  #ledger = new Ledger(EMPTY);
  #database: DatabaseSync | undefined;
  #rows: readonly DayRows[] = [];
  #countedMs = -Infinity;
  #summaries: readonly ServiceSummary[] = [];
  #summedOf = "";
  readonly #bornMs = wallMs();
  #news: LedgerNews | undefined;
  #newsText = "";
  #newsMs = -Infinity;

  constructor(core: ConsoleCore) {
    this.#core = core;
    this.#desk = new AlertDesk(core.stateDirectory, (reason) => {
      const record = { source: "ledger", level: "warning", kind: "alert-trouble" } as const;
      core.journal.say({ ...record, subject: "", reason });
    });
    const model: LedgerModel = {
      node: () => core.node(),
      neighbours: () => this.#neighbours(),
      settings: () => this.#settings,
      ledger: () => this.#ledger,
      summaries: () => this.#ofGroup(),
      file: () => this.#file(),
      say: (record) => this.#say(record),
    };
    const charts: SeriesModel = {
      services: () => this.#settings.services,
      measures: core.measures,
      neighbours: () => this.#neighbours(),
    };
    const reader = new SeriesReader(charts);
    this.routes = [...ledgerRoutes(model), ...seriesRoutes(reader, charts)];
    this.ledger = {
      news: () => (this.#settings === EMPTY ? undefined : this.#told()),
      incidents: () => this.#ledger.incidents.slice(-MAX_LISTED).toReversed(),
      find: (id) => findIncident(this.#ledger.incidents, id),
      series: (wish) => reader.own(wish),
      order: (told, node) => {
        const from = { node, nowMs: wallMs() };
        return (
          takeMaintenance(model, told, from) ??
          takeDrillNews(model, told, from) ??
          takeForwarded(model, told, from)
        );
      },
    };
    core.journal.onOpen((database) => {
      this.#database = database;
      this.#rebuild(this.#settings);
    });
    this.#ends = [
      core.journal.listen((records) => this.#heard(records)),
      core.measures.listen((spans) => this.#measured(spans)),
      onBeat(() => this.#step(), STEP_MS),
    ];
    this.configured();
  }

  configured(): void {
    const service = this.#core.control.service;
    const settings = service?.ledger ?? this.#kept()?.settings;
    if (service !== undefined) this.#desk.configure(service);
    if (settings === undefined) return;
    const text = JSON.stringify(settings);
    if (text === this.#settingsText) return;
    this.#settingsText = text;
    this.#rebuild(settings);
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#desk.close();
  }

  exhibits(): Partial<Exhibits> {
    return {
      services: this.#ofGroup().map(({ byVantage: _counts, ...shown }) => shown),
      incidents: this.#shownIncidents(),
      alerts: [...this.#burnAlerts(), ...alertsOfOthers(this.#neighbours())],
    };
  }

  metricLines(): string {
    // Prometheus asks each node: only what this one saw.
    const summaries = this.#summarised([]);
    return ledgerMetrics({ settings: this.#settings, ledger: this.#ledger, summaries });
  }

  #rebuild(settings: LedgerSettings): void {
    this.#settings = settings;
    this.#countedMs = -Infinity;
    this.#rows = [];
    this.#newsMs = -Infinity;
    this.#ledger = new Ledger(settings);
    if (this.#database === undefined) return;
    try {
      if (settings.services.length > 0) keepSettings(this.#database, settings, this.#core.node());
      // A year of several services takes longer than a process may be silent.
      const goesOn = (): void => showLife("console", this.#core.directory.path);
      this.#ledger = refillLedger(this.#database, settings, wallMs(), goesOn);
    } catch (error) {
      const reason = `incidents before now are not known: ${(error as Error).message}`;
      const record = { source: "ledger", level: "warning", kind: "ledger-trouble" } as const;
      this.#core.journal.say({ ...record, subject: "", reason });
    }
  }

  #kept(): { readonly settings: LedgerSettings } | undefined {
    try {
      return this.#database === undefined ? undefined : keptSettings(this.#database);
    } catch {
      return undefined;
    }
  }

  #file(): LedgerFile | undefined {
    if (this.#database === undefined) return undefined;
    this.#core.journal.flush();
    const [{ stateDirectory: directory }, settings] = [this.#core, this.#settings];
    return { database: this.#database, settings, node: this.#core.node(), directory };
  }

  #heard(records: readonly JournalRecord[]): void {
    for (const record of records) {
      // What it said itself it knows.
      if (record.source !== "ledger" && isLedgerKind(record.kind)) this.#ledger.record(record);
    }
  }

  #measured(spans: readonly Measurement[]): void {
    for (const measure of measuresOfAll(this.#settings.services, spans)) {
      this.#ledger.measured(measure);
    }
  }

  #step(): void {
    const now = wallMs();
    for (const alert of this.#ledger.step(now)) {
      this.#core.journal.say({ source: "ledger", ...alertRecord(alert) });
      if (isDelivered(alert)) this.#desk.deliver(alert, this.#core.node(), now);
    }
  }

  #say(record: OperatorRecord): void {
    this.#core.journal.say({ source: "operator", level: "info", ...record });
    // Listeners are called by this: the answer of the request has it in.
    this.#core.journal.flush();
    this.#step();
    this.#newsMs = -Infinity;
  }

  /** This node's own; requests as of the last half minute. */
  #counted(): readonly ServiceCounts[] {
    const [{ services }, now] = [this.#settings, wallMs()];
    if (monotonicMs() - this.#countedMs >= COUNT_MS) {
      this.#countedMs = monotonicMs();
      try {
        this.#rows = services.map((one) => rowsOf(this.#database, one, this.#ledger, now));
      } catch {
        // The journal says that its file cannot be read; older sums are better than none.
      }
    }
    return services.map((one, i) => countsOf(this.#rows[i] ?? [], one, this.#ledger, now));
  }

  #summarised(neighbours: readonly Neighbour[]): readonly ServiceSummary[] {
    return summariesOfGroup(this.#settings.services, this.#counted(), neighbours, wallMs());
  }

  /** Of the group; again when anybody has something new. */
  #ofGroup(): readonly ServiceSummary[] {
    const neighbours = this.#neighbours();
    const stamps = neighbours.map(({ news }) => news?.stamp ?? "");
    const key = [this.#told().stamp, ...stamps].join(" ");
    if (key !== this.#summedOf) {
      this.#summedOf = key;
      this.#summaries = this.#summarised(neighbours);
    }
    return this.#summaries;
  }

  #neighbours(): readonly Neighbour[] {
    return this.#core.parts().flatMap((part) => part.neighbours?.() ?? []);
  }

  #shownIncidents(): readonly IncidentView[] {
    const own = { node: this.#core.node(), incidents: this.#ledger.incidents };
    const all = incidentsOfGroup(own, this.#neighbours(), wallMs()).filter(
      ({ dismissed }) => dismissed === undefined,
    );
    const open = all.filter(({ state }) => state !== "closed");
    const rest = all.filter(({ state }) => state === "closed");
    return [...open, ...rest].slice(0, SHOWN_INCIDENTS);
  }

  /** What is told to the other nodes; looked at anew at most once a second. */
  #told(): LedgerNews {
    const known = this.#news;
    if (known !== undefined && monotonicMs() - this.#newsMs < NEWS_MS) return known;
    this.#newsMs = monotonicMs();
    const { incidents } = this.#ledger;
    const burns = burnViews({ ledger: () => this.#ledger, node: () => this.#core.node() });
    const told = {
      format: NEWS_FORMAT,
      incidents: incidents.slice(-TOLD_INCIDENTS),
      alerts: this.#burnAlerts(),
      burns: burns.filter(({ state }) => state !== "no-data").slice(0, MAX_TOLD_BURNS),
      services: this.#counted(),
    };
    const text = JSON.stringify(told);
    if (known !== undefined && text === this.#newsText) return known;
    this.#newsText = text;
    // Another life of this process counts from another moment.
    this.#news = { ...told, stamp: `${this.#bornMs} ${this.#newsMs}` };
    return this.#news;
  }

  #burnAlerts(): Alert[] {
    return this.#ledger.burns
      .filter(({ state }) => state === "firing")
      .map(({ service, vantage, rule, sinceMs, reason }) => ({
        level: rule.urgency === "page" ? ("error" as const) : ("warning" as const),
        subject: service,
        node: this.#core.node(),
        sinceMs,
        sentence: {
          code: "budget-burns",
          args: { service, vantage, rule: rule.name },
          text: `${service}: ${reason} (${vantage})`,
        },
      }));
  }
}
