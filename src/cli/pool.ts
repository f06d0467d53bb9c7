/** `nines pool [NAME]`: every server, its state and why. */

import type { BalanceStatus, PoolServer, PoolView } from "../daemon/balance-status.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { formatDuration } from "../lib/duration.ts";
import { counted } from "../lib/plural.ts";
import { formatTable } from "../lib/table.ts";
import { paint, type ExitCode, type Paint, type Terminal } from "./terminal.ts";

export const STATE_COLORS: Readonly<Record<PoolServer["state"], Paint>> = {
  up: "green",
  unchecked: "green",
  drain: "yellow",
  leaving: "yellow",
  maint: "cyan",
  ejected: "red",
  down: "red",
};

export interface PoolOptions {
  /** Absent: all of them. */
  readonly name?: string;
  readonly json: boolean;
}

export async function pool(
  client: ControlClient,
  options: PoolOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const status = await client.balance();
  const { name } = options;
  const pools = status.pools.filter((one) => name === undefined || one.name === name);
  if (name !== undefined && pools.length === 0) {
    const known = status.pools.map((one) => one.name).join(", ") || "none";
    terminal.err(`nines: no pool '${name}'; there are: ${known}`);
    return 1;
  }
  if (options.json)
    terminal.out(JSON.stringify(name === undefined ? pools : pools[0], undefined, 2));
  else terminal.out(poolLines(pools, terminal).join("\n"));
  return 0;
}

export function poolLines(pools: readonly PoolView[], terminal: Terminal): readonly string[] {
  const blocks = pools.map((one) => onePool(one, terminal));
  return blocks.flatMap((block, i) => (i === 0 ? block : ["", ...block]));
}

function onePool(view: PoolView, terminal: Terminal): readonly string[] {
  const { counts } = view.traffic;
  const name = paint(terminal, "bold", view.name);
  const waiting = view.waiting > 0 ? `, ${view.waiting} waiting` : "";
  const title =
    `${name}  ${view.algorithm}, ${counted(counts.requests, "request")}, ` +
    `${counts.retries} ${counts.retries === 1 ? "retry" : "retries"}${waiting}${tierText(view)}`;
  const rows = view.servers.map((server) => serverRow(server, terminal));
  const head = ["SERVER", "STATE", "FOR", "WEIGHT", "ACTIVE", "REQUESTS", "ERRORS", "LATENCY"];
  const lines = [title, ...formatTable([...head, "LAST CHECK", "WHY"], rows)];
  if (view.panic) {
    const text = "panic: too few servers are usable, so all of them are used whatever their health";
    lines.push(paint(terminal, "red", text));
  }
  return lines;
}

function tierText({ tier, servers }: PoolView): string {
  if (servers.length === 0) return ", no servers";
  if (tier === undefined) return ", nobody can serve";
  return tier === 0 ? "" : `, backups of tier ${tier} serve`;
}

function serverRow(server: PoolServer, terminal: Terminal): readonly string[] {
  const { state, endpoint, name, sinceMs, active, traffic, latencyMs } = server;
  const shown = endpoint === "" || endpoint === name ? name : `${name} (${endpoint})`;
  const warning = server.check?.warning;
  const leaving = active > 0 ? server.drain?.text : undefined;
  const why = [server.reason, leaving, warning, server.suspended, server.seenBy].filter(
    (part) => part !== undefined && part !== "",
  );
  return [
    shown,
    paint(terminal, STATE_COLORS[state], state),
    formatDuration(sinceMs),
    weightText(server),
    server.maxConnections === 0 ? String(active) : `${active}/${server.maxConnections}`,
    String(traffic.counts.requests),
    String(errorsOf(server)),
    latencyMs < 0 ? "-" : formatDuration(latencyMs),
    checkText(server),
    why.join("; "),
  ];
}

/** `10 (3.2 now)` while slow start or an agent takes some of it away. */
function weightText({ weight, effectiveWeight, usable }: PoolServer): string {
  const now = Math.round(effectiveWeight * 10) / 10;
  return !usable || now === weight ? String(weight) : `${weight} (${now} now)`;
}

export function errorsOf({ traffic }: Pick<PoolServer, "traffic">): number {
  const { connectErrors, answerErrors, timeouts, serverError } = traffic.counts;
  return connectErrors + answerErrors + timeouts + serverError;
}

function checkText({ check }: PoolServer): string {
  if (check === undefined) return "-";
  const word = check.up ? "ok" : "failed";
  return `${word} in ${formatDuration(check.latencyMs)}`;
}

/** Names of all servers, for `nines backend` and completion. */
export function serverNames(status: BalanceStatus): readonly string[] {
  return status.pools.flatMap((one) => one.servers.map((server) => `${one.name}/${server.name}`));
}
