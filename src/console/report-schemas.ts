/** What the report of a month says as JSON: the types of `src/core/ledger/report.ts`. */

import {
  integer,
  list,
  map,
  moment,
  number,
  object,
  of,
  orNull,
  type Properties,
  type Schema,
  share,
  span,
  text,
  words,
  yes,
} from "./schema-words.ts";

const owner = object({ name: text, share: number });
const severity = words("at-risk", "partial", "wide", "down");
export const incidentState: Schema = words("open", "restored", "closed");
const layer = words("address", "balancer", "server", "unknown");
const distribution = object({
  count: integer,
  mean: number,
  p50: number,
  p95: number,
  max: number,
});

/** What every incident says, in a report and on the page. */
export const INCIDENT: Properties = {
  id: text,
  service: text,
  layer,
  cause: text,
  parts: list(text),
  state: incidentState,
  startMs: moment,
  detectedMs: moment,
  detectedBy: text,
  recovery: words("harmless", "by itself", "by people", "by repair", "not yet"),
  segments: list(object({ fromMs: moment, toMs: moment, severity, class: text })),
  severity,
  class: text,
  classBy: text,
  harmMs: span,
  rtoMs: span,
  goodRequests: number,
  badRequests: number,
  score: number,
  scoreFromStart: number,
  owners: list(owner),
  annotations: list(object({ atMs: moment, who: text, text })),
};

/** What it says where it is known. */
export const INCIDENT_IF_KNOWN: Properties = {
  switchedMs: moment,
  switchedBy: text,
  restoredMs: moment,
  repairedMs: moment,
  closedMs: moment,
  dismissed: text,
  drill: text,
  rpoMs: span,
};

export const REPORT_SCHEMAS: Properties = {
  LedgerService: object({
    name: text,
    critical: yes,
    frontends: list(text),
    pools: list(text),
    instances: list(text),
    probes: list(text),
    objectives: object(
      { availability: share, windowMs: span },
      { latency: object({ belowMs: span, share }), rtoMs: span, rpoMs: span },
    ),
    layers: list(object({ layer, availability: share }, { rtoMs: span })),
    owners: list(owner),
    minEvents: number,
  }),
  Incident: object(INCIDENT, INCIDENT_IF_KNOWN),
  Statistics: object(
    { failures: integer, faults: integer, downMs: span, switched: integer },
    {
      mttfMs: span,
      mttrMs: span,
      mtbfMs: span,
      mttdMs: span,
      repairMs: span,
      coverage: share,
      rto: distribution,
      rpo: distribution,
    },
  ),
  ServiceReport: object(
    {
      service: of("LedgerService"),
      availability: list(
        object(
          {
            vantage: text,
            good: number,
            bad: number,
            slow: number,
            goodMs: span,
            badMs: span,
            unmeasuredMs: span,
            plannedMs: span,
          },
          { byTime: share, byRequests: share },
        ),
      ),
      differences: list(text),
      byIncidents: share,
      budget: object(
        {
          allowedMinutes: number,
          usedMinutes: number,
          allowedRequests: number,
          usedRequests: number,
          leftByTime: number,
          allowedScore: number,
        },
        { leftByRequests: number },
      ),
      latency: list(object({ vantage: text, p50: span, p95: span, p99: span })),
      layers: list(
        object(
          { layer, failures: integer, downMs: span, availability: share },
          { objective: share, rtoMs: span },
        ),
      ),
      incidents: list(of("Incident")),
      planned: list(
        object({
          service: text,
          fromMs: moment,
          toMs: { ...orNull("number"), description: "Unix ms; null: it has no end yet." },
          reason: text,
        }),
      ),
      statistics: of("Statistics"),
      score: number,
      scoreFromStart: number,
      owners: list(object({ name: text, allowedScore: number, score: number })),
      trend: list(
        object({
          fromMs: moment,
          toMs: moment,
          statistics: of("Statistics"),
          byIncidents: share,
        }),
      ),
    },
    { vantage: text, inTime: share, switches: distribution },
  ),
  ReportData: object({
    fromMs: moment,
    toMs: moment,
    node: text,
    timezone: text,
    nowMs: moment,
    knownFromMs: moment,
    classes: map(number),
    services: list(of("ServiceReport")),
    burnAlerts: list(object({ atMs: moment, reason: text })),
    drills: object({ run: integer, passed: integer }),
  }),
};
