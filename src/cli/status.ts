/** `nines status`: who holds what, since when, and why. */

import type { InstanceStatus, RouterStatus } from "../core/vrrp/status.ts";
import type { NodeStatus } from "../daemon/control-api.ts";
import type { BalanceStatus } from "../daemon/balance-status.ts";
import { type ControlClient, ControlFailure } from "../daemon/control-client.ts";
import { formatDuration } from "../lib/duration.ts";
import { counted } from "../lib/plural.ts";
import { formatTable } from "../lib/table.ts";
import { paint, type ExitCode, type Paint, type Terminal } from "./terminal.ts";

const WATCH_EVERY_MS = 1_000;
/** Numbers older than that are not news any more. */
const STALE_MS = 3_000;

const COLORS: Readonly<Record<InstanceStatus["state"], Paint>> = {
  MASTER: "green",
  BACKUP: "cyan",
  FAULT: "red",
  INIT: "yellow",
  STOPPED: "dim",
};

export interface StatusOptions {
  readonly json: boolean;
  readonly watch: boolean;
  /** Pause between two pictures. */
  readonly everyMs?: number;
}

export async function status(
  client: ControlClient,
  options: StatusOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const isLive = options.watch && !options.json && terminal.columns !== undefined;
  const clear = isLive ? "\u001B[H\u001B[2J" : "";
  for (let shown = 0; ; shown++) {
    try {
      const node = await client.status();
      if (options.json) terminal.out(JSON.stringify(node, undefined, options.watch ? 0 : 2));
      else terminal.out(clear + statusLines(node, terminal).join("\n"));
    } catch (error) {
      // A node that is renewed or restarted is back soon; whoever watches it wants to see that.
      if (!isLive || shown === 0 || !(error instanceof ControlFailure)) throw error;
      terminal.out(clear + paint(terminal, "red", error.message));
    }
    if (!options.watch) return 0;
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? WATCH_EVERY_MS));
  }
}

/** The picture, line by line. */
export function statusLines(node: NodeStatus, terminal: Terminal): readonly string[] {
  const lines = [...headLines(node, terminal)];
  const { router, balance } = node;
  if (balance !== undefined) lines.push("", ...balanceLines(balance, terminal));
  if (router === undefined) {
    const isAwaited = balance === undefined || node.roles.some((role) => role.name === "vrrp");
    return isAwaited ? [...lines, "", "the vrrp process has not answered yet"] : lines;
  }
  const rows = router.instances.map((i) => instanceRow(i, router, terminal));
  const head = ["INSTANCE", "STATE", "FOR", "PRIORITY", "INTERFACE", "VRID", "MASTER", "ADDRESSES"];
  if (rows.length > 0) lines.push("", ...formatTable(head, rows));
  for (const instance of router.instances) {
    lines.push("", ...instanceLines(instance, router, terminal));
  }
  if (router.groups.length > 0) {
    const groups = router.groups.map((g) => [g.name, g.state, g.members.join(" ")]);
    lines.push("", ...formatTable(["GROUP", "STATE", "MEMBERS"], groups));
  }
  return [...lines, "", ...footLines(node, router, terminal)];
}

