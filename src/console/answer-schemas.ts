/**
 * JSON Schema 2020-12 of what the API answers, for the OpenAPI document; by the names of the types in
 * `api.ts`. A test holds real answers against them: what is not described here may not be answered.
 */

import { ACTION_NAMES } from "./action-routes.ts";
import { INCIDENT, INCIDENT_IF_KNOWN, incidentState, REPORT_SCHEMAS } from "./report-schemas.ts";
import {
  anything,
  integer,
  list,
  map,
  moment,
  number,
  object,
  of,
  orNull,
  type Properties,
  share,
  type Schema,
  span,
  text,
  words,
  yes,
} from "./schema-words.ts";

const level = words("info", "warning", "error");
const verdict = words("up", "degraded", "down", "unknown");
const survives = words("yes", "no", "unknown");
const value: Schema = { type: ["string", "number", "boolean"] };
const action = words(...ACTION_NAMES);
const state = words(
  "UP",
  "DEGRADED",
  "GOING-DOWN",
  "DOWN",
  "DRAINING",
  "MAINTENANCE",
  "STANDBY",
  "UNKNOWN",
);

export const ANSWER_SCHEMAS: Properties = {
  Sentence: object({ code: text, args: map({ type: ["string", "number"] }), text }),
  Viewer: object({ role: words("read", "operate", "probe"), who: text }),
  Verdict: object({ state: verdict, sentence: of("Sentence") }, { sinceMs: moment }),
  Holder: object(
    {
      instance: text,
      addresses: list(text),
      isSelf: yes,
      standbys: list(text),
      rivals: list(text),
      reason: text,
    },
    { holder: text, sinceMs: moment },
  ),
  TopologyNode: object(
    {
      id: text,
      layer: words("client", "address", "director", "pool", "server"),
      name: text,
      state,
      reason: text,
      facts: map(value),
    },
    { sinceMs: moment, ageMs: span, parent: text },
  ),
  TopologyEdge: object(
    { from: text, to: text, isActive: yes, requestsPerSecond: number, errorsPerSecond: number },
    { latencyMs: span },
  ),
  Topology: object({ nodes: list(of("TopologyNode")), edges: list(of("TopologyEdge")) }),
  Budget: object({
    objective: share,
    windowDays: number,
    totalMs: span,
    spentMs: span,
    leftMs: span,
    burnRate: number,
  }),
  ServiceView: object(
    {
      name: text,
      state: verdict,
      sentence: of("Sentence"),
      days: object({
        firstDay: text,
        availability: list(orNull("number")),
        badMinutes: list(number),
      }),
    },
    { availability: share, budget: of("Budget") },
  ),
  Alert: object(
    { level, subject: text, node: text, sentence: of("Sentence") },
    { sinceMs: moment },
  ),
  IncidentView: object(
    {
      ...INCIDENT,
      node: { ...text, description: "Whose ledger has it." },
      vantages: list(
        object(
          { node: text, id: text, state: incidentState, startMs: moment, harmMs: span },
          { closedMs: moment, ageMs: span },
        ),
      ),
    },
    {
      ...INCIDENT_IF_KNOWN,
      ageMs: { ...span, description: "How old the word of a silent node is." },
    },
  ),
  IncidentList: object({ incidents: list(of("IncidentView")) }),
  RecordView: object(
    {
      node: text,
      seq: integer,
      wallMs: moment,
      source: text,
      level,
      kind: text,
      subject: text,
      reason: text,
    },
    { data: anything },
  ),
  RecordPage: object({ records: list(of("RecordView")) }, { next: text }),
  NodeView: object(
    { name: text, isSelf: yes, state, reason: text, roles: list(text) },
    {
      address: text,
      ageMs: span,
      version: text,
      clockOffsetMs: span,
      certificateEndsMs: moment,
    },
  ),
  DrillView: object(
    { name: text, title: text, faults: list(text), radius: text },
    { refused: { ...text, description: "Why it cannot run here now." } },
  ),
  DrillList: object({ drills: list(of("DrillView")) }),
  DrillHistory: object({ runs: list(of("DrillRunView")) }),
  DrillRunView: object(
    { id: text, name: text, startMs: moment, reason: text },
    {
      node: { ...text, description: "That it was asked of; absent: done here." },
      endMs: moment,
      verdict: words("passed", "deviated", "aborted", "error"),
      outageMs: span,
      failedRequests: integer,
    },
  ),
  DrillsView: object({ recent: list(of("DrillRunView")) }, { running: of("DrillRunView") }),
  Overview: object({
    node: text,
    version: text,
    nowMs: moment,
    viewer: of("Viewer"),
    source: object({ state: words("live", "stale"), ageMs: span, reason: text }),
    verdict: of("Verdict"),
    survival: object({
      survives,
      services: list(object({ service: text, survives, why: list(of("Sentence")) })),
    }),
    holders: list(of("Holder")),
    topology: of("Topology"),
    services: list(of("ServiceView")),
    alerts: list(of("Alert")),
    incidents: list(of("IncidentView")),
    records: list(of("RecordView")),
    nodes: list(of("NodeView")),
    drills: of("DrillsView"),
  }),
  StateAt: object({
    atMs: moment,
    verdict: of("Verdict"),
    holders: list(of("Holder")),
    topology: of("Topology"),
    records: list(of("RecordView")),
  }),
  BurnView: object({
    node: text,
    service: text,
    vantage: text,
    rule: text,
    state: words("quiet", "firing", "unreachable", "too-little-traffic", "no-data"),
    long: number,
    short: number,
    reason: text,
  }),
  ObjectiveView: object(
    {
      service: text,
      objectives: object(
        { availability: share, windowMs: span },
        { latency: object({ belowMs: span, share }), rtoMs: span, rpoMs: span },
      ),
      budget: of("Budget"),
      burns: list(of("BurnView")),
    },
    { availability: share },
  ),
  ObjectiveList: object({ objectives: list(of("ObjectiveView")) }),
  SeriesView: object({
    subject: text,
    fromMs: moment,
    toMs: moment,
    stepMs: span,
    vantages: list(
      object({
        vantage: text,
        good: { ...list(orNull("number")), description: "null: nobody measured; 0: nobody asked." },
        bad: list(orNull("number")),
        p50: list(orNull("number")),
        p99: list(orNull("number")),
      }),
    ),
    missing: list(object({ node: text, reason: text })),
  }),
  ActionPreview: object(
    {
      action: object({ action, subject: text }, { weight: orNull("number"), deadlineMs: span }),
      moves: list(of("Sentence")),
      left: list(of("Sentence")),
      command: text,
      expiresMs: moment,
    },
    { refused: of("Sentence"), override: text, confirm: text },
  ),
  ActionOutcome: object({ done: { type: "boolean", const: true }, sentence: of("Sentence") }),
  PlannedList: object(
    {
      windows: list(
        object(
          { service: text, fromMs: moment, reason: text },
          { toMs: { ...moment, description: "Unix ms; absent: it has no end yet." } },
        ),
      ),
    },
    // Nodes of the group that did not take the order, and why.
    { untold: list(object({ node: text, reason: text })) },
  ),
  Intake: object({ service: text, taken: integer, known: integer, clockBehindMs: span }),
  KnownOutages: list(
    object(
      {
        probe: text,
        target: text,
        service: text,
        fromMs: moment,
        failed: integer,
        ownMs: span,
        reason: text,
      },
      { toMs: moment, before: text, after: text, lost: integer },
    ),
  ),
  ...REPORT_SCHEMAS,
  SessionEnded: object({ done: { type: "boolean", const: true } }),
  Session: object({ viewer: of("Viewer") }, { expiresMs: moment }),
};
