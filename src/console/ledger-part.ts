/**
 * The ledger as a part of the console: listens to records and measurements, keeps incidents and alerts
 * going, writes down what is new, and shows it. All that it knows follows from the journal's file.
 */

import type { Measurement } from "../core/journal/measurement.ts";
import type { DatabaseSync } from "node:sqlite";
import { alertRecord, isDelivered } from "../core/ledger/alert-message.ts";
import type { Incident } from "../core/ledger/incident.ts";
import { Ledger } from "../core/ledger/ledger.ts";
import type { LedgerSettings } from "../core/ledger/settings.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { keepSettings, keptSettings } from "../drivers/ledger-store.ts";
import { AlertDesk } from "./alert-desk.ts";
import type { Alert, IncidentView } from "./api.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import { isLedgerKind, type LedgerFile, refillLedger } from "./ledger-reading.ts";
import { ledgerMetrics } from "./ledger-metrics.ts";
import { ledgerRoutes, type OperatorRecord } from "./ledger-routes.ts";
import { type ServiceSummary, summaryOf } from "./ledger-summary.ts";
import type { Exhibits } from "./overview.ts";
import type { Route } from "./routes.ts";
import { measuresOf } from "./service-measures.ts";

const STEP_MS = 2_000;
/** Sums over 90 days are not made for every look. */
const SUMMARY_MS = 30_000;
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
  readonly #core: ConsoleCore;
  readonly #desk: AlertDesk;
  readonly #timer: NodeJS.Timeout;
  readonly #ends: (() => void)[];
  #settings: LedgerSettings = EMPTY;
  #settingsText = "";
  #ledger = new Ledger(EMPTY);
  #database: DatabaseSync | undefined;
  #summaries: readonly ServiceSummary[] = [];
  #summedMs = -Infinity;

  constructor(core: ConsoleCore) {
    this.#core = core;
    this.#desk = new AlertDesk(core.stateDirectory, (reason) => {
      const record = { source: "ledger", level: "warning", kind: "alert-trouble" } as const;
      core.journal.say({ ...record, subject: "", reason });
    });
    this.routes = ledgerRoutes({
      settings: () => this.#settings,
      ledger: () => this.#ledger,
      summaries: () => this.#summarised(),
      file: () => this.#file(),
      say: (record) => this.#say(record),
    });
    core.journal.onOpen((database) => {
      this.#database = database;
      this.#rebuild(this.#settings);
    });
    this.#ends = [
      core.journal.listen((records) => this.#heard(records)),
      core.measures.listen((spans) => this.#measured(spans)),
    ];
    this.configured();
    this.#timer = setInterval(() => this.#step(), STEP_MS);
    this.#timer.unref();
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
    clearInterval(this.#timer);
    for (const end of this.#ends) end();
    this.#desk.close();
  }

  exhibits(): Partial<Exhibits> {
    return {
      services: this.#summarised(),
      incidents: this.#shownIncidents(),
      alerts: this.#burnAlerts(),
    };
  }

  metricLines(): string {
    const summaries = this.#summarised();
    return ledgerMetrics({ settings: this.#settings, ledger: this.#ledger, summaries });
  }

  #rebuild(settings: LedgerSettings): void {
    this.#settings = settings;
    this.#summedMs = -Infinity;
    this.#ledger = new Ledger(settings);
    if (this.#database === undefined) return;
    try {
      if (settings.services.length > 0) keepSettings(this.#database, settings, this.#core.node());
      this.#ledger = refillLedger(this.#database, settings, wallMs());
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
    return { database: this.#database, settings: this.#settings, node: this.#core.node() };
  }

  #heard(records: readonly JournalRecord[]): void {
    for (const record of records) {
      // What it said itself it knows.
      if (record.source !== "ledger" && isLedgerKind(record.kind)) this.#ledger.record(record);
    }
  }

  #measured(spans: readonly Measurement[]): void {
    for (const service of this.#settings.services) {
      for (const measure of measuresOf(service, spans)) this.#ledger.measured(measure);
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
  }

  #summarised(): readonly ServiceSummary[] {
    if (monotonicMs() - this.#summedMs < SUMMARY_MS) return this.#summaries;
    this.#summedMs = monotonicMs();
    try {
      this.#summaries = this.#settings.services.map((service) =>
        summaryOf(this.#database, service, this.#ledger, wallMs()),
      );
    } catch {
      // The journal says that its file cannot be read; older sums are better than none.
    }
    return this.#summaries;
  }

  #shownIncidents(): IncidentView[] {
    const all = this.#ledger.incidents.filter(({ dismissed }) => dismissed === undefined);
    const open = all.filter(({ state }) => state !== "closed");
    const rest = all.filter(({ state }) => state === "closed");
    return [...open.toReversed(), ...rest.toReversed()].slice(0, SHOWN_INCIDENTS).map(viewOf);
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

function viewOf(incident: Incident): IncidentView {
  const { id, service, startMs, detectedMs, switchedMs, closedMs, score, cause } = incident;
  return {
    id,
    service,
    severity: incident.class,
    startMs,
    detectedMs,
    ...(switchedMs === undefined ? {} : { switchedMs }),
    ...(closedMs === undefined ? {} : { endMs: closedMs }),
    isPlanned: false,
    score,
    reason: cause,
    segments: incident.segments.map(({ severity, fromMs, toMs }) => {
      return { severity, startMs: fromMs, endMs: toMs };
    }),
    annotations: incident.annotations,
  };
}