function headLines(node: NodeStatus, terminal: Terminal): readonly string[] {
  const { configuration, wallMs, startedWallMs } = node;
  const up = formatDuration(wallMs - startedWallMs);
  const warnings = configuration.warnings;
  const warned = warnings === 0 ? "" : `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  const lines = [
    `${paint(terminal, "bold", `nines ${node.version}`)}  pid ${node.pid}, up ${up}`,
    `${configuration.file}, read ${formatDuration(wallMs - configuration.loadedWallMs)} ago${warned}`,
  ];
  if (configuration.refused !== undefined) {
    lines.push(paint(terminal, "red", `last reload refused: ${configuration.refused}`));
  }
  if (configuration.goesBackInMs !== undefined) {
    const within = formatDuration(configuration.goesBackInMs);
    const text = `not confirmed yet: the one before it comes back in ${within}; keep this one: nines confirm`;
    lines.push(paint(terminal, "yellow", text));
  }
  const roles = node.roles.map((role) => {
    const pid = role.pid === undefined ? "" : ` (pid ${role.pid})`;
    const restarts = role.restarts === 0 ? "" : `, restarted ${counted(role.restarts, "time")}`;
    const text = `${role.name} ${role.state}${pid}${restarts}`;
    return role.state === "running" ? text : paint(terminal, "red", text);
  });
  lines.push(`roles: ${roles.join("; ")}`);
  if (node.router !== undefined && node.routerAgeMs > STALE_MS) {
    const age = formatDuration(node.routerAgeMs);
    lines.push(paint(terminal, "yellow", `the vrrp process does not answer; this is ${age} old`));
  }
  return lines;
}

/** `nines pool` and `nines top` tell the rest. */
function balanceLines(balance: BalanceStatus, terminal: Terminal): readonly string[] {
  const frontends = balance.frontends.map(({ name, listening, traffic }) => {
    const { requests, openConnections } = traffic.counts;
    const where = listening.join(" ") || paint(terminal, "red", "nothing");
    const open = counted(openConnections, "connection");
    return `frontend ${name} listens on ${where}: ${counted(requests, "request")}, ${open} open`;
  });
  const pools = balance.pools.map(({ name, servers, panic }) => {
    const usable = servers.filter((server) => server.usable).length;
    const panicking = panic ? ", panic: all are used whatever their health" : "";
    const text = `pool ${name}: ${usable} of ${counted(servers.length, "server")} usable${panicking}`;
    if (usable === servers.length && !panic) return text;
    return paint(terminal, usable === 0 || panic ? "red" : "yellow", text);
  });
  return [...frontends, ...pools];
}

function instanceRow(
  instance: InstanceStatus,
  router: RouterStatus,
  terminal: Terminal,
): readonly string[] {
  const { basePriority: base, effectivePriority: now } = instance;
  return [
    instance.name,
    paint(terminal, COLORS[instance.state], instance.state),
    formatDuration(router.nowMs - instance.sinceMs),
    base === now ? String(now) : `${now} (${base})`,
    instance.interface,
    `${instance.vrid}/v${instance.version}`,
    instance.state === "MASTER" ? "this node" : (instance.master?.address ?? "none heard"),
    instance.addresses.join(" "),
  ];
}

function instanceLines(
  instance: InstanceStatus,
  router: RouterStatus,
  terminal: Terminal,
): readonly string[] {
  const ago = (ms: number): string => `${formatDuration(router.nowMs - ms)} ago`;
  const title = paint(terminal, "bold", instance.name);
  const lines = [`${title}: ${instance.state} because ${instance.reason}`];
  const { splitBrain, lease, counters } = instance;
  if (splitBrain !== undefined) {
    const text = `split brain since ${ago(splitBrain.sinceMs)}: ${splitBrain.reason}`;
    lines.push(paint(terminal, "red", `  ${text}`));
  }
  for (const peer of instance.peers) {
    const priority = `priority ${peer.priority}`;
    lines.push(`  peer ${peer.address}  ${priority}, heard ${ago(peer.lastHeardMs)}`);
  }
  for (const track of instance.tracks) {
    const text = `  ${track.kind} ${track.name}  ${effectOf(track)}: ${track.reason}`;
    lines.push(track.ok ? text : paint(terminal, "red", text));
  }
  for (const { address, reachable } of instance.witnesses) {
    const text = `  witness ${address}  ${reachable ? "answers" : "does not answer"}`;
    lines.push(reachable ? text : paint(terminal, "red", text));
  }
  const down = formatDuration(instance.masterDownIntervalMs);
  const every = formatDuration(instance.advertIntervalMs);
  const renewed = instance.state === "MASTER" ? `, renewed ${ago(lease.renewedMs)}` : "";
  const leased = lease.enabled ? `${formatDuration(lease.durationMs)}${renewed}` : "off";
  lines.push(
    `  adverts every ${every}, master counts as dead after ${down}; lease ${leased}`,
    `  sent ${counters.advertsSent}, received ${counters.advertsReceived}, ` +
      `became master ${counted(counters.becameMaster, "time")}`,
  );
  return lines;
}

function footLines(node: NodeStatus, router: RouterStatus, terminal: Terminal): readonly string[] {
  const { lastMs, p99Ms, maxMs } = router.lateness;
  const late = [lastMs, p99Ms, maxMs].map(formatDuration);
  const lines = [`woken late by ${late[0]} last, ${late[1]} in 99 %, ${late[2]} at worst`];
  const rejected = Object.entries(router.rejected).filter(([, count]) => count > 0);
  if (rejected.length > 0) {
    lines.push(`rejected packets: ${rejected.map(([why, n]) => `${why} ${n}`).join(", ")}`);
  }
  for (const limitation of node.vrrp?.limitations ?? []) {
    lines.push(paint(terminal, "yellow", `limited: ${limitation}`));
  }
  return lines;
}

function effectOf({ ok, effect, weight }: InstanceStatus["tracks"][number]): string {
  if (effect === "FAULT") return "FAULT";
  if (weight === 0) return ok ? "ok" : "pending";
  return `${effect < 0 ? "" : "+"}${effect} priority`;
}
