/**
 * `nines incidents`: what went wrong, of the whole group as the console knows it, or of this node from the
 * journal's file; what people say, to the console.
 */

import type { GroupIncident } from "../core/ledger/group-incidents.ts";
import type { IncidentList } from "../console/api.ts";
import { incidentsOfGroup } from "../console/group-ledger.ts";
import { findIncident, parseIncidentId } from "../console/incident-routes.ts";
import { ledgerOf, openLedgerFile } from "../console/ledger-reading.ts";
import { timeText } from "../console/report/month.ts";
import { formatDuration } from "../lib/duration.ts";
import { formatTable } from "../lib/table.ts";
import { ControlFailure } from "../daemon/control-client.ts";
import type { ConsoleClient } from "./console-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

/** Where incidents are read. */
export interface IncidentSource {
  readonly stateDir: string;
  /** Absent: only the file, which may be a copy. */
  readonly client?: ConsoleClient;
}

export interface IncidentsOptions extends IncidentSource {
  readonly json: boolean;
  readonly service?: string;
  /** Dismissed ones and false starts, too. */
  readonly all: boolean;
}

/** Newest last, as `nines events`. Works without a daemon. */
export async function listIncidents(
  options: IncidentsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const read = await readIncidents(options, terminal);
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
  const isGroup = new Set(shown.flatMap(nodesOf)).size > 1;
  const head = ["incident", "began", "state", "class", "harm", "detected", "score", "seen by"];
  const rows = shown.map((one) => [
    isGroup ? `${one.id}@${one.node}` : one.id,
    timeText(one.startMs, read.timezone),
    stateText(one),
    one.class,
    one.harmMs === 0 ? "-" : formatDuration(one.harmMs),
    formatDuration(one.detectedMs - one.startMs),
    one.score.toFixed(1),
    seenBy(one),
    one.cause,
  ]);
  for (const line of formatTable([...head, "cause"], rows)) terminal.out(line);
  return 0;
}

/** What was broken on purpose is told from what broke. */
function stateText({ state, dismissed, drill }: GroupIncident): string {
  if (dismissed !== undefined) return "dismissed";
  return drill === undefined ? state : `${state}, drill ${drill}`;
}

function nodesOf({ vantages }: GroupIncident): string[] {
  return vantages.map(({ node }) => node);
}

function seenBy({ vantages }: GroupIncident): string {
  const old = (ageMs: number): string => ` (${formatDuration(ageMs)} ago)`;
  return vantages
    .map(({ node, ageMs }) => `${node}${ageMs === undefined ? "" : old(ageMs)}`)
    .join(", ");
}

export async function showIncident(
  id: string,
  options: Pick<IncidentsOptions, "stateDir" | "client" | "json">,
  terminal: Terminal,
): Promise<ExitCode> {
  const read = await readIncidents(options, terminal);
  if (read === undefined) return 1;
  const found = await foundBy(id, read.incidents, options.client);
  if (found === undefined) {
    terminal.err(`nines: there is no incident '${id}'; see: nines incidents`);
    return 1;
  }
  if (options.json) terminal.out(JSON.stringify(found));
  else for (const line of incidentLines(found, read.timezone)) terminal.out(line);
  return 0;
}

/** Older ones of another node are not in the list: the console asks for them. */
async function foundBy(
  text: string,
  incidents: readonly GroupIncident[],
  client: ConsoleClient | undefined,
): Promise<GroupIncident | undefined> {
  const { id, node } = parseIncidentId(text);
  const seen = incidents.filter(({ vantages }) =>
    vantages.some((at) => at.id === id && (node === undefined || at.node === node)),
  );
  if (seen.length > 0 || client === undefined) return seen[0] ?? nearest(id, incidents);
  const path = `/api/v1/incidents/${encodeURIComponent(text)}`;
  return client.get<GroupIncident>(path).catch(() => undefined);
}

function nearest(id: string, incidents: readonly GroupIncident[]): GroupIncident | undefined {
  const found = findIncident(incidents, id);
  return incidents.find((one) => one === found);
}

interface Read {
  readonly incidents: readonly GroupIncident[];
  readonly timezone: string;
}

async function readIncidents(
  { stateDir, client }: IncidentSource,
  terminal: Terminal,
): Promise<Read | undefined> {
  const file = openLedgerFile(stateDir);
  const timezone = typeof file === "string" ? "UTC" : file.settings.timezone;
  try {
    const told = await client?.get<IncidentList>("/api/v1/incidents");
    if (told !== undefined) return { incidents: told.incidents.toReversed(), timezone };
  } catch (error) {
    if (!(error instanceof ControlFailure)) throw error;
    terminal.err(`nines: only what this node's journal knows: ${error.message}`);
  }
  if (typeof file === "string") {
    terminal.err(`nines: ${file}`);
    return undefined;
  }
  const nowMs = Date.now();
  const own = { node: file.node, incidents: ledgerOf(file, nowMs).incidents };
  return { incidents: incidentsOfGroup(own, [], nowMs).toReversed(), timezone };
}

/** More of them nobody reads in a line. */
const MOST_PARTS = 12;

function partsText(parts: readonly string[]): string | undefined {
  if (parts.length === 0) return undefined;
  const left = parts.length - MOST_PARTS;
  const more = left > 0 ? `; and ${left} more: see --json` : "";
  return `${parts.toSorted().slice(0, MOST_PARTS).join("; ")}${more}`;
}

export function incidentLines(one: GroupIncident, timezone: string): string[] {
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
    ...line("parts", partsText(one.parts)),
    ...line("requests", `${one.badRequests} of ${one.goodRequests + one.badRequests} failed`),
    ...line("harm", `${formatDuration(one.harmMs)}, at a stretch ${formatDuration(one.rtoMs)}`),
    ...line("lost", one.rpoMs === undefined ? undefined : formatDuration(one.rpoMs)),
    ...line("score", `${one.score.toFixed(2)}; from the start ${one.scoreFromStart.toFixed(2)}`),
    ...line("owners", ownersText(one)),
    ...line("drill", one.drill),
    ...line("dismissed", one.dismissed),
    ...one.vantages.flatMap((at) => line("seen by", vantageText(at, time))),
    ...one.segments.map(
      ({ fromMs, toMs, severity, class: of }) =>
        `  ${time(fromMs)}  ${formatDuration(toMs - fromMs).padEnd(8)} ${severity} (${of})`,
    ),
    ...one.annotations.map(({ atMs, who, text }) => `  ${time(atMs)}  ${who}: ${text}`),
  ];
}

function vantageText(at: GroupIncident["vantages"][number], time: (ms: number) => string): string {
  const { node, id, state, startMs, harmMs, ageMs } = at;
  const age = ageMs === undefined ? "" : `, as it said ${formatDuration(ageMs)} ago`;
  return `${node} since ${time(startMs)}: ${state}, harm ${formatDuration(harmMs)} (${id})${age}`;
}

function ownersText({ owners }: GroupIncident): string | undefined {
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
  const after = await client.post<GroupIncident>(path, body);
  for (const line of incidentLines(after, "UTC")) terminal.out(line);
  return 0;
}
