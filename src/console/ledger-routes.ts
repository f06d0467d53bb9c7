/** The ledger over HTTP: incidents and what people say about them, maintenance, the report. */

import { shareProblem } from "../core/ledger/budget.ts";
import type { Incident } from "../core/ledger/incident.ts";
import { splitId } from "../core/ledger/incidents.ts";
import type { Ledger } from "../core/ledger/ledger.ts";
import type { BurnState } from "../core/ledger/burn.ts";
import {
  DISMISSED,
  type LedgerSettings,
  type Objectives,
  type Owner,
} from "../core/ledger/settings.ts";
import type { Budget } from "./api.ts";
import type { Identity } from "./identity.ts";
import { monthOf, parseMonth } from "./report/month.ts";
import { FORMATS, formatReport } from "./report/format.ts";
import { LANGUAGES, type Language } from "./report/words.ts";
import type { ServiceSummary } from "./ledger-summary.ts";
import { reportFrom, type LedgerFile } from "./ledger-reading.ts";
import { type Answer, type Call, json, problem, type Route } from "./routes.ts";

export interface LedgerModel {
  readonly settings: () => LedgerSettings;
  readonly ledger: () => Ledger;
  readonly summaries: () => readonly ServiceSummary[];
  /** Undefined while the file cannot be read. */
  readonly file: () => LedgerFile | undefined;
  /** A record with source `operator`; in the ledger when this returns. */
  readonly say: (record: OperatorRecord) => void;
}

/** One service: its aims and how it stands. */
export interface ObjectiveView {
  readonly service: string;
  readonly objectives: Objectives;
  /** Share of good requests within the window, where it is worst; absent: nothing measured. */
  readonly availability?: number;
  readonly budget: Budget;
  readonly burns: readonly {
    readonly vantage: string;
    readonly rule: string;
    readonly state: BurnState;
    readonly long: number;
    readonly short: number;
    readonly reason: string;
  }[];
}

export interface OperatorRecord {
  readonly kind: string;
  /** A service; empty: all. */
  readonly subject: string;
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const WHO = {
  type: "string",
  description: "Only over the unix socket: who asks.",
  maxLength: 64,
} as const;
const TEXT = { type: "string", required: true, maxLength: 500 } as const;
const ID_PATH = "/api/v1/incidents/{id}";

export function ledgerRoutes(model: LedgerModel): readonly Route[] {
  return [...readingRoutes(model), ...incidentOrders(model), ...maintenanceRoutes(model)];
}

function readingRoutes(model: LedgerModel): Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/incidents",
      access: "read",
      summary: "Incidents, newest first.",
      query: { service: { type: "string", description: "Only of this one." } },
      answers: "{ incidents: Incident[] }",
      handle: ({ query }) => {
        const { service } = query;
        const all = model.ledger().incidents.toReversed();
        return json({ incidents: all.filter((one) => !service || one.service === service) });
      },
    },
    {
      method: "GET",
      path: ID_PATH,
      access: "read",
      summary: "One incident with all that is known of it.",
      answers: "Incident",
      handle: (call) => withIncident(model, call, (incident) => json(incident)),
    },
    {
      method: "GET",
      path: "/api/v1/objectives",
      access: "read",
      summary: "What each service should give, what is left of its budget, and how fast it goes.",
      answers: "{ objectives: ObjectiveView[] }",
      handle: () => json({ objectives: objectivesOf(model) }),
    },
    {
      method: "GET",
      path: "/api/v1/report",
      access: "read",
      summary: "The availability report of a month.",
      query: {
        month: { type: "string", description: "2026-11; default: this one." },
        service: { type: "string", description: "Only of this one." },
        format: { type: "string", description: "Its form.", choices: FORMATS },
        lang: { type: "string", description: "Its language.", choices: LANGUAGES },
      },
      answers: "ReportData, or a document",
      handle: (call) => report(model, call),
    },
  ];
}

