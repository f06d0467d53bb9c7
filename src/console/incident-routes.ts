/**
 * Incidents over HTTP: those of the whole group, whichever node is asked. What people say about one is
 * written where it lives, so an order for another node's incident is carried there.
 */

import { shareProblem } from "../core/ledger/budget.ts";
import type { GroupIncident } from "../core/ledger/group-incidents.ts";
import type { Incident } from "../core/ledger/incident.ts";
import { splitId } from "../core/ledger/incidents.ts";
import { DISMISSED, type Owner } from "../core/ledger/settings.ts";
import { type Fields, mistakeIn } from "./fields.ts";
import { incidentsOfGroup } from "./group-ledger.ts";
import type { Identity } from "./identity.ts";
import {
  type ForwardedOrder,
  INCIDENT_WORDS,
  type IncidentWord,
  type Neighbour,
  toldBy,
} from "./ledger-news.ts";
import type { LedgerModel } from "./ledger-routes.ts";
import { type Answer, type Call, json, problem, type Route } from "./routes.ts";

export const WHO = {
  type: "string",
  description: "Only over the unix socket: who asks.",
  maxLength: 64,
} as const;
export const TEXT = { type: "string", required: true, maxLength: 500 } as const;

const LIST_PATH = "/api/v1/incidents";
const ID_PATH = "/api/v1/incidents/{id}";
const REASON = { ...TEXT, description: "Why." };

const WORDS: Readonly<Record<IncidentWord, { readonly summary: string; readonly body: Fields }>> = {
  annotations: {
    summary: "Adds a note; notes are never taken away.",
    body: { text: { ...TEXT, description: "What to know about it." } },
  },
  class: {
    summary: `Gives it another class; '${DISMISSED}' means that it counts for nothing.`,
    body: { class: { ...TEXT, description: "As in nines.yaml." }, reason: REASON },
  },
  owners: {
    summary: "Says whose it was, in percent that make 100.",
    body: { owners: { ...TEXT, description: "network=60 platform=40" }, reason: REASON },
  },
  settle: {
    summary: "Says that it is over, whatever part is still missing.",
    body: { reason: REASON },
  },
};

export function incidentRoutes(model: LedgerModel): Route[] {
  return [
    {
      method: "GET",
      path: LIST_PATH,
      access: "read",
      summary: "Incidents of the group, newest first.",
      query: {
        service: { type: "string", description: "Only of this one." },
        node: { type: "string", description: "Only those of this node's ledger, as it has them." },
      },
      answers: "IncidentList",
      handle: (call) => list(model, call),
    },
    {
      method: "GET",
      path: ID_PATH,
      access: "read",
      summary: "One incident with all that is known of it. `ID@NODE`: of that node's ledger.",
      answers: "IncidentView",
      handle: (call) => one(model, call),
    },
    ...INCIDENT_WORDS.map((what): Route => ({
      method: "POST",
      path: `${ID_PATH}/${what}`,
      access: "operate",
      summary: WORDS[what].summary,
      body: { ...WORDS[what].body, who: WHO },
      answers: "IncidentView",
      handle: (call) => order(model, what, call),
    })),
  ];
}

async function list(model: LedgerModel, { query, nowMs }: Call): Promise<Answer> {
  const { service, node } = query;
  const isWanted = (incident: Incident): boolean => !service || incident.service === service;
  if (node === undefined) return json({ incidents: groupOf(model, nowMs).filter(isWanted) });
  if (node === model.node()) {
    const own = incidentsOfGroup(ownOf(model), [], nowMs);
    return json({ incidents: own.filter(isWanted) });
  }
  const other = model.neighbours().find(({ name }) => name === node);
  if (other === undefined) return noNode(model, String(node));
  const all = await allOf(other);
  const told = incidentsOfGroup({ node: model.node(), incidents: [] }, [all], nowMs);
  return json({ incidents: told.filter(isWanted) });
}

/** As it says now; when it is silent, as it said last. */
async function allOf(other: Neighbour): Promise<Neighbour> {
  try {
    const incidents = (await other.ask("/api/v1/node/incidents")) as readonly Incident[];
    const { ageMs: _ageMs, ...fresh } = other;
    return { ...fresh, news: { ...NO_NEWS, ...other.news, incidents } };
  } catch {
    return other;
  }
}

const NO_NEWS = { format: 0, stamp: "", incidents: [], alerts: [], burns: [], services: [] };

async function one(model: LedgerModel, { params, nowMs }: Call): Promise<Answer> {
  const asked = parseIncidentId(params["id"] ?? "");
  const found = inGroup(model, asked, nowMs);
  if (found !== undefined) return json(found);
  const other = model.neighbours().find(({ name }) => name === asked.node);
  if (other === undefined) return noIncident(params["id"] ?? "");
  try {
    const path = `/api/v1/node/incident?id=${encodeURIComponent(asked.id)}`;
    const incident = (await other.ask(path)) as Incident;
    return json(alone(other, incident, nowMs));
  } catch (error) {
    return problem(404, "no-incident", `${other.name}: ${(error as Error).message}`);
  }
}

async function order(model: LedgerModel, what: IncidentWord, call: Call): Promise<Answer> {
  const { params, nowMs, viewer } = call;
  const id = params["id"] ?? "";
  const found = inGroup(model, parseIncidentId(id), nowMs);
  const place = parseIncidentId(id);
  const own = findIncident(model.ledger().incidents, place.id);
  const node = place.node ?? (own === undefined ? found?.node : model.node());
  if (node === undefined) return noIncident(id);
  const { who: _who, ...body } = call.body;
  const wanted = { id: place.id, what, who: whoOf(viewer, call.body), body };
  if (node === model.node()) return sayOfIncident(model, wanted, nowMs);
  const other = model.neighbours().find(({ name }) => name === node);
  if (other === undefined) return noNode(model, node);
  try {
    const after = (await other.ask("/api/v1/node/orders", wanted)) as Incident;
    return json(inGroup(model, { id: after.id, node }, nowMs) ?? alone(other, after, nowMs));
  } catch (error) {
    const next = `say it there: nines incidents on ${node}`;
    return problem(
      503,
      "node-silent",
      `${node} did not take it: ${(error as Error).message}; ${next}`,
    );
  }
}

