/** An alert in the forms in which it leaves: a record, a mail, the body of a webhook. */

import type { Mail } from "../notify/commands.ts";
import { formatDuration } from "../../lib/duration.ts";
import type { BurnStatus } from "./burn.ts";
import { utcText } from "./civil-time.ts";
import type { Incident } from "./incident.ts";
import type { LedgerAlert } from "./ledger.ts";

export interface AlertRecord {
  readonly level: "info" | "warning" | "error";
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function alertRecord(alert: LedgerAlert): AlertRecord {
  if (alert.kind !== "incident") {
    const { service, vantage, rule, long, short, reason } = alert.burn;
    const isPage = rule.urgency === "page";
    return {
      level: alert.kind === "burn-ended" ? "info" : isPage ? "error" : "warning",
      kind: alert.kind,
      subject: service,
      reason: `${rule.name} burn alert (${vantage}): ${reason}`,
      data: { vantage, rule: rule.name, urgency: rule.urgency, long, short },
    };
  }
  const { stage, incident, reason } = alert.news;
  const { id, startMs, detectedMs, severity, class: given, layer, score, drill } = incident;
  const isHarm = severity !== "at-risk";
  return {
    level: stage !== "opened" ? "info" : isHarm ? "error" : "warning",
    kind: `incident-${stage}`,
    subject: incident.service,
    reason,
    data: {
      id,
      startMs,
      detectedMs,
      severity,
      class: given,
      layer,
      score,
      harmMs: incident.harmMs,
      ...(drill === undefined ? {} : { drill }),
    },
  };
}

/** Whether somebody is told: burn rates, and that an incident began or is over; drills are known. */
export function isDelivered(alert: LedgerAlert): boolean {
  if (alert.kind !== "incident") return true;
  const { stage, incident } = alert.news;
  return incident.drill === undefined && (stage === "opened" || stage === "closed");
}

/** For people: times as UTC, spans as spans, and what to look at next. `atMs`: when, Unix ms. */
export function alertMail(alert: LedgerAlert, node: string, atMs: number): Mail {
  const { kind, subject, reason } = alertRecord(alert);
  const lines = [
    `${subject}: ${kind}`,
    reason,
    "",
    `Node: ${node}`,
    `Time: ${utcText(atMs)}`,
    ...(alert.kind === "incident"
      ? incidentLines(alert.news.incident, node)
      : burnLines(alert.burn)),
  ];
  const text = `${lines.join("\n")}\n`;
  return { subject: `[${node}] ${subject}: ${kind} - ${reason}`.replace(/[\r\n]+/gu, " "), text };
}

/** JSON: `kind`, `service`, `reason`, `node`, `at` (Unix ms) and what belongs to the kind. */
export function alertBody(alert: LedgerAlert, node: string, atMs: number): string {
  const { kind, level, subject: service, reason, data } = alertRecord(alert);
  return JSON.stringify({ kind, level, service, reason, node, at: atMs, ...data });
}

function incidentLines(incident: Incident, node: string): string[] {
  const { id, class: given, severity, layer, startMs, detectedMs, harmMs, score } = incident;
  return [
    `Incident: ${id}, class ${given}, ${severity}, layer ${layer}`,
    `Began: ${utcText(startMs)}, detected after ${formatDuration(detectedMs - startMs)}`,
    `Users without service: ${formatDuration(harmMs)}, score ${score.toFixed(1)}`,
    "",
    `nines incidents show ${id}@${node}`,
  ];
}

function burnLines({ service, vantage, rule, long, short }: BurnStatus): string[] {
  const { longMs, shortMs, burn, urgency } = rule;
  const over = (rate: number, ms: number): string =>
    `${rate.toFixed(1)} over ${formatDuration(ms)}`;
  return [
    `Measured by: ${vantage}`,
    `Burn rate: ${over(long, longMs)}, ${over(short, shortMs)}, limit ${burn}`,
    `Urgency: ${urgency === "page" ? "now" : "in working hours"}`,
    "",
    `nines objectives; nines incidents list --service ${service}`,
  ];
}