function objectivesOf(model: LedgerModel): ObjectiveView[] {
  const { burns } = model.ledger();
  return model.settings().services.flatMap(({ name, objectives }) => {
    const summary = model.summaries().find((one) => one.name === name);
    if (summary === undefined) return [];
    const { availability, budget } = summary;
    const own = burns.filter((burn) => burn.service === name);
    return [
      {
        service: name,
        objectives,
        ...(availability === undefined ? {} : { availability }),
        budget,
        burns: own.map(({ vantage, rule, state, long, short, reason }) => {
          return { vantage, rule: rule.name, state, long, short, reason };
        }),
      },
    ];
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
  const { body, type } = formatReport(data, { ...wanted, ...only });
  const headers = { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" };
  return { status: 200, headers, body };
}

/** Writes down what somebody says of an incident; the answer is what it is now. */
function sayOf(model: LedgerModel, call: Call, what: string, data: object = {}): Answer {
  return withIncident(model, call, (incident) => {
    const { body, viewer } = call;
    const reason = textOf(body, "text") || textOf(body, "reason");
    const said = { id: incident.id, who: whoOf(viewer, body), ...data };
    model.say({ kind: `incident-${what}`, subject: incident.service, reason, data: said });
    return withIncident(model, call, (after) => json(after));
  });
}

function incidentOrders(model: LedgerModel): Route[] {
  const common = { method: "POST", access: "operate", answers: "Incident" } as const;
  const reason = { ...TEXT, description: "Why." };
  return [
    {
      ...common,
      path: `${ID_PATH}/annotations`,
      summary: "Adds a note; notes are never taken away.",
      body: { text: { ...TEXT, description: "What to know about it." }, who: WHO },
      handle: (call) => sayOf(model, call, "annotated"),
    },
    {
      ...common,
      path: `${ID_PATH}/class`,
      summary: `Gives it another class; '${DISMISSED}' means that it counts for nothing.`,
      body: { class: { ...TEXT, description: "As in nines.yaml." }, reason, who: WHO },
      handle: (call) => {
        const wanted = textOf(call.body, "class");
        const known = [...Object.keys(model.settings().classes), DISMISSED];
        if (known.includes(wanted)) return sayOf(model, call, "class-changed", { class: wanted });
        const detail = `there is no class '${wanted}'; there are: ${known.join(" ")}`;
        return problem(422, "no-class", detail);
      },
    },
    {
      ...common,
      path: `${ID_PATH}/owners`,
      summary: "Says whose it was, in percent that make 100.",
      body: { owners: { ...TEXT, description: "network=60 platform=40" }, reason, who: WHO },
      handle: (call) => {
        const owners = parseOwners(textOf(call.body, "owners"));
        if (typeof owners === "string") return problem(422, "wrong-shares", owners);
        return sayOf(model, call, "owners-changed", { owners });
      },
    },
    {
      ...common,
      path: `${ID_PATH}/settle`,
      summary: "Says that it is over, whatever part is still missing.",
      body: { reason, who: WHO },
      handle: (call) => sayOf(model, call, "settled"),
    },
  ];
}

const MAINTENANCE = "/api/v1/maintenance";
const SERVICE = { type: "string", description: "Which service; absent: all." } as const;

function maintenanceRoutes(model: LedgerModel): Route[] {
  const answers = "{ windows: PlannedWindow[] }";
  return [
    {
      method: "GET",
      path: MAINTENANCE,
      access: "read",
      summary: "Planned times: left out of availability and scores.",
      answers,
      handle: () => windowsOf(model),
    },
    {
      method: "POST",
      path: MAINTENANCE,
      access: "operate",
      summary: "Begins a planned time now.",
      body: {
        service: SERVICE,
        reason: { ...TEXT, description: "Why, for the report." },
        forMs: { type: "number", description: "It ends by itself then.", minimum: 1000 },
        who: WHO,
      },
      answers,
      handle: (call) => beginMaintenance(model, call),
    },
    {
      method: "POST",
      path: `${MAINTENANCE}/end`,
      access: "operate",
      summary: "Ends planned times that were begun by hand.",
      body: { service: SERVICE, who: WHO },
      answers,
      handle: (call) => endMaintenance(model, call),
    },
  ];
}

function windowsOf(model: LedgerModel): Answer {
  const windows = model.settings().services.flatMap(({ name }) =>
    model
      .ledger()
      .planned(name)
      .map((one) => ({ ...one, service: name })),
  );
  // JSON has no infinity: a window that is open has no end.
  const shown = windows.map(({ toMs, ...one }) => (toMs === Infinity ? one : { ...one, toMs }));
  return json({ windows: shown });
}

function beginMaintenance(model: LedgerModel, { body, viewer, nowMs }: Call): Answer {
  const subject = textOf(body, "service");
  if (!isService(model, subject)) return noService(model, subject);
  const { forMs } = body;
  const until = typeof forMs === "number" ? { untilMs: nowMs + forMs } : {};
  const data = { id: `m-${nowMs}`, who: whoOf(viewer, body), ...until };
  model.say({ kind: "maintenance-started", subject, reason: textOf(body, "reason"), data });
  return windowsOf(model);
}

function endMaintenance(model: LedgerModel, { body, viewer, nowMs }: Call): Answer {
  const subject = textOf(body, "service");
  if (!isService(model, subject)) return noService(model, subject);
  const open = model.ledger().openMaintenance(subject, nowMs);
  const who = whoOf(viewer, body);
  for (const one of open) {
    const reason = `maintenance is over: ${one.reason}`;
    const data = { id: one.key, who };
    model.say({ kind: "maintenance-ended", subject: one.subject, reason, data });
  }
  if (open.length > 0) return windowsOf(model);
  return problem(409, "no-maintenance", "no maintenance was begun by hand there");
}

function isService(model: LedgerModel, name: string): boolean {
  return name === "" || model.settings().services.some((one) => one.name === name);
}

function noService(model: LedgerModel, name: string): Answer {
  const names = model.settings().services.map((one) => one.name);
  return problem(404, "no-service", `there is no service '${name}'; there are: ${names.join(" ")}`);
}

function withIncident(
  model: LedgerModel,
  { params }: Call,
  answer: (incident: Incident) => Answer,
): Answer {
  const id = params["id"] ?? "";
  const found = findIncident(model.ledger().incidents, id);
  if (found !== undefined) return answer(found);
  return problem(404, "no-incident", `there is no incident '${id}'`);
}

/** By its id, or by one that it had before late evidence moved its beginning. */
export function findIncident(incidents: readonly Incident[], id: string): Incident | undefined {
  const exact = incidents.find((one) => one.id === id);
  if (exact !== undefined) return exact;
  const [service, atMs] = splitId(id);
  if (atMs === undefined) return undefined;
  return incidents.find(
    (one) =>
      one.service === service &&
      one.startMs - 60_000 <= atMs &&
      atMs <= (one.closedMs ?? Number.POSITIVE_INFINITY),
  );
}

/** `network=60 platform=40`; a sentence when they do not make 100. */
export function parseOwners(text: string): Owner[] | string {
  const words = text.split(/[\s,]+/u).filter((word) => word !== "");
  const owners: Owner[] = [];
  for (const word of words) {
    const [, name, share] = /^([^=]+)=(\d+(?:\.\d+)?)%?$/u.exec(word) ?? [];
    if (name === undefined) return `'${word}' is not NAME=PERCENT`;
    owners.push({ name, share: Number(share) });
  }
  if (owners.length === 0) return "name at least one: NAME=100";
  return shareProblem(owners) ?? owners;
}

function whoOf(viewer: Identity, body: Readonly<Record<string, unknown>>): string {
  const { who } = body;
  // Whoever may use the socket could be anybody on this machine: the command line says who it is.
  return viewer.who === "local" && typeof who === "string" && who !== "" ? who : viewer.who;
}

/** Bodies were checked against their fields: absent is empty. */
function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  return typeof value === "string" ? value : "";
}
