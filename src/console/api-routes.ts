/** What can be read over HTTP: the first screen, its stream, the journal, the past, health. */

import type { Overview, RecordPage, StateAt } from "./api.ts";
import { seqOfEventId, type EventStreams } from "./event-stream.ts";
import type { Fields } from "./fields.ts";
import { identify, mayDo, type IdentityRules } from "./identity.ts";
import { wordingOf } from "./wording.ts";
import { json, problem, type Answer, type Call, type Reply, type Route } from "./routes.ts";

export interface RecordSearch {
  readonly since?: number;
  readonly until?: number;
  readonly subject?: string;
  readonly kind?: string;
  readonly node?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface PageModel {
  readonly node: () => string;
  readonly streams: EventStreams;
  readonly identity: () => IdentityRules;
  /** As seen by nobody. */
  overview(): Overview;
  records(search: RecordSearch): RecordPage;
  /** Records of this node after `seq`, oldest first. */
  missed(seq: number): RecordPage["records"];
  stateAt(atMs: number): StateAt | Promise<StateAt>;
  /** Why this node cannot serve now; undefined: it can. */
  unready(): string | undefined;
  metrics(): Promise<string>;
  /** The OpenAPI document of everything that is served. */
  description(): object;
}

const MAX_RECORDS = 1000;

const RECORD_QUERY: Fields = {
  since: { type: "number", description: "Unix ms, inclusive." },
  until: { type: "number", description: "Unix ms, exclusive." },
  subject: {
    type: "string",
    description:
      "Instance, pool/server, pool, pool/* (it and its servers), frontend, service, drill.",
  },
  kind: { type: "string", description: "As in records, e.g. state-changed." },
  node: { type: "string", description: "Who wrote it." },
  limit: { type: "integer", description: "Default 100.", minimum: 1, maximum: MAX_RECORDS },
  cursor: { type: "string", description: "`next` of the page before." },
};

const read = { method: "GET", access: "read" } as const;
const open = { method: "GET", access: "public" } as const;

export function apiRoutes(model: PageModel): readonly Route[] {
  return [...newsRoutes(model), ...healthRoutes(model)];
}

function newsRoutes(model: PageModel): readonly Route[] {
  return [
    {
      ...read,
      path: "/api/v1/overview",
      summary: "Everything that the first screen needs.",
      answers: "Overview",
      handle: ({ viewer: { role, who } }) => json({ ...model.overview(), viewer: { role, who } }),
    },
    {
      ...read,
      path: "/api/v1/stream",
      summary: "The same as a stream of server-sent events: snapshot, overview, record.",
      answers: "OverviewChange and RecordView",
      type: "text/event-stream",
      handle: (call) => stream(model, call),
    },
    {
      ...read,
      path: "/api/v1/records",
      summary: "The journal, newest first.",
      query: RECORD_QUERY,
      answers: "RecordPage",
      handle: ({ query }) => {
        const search = { ...query, limit: Number(query["limit"] ?? 100) };
        return json(model.records(search));
      },
    },
    {
      ...read,
      path: "/api/v1/state",
      summary: "What was so at a moment of the past, as far as the journal knows.",
      query: { at: { type: "number", description: "Unix ms.", required: true } },
      answers: "StateAt",
      handle: async ({ query }) => json(await model.stateAt(Number(query["at"]))),
    },
  ];
}

function healthRoutes(model: PageModel): readonly Route[] {
  return [
    {
      ...read,
      path: "/metrics",
      summary: "Numbers for Prometheus.",
      answers: "text exposition format 0.0.4",
      type: "text/plain",
      handle: async () => text(200, await model.metrics(), "text/plain; version=0.0.4"),
    },
    {
      ...open,
      path: "/healthz",
      summary: "Whether the console lives.",
      answers: "ok",
      type: "text/plain",
      handle: () => text(200, "ok\n"),
    },
    {
      ...open,
      path: "/readyz",
      summary: "Whether this node can serve: 503 while its control process is silent.",
      answers: "ok, or why not",
      type: "text/plain",
      handle: () => {
        const why = model.unready();
        return why === undefined ? text(200, "ok\n") : problem(503, "not-ready", why);
      },
    },
    {
      ...open,
      path: "/openapi.json",
      summary: "This description.",
      answers: "OpenAPI 3.1",
      handle: () => json(model.description()),
    },
  ];
}

function stream(model: PageModel, call: Call): Answer {
  const { streams } = model;
  if (streams.isFull) return problem(503, "too-many-readers", "close another page, or poll");
  const { request, response, isTls, viewer, from } = call;
  const last = request.headers["last-event-id"];
  const seq = seqOfEventId(typeof last === "string" ? last : undefined, model.node());
  const isWelcome = (): boolean => {
    const door = { isLocal: from === "unix", isTls };
    const who = identify(request, door, model.identity(), Date.now());
    return who !== undefined && !("refused" in who) && mayDo(who, "read");
  };
  const { role, who } = viewer;
  const wording = wordingOf(request.headers);
  const reader = { response, viewer: { role, who }, isWelcome, wording };
  streams.add(reader, model.overview(), seq === undefined ? [] : model.missed(seq));
  return undefined;
}

function text(status: number, body: string, type = "text/plain"): Reply {
  const headers = { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" };
  return { status, headers, body };
}