/** From another node of the group: checked as what comes over HTTP is. */
export function takeForwarded(
  model: LedgerModel,
  told: ForwardedOrder,
  { node, nowMs }: { readonly node: string; readonly nowMs: number },
): Answer {
  const { id, who, body } = told;
  const what = INCIDENT_WORDS.find((word) => word === told.what);
  if (what === undefined || typeof id !== "string" || typeof who !== "string" || who.length > 64) {
    return problem(400, "mistake", "that is no word about an incident");
  }
  const mistake = mistakeIn(body, WORDS[what].body);
  if (mistake !== undefined) return problem(400, "mistake", mistake);
  return sayOfIncident(model, { id, what, body, who: `${who} at ${node}` }, nowMs);
}

/** Writes down what somebody says of an incident of ours; the answer is what it is now. */
function sayOfIncident(
  model: LedgerModel,
  { id, what, body, who }: ForwardedOrder & { readonly what: IncidentWord },
  nowMs: number,
): Answer {
  const incident = findIncident(model.ledger().incidents, id);
  if (incident === undefined) return noIncident(id);
  const reason = textOf(body, "text") || textOf(body, "reason");
  const said = (kind: string, data: object = {}): Answer => {
    const told = { id: incident.id, who, ...data };
    model.say({ kind: `incident-${kind}`, subject: incident.service, reason, data: told });
    const after = inGroup(model, { id: incident.id, node: model.node() }, nowMs);
    return after === undefined ? noIncident(id) : json(after);
  };
  if (what === "annotations") return said("annotated");
  if (what === "settle") return said("settled");
  if (what === "owners") {
    const owners = parseOwners(textOf(body, "owners"));
    if (typeof owners === "string") return problem(422, "wrong-shares", owners);
    return said("owners-changed", { owners });
  }
  const wanted = textOf(body, "class");
  const known = [...Object.keys(model.settings().classes), DISMISSED];
  if (known.includes(wanted)) return said("class-changed", { class: wanted });
  const detail = `there is no class '${wanted}'; there are: ${known.join(" ")}`;
  return problem(422, "no-class", detail);
}

function ownOf(model: LedgerModel): { node: string; incidents: readonly Incident[] } {
  return { node: model.node(), incidents: model.ledger().incidents };
}

function groupOf(model: LedgerModel, nowMs: number): readonly GroupIncident[] {
  return incidentsOfGroup(ownOf(model), model.neighbours(), nowMs);
}

function alone(other: Neighbour, incident: Incident, nowMs: number): GroupIncident {
  const { ageMs: _ageMs, ...fresh } = other;
  const [view] = incidentsOfGroup(
    { node: "", incidents: [] },
    [{ ...fresh, news: { ...NO_NEWS, incidents: [incident] } }],
    nowMs,
  );
  return view ?? { ...toldBy(fresh, incident), vantages: [] };
}

/** Without a node ours goes first. */
function inGroup(
  model: LedgerModel,
  { id, node }: AskedIncident,
  nowMs: number,
): GroupIncident | undefined {
  const all = groupOf(model, nowMs);
  const withOne = (isIt: (at: { id: string; node: string }) => boolean) =>
    all.find(({ vantages }) => vantages.some(isIt));
  const self = model.node();
  if (node === undefined || node === self) {
    const own = findIncident(model.ledger().incidents, id);
    if (own !== undefined) return withOne((at) => at.node === self && at.id === own.id);
    if (node === self) return undefined;
  }
  return withOne((at) => at.id === id && (node === undefined || at.node === node));
}

export interface AskedIncident {
  readonly id: string;
  readonly node?: string;
}

/** `web-20261121T132134Z@lb2`: of the ledger of lb2; names of nodes and services may hold anything. */
export function parseIncidentId(text: string): AskedIncident {
  const [, id, node] = /^(.*-\d{8}T\d{6}Z)@(.+)$/u.exec(text) ?? [];
  return id === undefined || node === undefined ? { id: text } : { id, node };
}

/** By its id, or by one that it had before late evidence moved its beginning. */
export function findIncident(incidents: readonly Incident[], id: string): Incident | undefined {
  const exact = incidents.find((incident) => incident.id === id);
  if (exact !== undefined) return exact;
  const [service, atMs] = splitId(id);
  if (atMs === undefined) return undefined;
  return incidents.find(
    (incident) =>
      incident.service === service &&
      incident.startMs - 60_000 <= atMs &&
      atMs <= (incident.closedMs ?? Number.POSITIVE_INFINITY),
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

export function whoOf(viewer: Identity, body: Readonly<Record<string, unknown>>): string {
  const { who } = body;
  // Whoever may use the socket could be anybody on this machine: the command line says who it is.
  return viewer.who === "local" && typeof who === "string" && who !== "" ? who : viewer.who;
}

/** Bodies were checked against their fields: absent is empty. */
export function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  return typeof value === "string" ? value : "";
}

function noIncident(id: string): Answer {
  return problem(404, "no-incident", `there is no incident '${id}'`);
}

function noNode(model: LedgerModel, name: string): Answer {
  const names = [model.node(), ...model.neighbours().map((one) => one.name)].join(" ");
  return problem(404, "no-node", `there is no node '${name}'; there are: ${names}`);
}
