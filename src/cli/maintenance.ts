/** `nines maintenance`: planned times, which count neither against availability nor against anybody. */

import { timeText } from "../console/report/month.ts";
import { formatTable } from "../lib/table.ts";
import type { ConsoleClient } from "./console-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

const PATH = "/api/v1/maintenance";

interface Windows {
  readonly windows: readonly {
    readonly service: string;
    readonly fromMs: number;
    readonly toMs?: number;
    readonly reason: string;
  }[];
  /** Nodes that did not take the order. */
  readonly untold?: readonly { readonly node: string; readonly reason: string }[];
}

export interface MaintenanceStart {
  readonly service?: string;
  readonly reason: string;
  readonly forMs?: number;
}

export async function startMaintenance(
  client: ConsoleClient,
  order: MaintenanceStart,
  terminal: Terminal,
): Promise<ExitCode> {
  return show(await client.post<Windows>(PATH, { ...order }), terminal);
}

export async function endMaintenance(
  client: ConsoleClient,
  service: string | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  const body = service === undefined ? {} : { service };
  return show(await client.post<Windows>(`${PATH}/end`, body), terminal);
}

export async function listMaintenance(
  client: ConsoleClient,
  terminal: Terminal,
): Promise<ExitCode> {
  return show(await client.get<Windows>(PATH), terminal);
}

function show({ windows, untold = [] }: Windows, terminal: Terminal): ExitCode {
  if (windows.length === 0) terminal.out("no maintenance is planned or was begun");
  const rows = windows.map(({ service, fromMs, toMs, reason }) => [
    service,
    timeText(fromMs, "UTC"),
    toMs === undefined ? "open" : timeText(toMs, "UTC"),
    reason,
  ]);
  const head = ["service", "from (UTC)", "to", "reason"];
  if (rows.length > 0) for (const line of formatTable(head, rows)) terminal.out(line);
  for (const { node, reason } of untold) {
    terminal.err(`nines: ${node} did not take it: ${reason}; say it there, too`);
  }
  return untold.length === 0 ? 0 : 1;
}
