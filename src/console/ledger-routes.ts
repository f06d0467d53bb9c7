/** The ledger over HTTP: incidents and what people say about them, maintenance, the report. */

import type { Ledger } from "../core/ledger/ledger.ts";
import type { LedgerSettings } from "../core/ledger/settings.ts";
import type { BurnView, ObjectiveView } from "./api.ts";
import { burnsOfOthers } from "./group-ledger.ts";
import { incidentRoutes } from "./incident-routes.ts";
import { maintenanceRoutes } from "./maintenance-routes.ts";
import type { Neighbour } from "./ledger-news.ts";
import { monthOf, parseMonth } from "./report/month.ts";
import { FORMATS, formatReport } from "./report/format.ts";
import { LANGUAGES, type Language } from "./report/words.ts";
import type { ServiceSummary } from "./ledger-summary.ts";
import { reportFrom, type LedgerFile } from "./ledger-reading.ts";
import { type Answer, type Call, json, problem, type Route } from "./routes.ts";

export interface LedgerModel {
  /** This one. */
  readonly node: () => string;
  readonly neighbours: () => readonly Neighbour[];
  readonly settings: () => LedgerSettings;
  readonly ledger: () => Ledger;
  /** Of the whole group. */
  readonly summaries: () => readonly ServiceSummary[];
  /** Undefined while the file cannot be read. */
  readonly file: () => LedgerFile | undefined;
  /** A record with source `operator`; in the ledger when this returns. */
  readonly say: (record: OperatorRecord) => void;
}

export interface OperatorRecord {
  readonly kind: string;
  /** Default: `operator`. */
  readonly source?: "operator" | "drill";
  /** A service or a drill; empty: all services. */
  readonly subject: string;
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function ledgerRoutes(model: LedgerModel): readonly Route[] {
  return [...readingRoutes(model), ...incidentRoutes(model), ...maintenanceRoutes(model)];
}

function readingRoutes(model: LedgerModel): Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/objectives",
      access: "read",
      summary: "What each service should give, what is left of its budget, and how fast it goes.",
      answers: "ObjectiveList",
      handle: () => json({ objectives: objectivesOf(model) }),
    },
    {
      method: "GET",
      path: "/api/v1/report",
      access: "read",
      summary: "The availability report of a month; as JSON or, with `format`, a document.",
      query: {
        month: { type: "string", description: "2026-11; default: this one." },
        service: { type: "string", description: "Only of this one." },
        format: { type: "string", description: "Its form.", choices: FORMATS },
        lang: { type: "string", description: "Its language.", choices: LANGUAGES },
      },
      answers: "ReportData",
      handle: (call) => report(model, call),
    },
  ];
}

function objectivesOf(model: LedgerModel): ObjectiveView[] {
  const burns = [...burnViews(model), ...burnsOfOthers(model.neighbours())];
  return model.settings().services.flatMap(({ name, objectives }) => {
    const summary = model.summaries().find((one) => one.name === name);
    if (summary === undefined) return [];
    const { availability, budget } = summary;
    return [
      {
        service: name,
        objectives,
        ...(availability === undefined ? {} : { availability }),
        budget,
        burns: burns.filter(({ service }) => service === name),
      },
    ];
  });
}

/** This node's own. */
export function burnViews({ ledger, node }: Pick<LedgerModel, "ledger" | "node">): BurnView[] {
  return ledger().burns.map(({ service, vantage, rule, state, long, short, reason }) => {
    return { node: node(), service, vantage, rule: rule.name, state, long, short, reason };
  });
}

function report(model: LedgerModel, { query, nowMs }: Call): Answer {
  const file = model.file();
  if (file === undefined) return problem(503, "no-journal", "the journal cannot be read now");
  const { timezone } = file.settings;
  const { month: text, service, format = "json", lang = "en" } = query;
  const month = text === undefined ? monthOf(nowMs, timezone) : parseMonth(String(text));
  if (month === undefined) return problem(400, "no-month", "write a month as 2026-11");
  const only = service === undefined ? {} : { service: String(service) };
  const data = reportFrom(file, month, { nowMs, ...only });
  const wanted = { month, lang: lang as Language, format: format as (typeof FORMATS)[number] };
  const { directory } = file;
  const { body, type } = formatReport(data, { ...wanted, ...only, directory });
  const headers = { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" };
  return { status: 200, headers, body };
}
