/** `nines incidents`: what went wrong, from the journal's file; what people say, to the console. */

import type { Incident } from "../core/ledger/incident.ts";
import { findIncident } from "../console/ledger-routes.ts";
import { ledgerOf, openLedgerFile } from "../console/ledger-reading.ts";
import { timeText } from "../console/report/month.ts";
import { formatDuration } from "../lib/duration.ts";
import { formatTable } from "../lib/table.ts";
import type { ConsoleClient } from "./console-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export interface IncidentsOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly service?: string;
  /** Dismissed ones and false starts, too. */
  readonly all: boolean;
}

/** Newest last, as `nines events`. Works without a daemon. */
export function listIncidents(options: IncidentsOptions, terminal: Terminal): ExitCode {
  const read = readIncidents(options.stateDir, terminal);
  if (read === undefined) return 1;
  const { service, all } = options;
  const shown = read.incidents.filter(
    (one) =>
      (service === undefined || one.service === service) && (all || one.dismissed === undefined),
  );
  if (options.json) {
    for (const one of shown) terminal.out(JSON.stringify(one));
    return 0;
  }
  if (shown.length === 0) {
    terminal.out("no incidents");
    return 0;
  }
  const head = ["incident", "began", "state", "class", "harm", "detected", "score", "cause"];
  const rows = shown.map((one) => [
    one.id,
    timeText(one.startMs, read.timezone),
    one.dismissed === undefined ? one.state : "dismissed",
    one.class,
    one.harmMs === 0 ? "-" : formatDuration(one.harmMs),
    formatDuration(one.detectedMs - one.startMs),
    one.score.toFixed(1),
    one.cause,
  ]);
  for (const line of formatTable(head, rows)) terminal.out(line);
  return 0;
}

export function showIncident(
  id: string,
  options: Pick<IncidentsOptions, "stateDir" | "json">,
  terminal: Terminal,
): ExitCode {
  const read = readIncidents(options.stateDir, terminal);
  if (read === undefined) return 1;
  const found = findIncident(read.incidents, id);
  if (found === undefined) {
    terminal.err(`nines: there is no incident '${id}'; see: nines incidents`);
    return 1;
  }
  if (options.json) terminal.out(JSON.stringify(found));
  else for (const line of incidentLines(found, read.timezone)) terminal.out(line);
  return 0;
}

interface Read {
  readonly incidents: readonly Incident[];
  readonly timezone: string;
}

function readIncidents(stateDir: string, terminal: Terminal): Read | undefined {
  const file = openLedgerFile(stateDir);
  if (typeof file === "string") {
    terminal.err(`nines: ${file}`);
    return undefined;
  }
  return {
    incidents: ledgerOf(file, Date.now()).incidents,
    timezone: file.settings.timezone,
  };
}

export function incidentLines(one: Incident, timezone: string): string[] {
  const time = (ms: number): string => timeText(ms, timezone);
  const after = (ms: number): string => `${time(ms)} (+${formatDuration(ms - one.startMs)})`;
  const line = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`  ${name.padEnd(11)}${value}`];
  const moment = (name: string, ms: number | undefined, why = ""): string[] =>
    line(name, ms === undefined ? undefined : `${after(ms)}${why === "" ? "" : `  ${why}`}`);
  return [
    `${one.id}: ${one.service}, class ${one.class} (${one.classBy}), ${one.state}`,
    ...line("cause", `${one.cause} [${one.layer}]`),
    ...line("began", time(one.startMs)),
    ...moment("detected", one.detectedMs, one.detectedBy),
    ...moment("switched", one.switchedMs, one.switchedBy),
    ...moment("restored", one.restoredMs, one.recovery),
    ...moment("repaired", one.repairedMs),
    ...moment("closed", one.closedMs),
    ...line("parts", one.parts.length === 0 ? undefined : one.parts.join("; ")),
    ...line("requests", `${one.badRequests} of ${one.goodRequests + one.badRequests} failed`),
    ...line("harm", `${formatDuration(one.harmMs)}, at a stretch ${formatDuration(one.rtoMs)}`),
    ...line("lost", one.rpoMs === undefined ? undefined : formatDuration(one.rpoMs)),
    ...line("score", `${one.score.toFixed(2)}; from the start ${one.scoreFromStart.toFixed(2)}`),
    ...line("owners", ownersText(one)),
    ...line("drill", one.drill),
    ...line("dismissed", one.dismissed),
    ...one.segments.map(
      ({ fromMs, toMs, severity, class: of }) =>
        `  ${time(fromMs)}  ${formatDuration(toMs - fromMs).padEnd(8)} ${severity} (${of})`,
    ),
    ...one.annotations.map(({ atMs, who, text }) => `  ${time(atMs)}  ${who}: ${text}`),
  ];
}

function ownersText({ owners }: Incident): string | undefined {
  if (owners.length === 0) return undefined;
  return owners.map(({ name, share }) => `${name} ${share} %`).join(", ");
}

export interface IncidentOrder {
  readonly id: string;
  readonly what: "annotations" | "class" | "owners" | "settle";
  readonly body: Readonly<Record<string, unknown>>;
}

export async function orderIncident(
  client: ConsoleClient,
  { id, what, body }: IncidentOrder,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = `/api/v1/incidents/${encodeURIComponent(id)}/${what}`;
  const after = await client.post<Incident>(path, body);
  for (const line of incidentLines(after, "UTC")) terminal.out(line);
  return 0;
}
