/** Virtual servers in plain English. */

import type { NotifyCommand } from "../core/vrrp/settings.ts";
import type {
  CheckSettings,
  CheckTiming,
  Frontend,
  RealServerSettings,
  VirtualServerSettings,
} from "./virtual-server.ts";

export function summarizeVirtualServer(server: VirtualServerSettings): string[] {
  const { persistence, sorryServer } = server;
  const sticky =
    persistence === undefined
      ? ""
      : `, clients of /${persistence.granularity} stay ${persistence.timeoutMs} ms`;
  return [
    `virtual server ${server.name}: ${server.frontends.map(frontendText).join(" ")} ${server.protocol}, ${server.scheduler}${server.schedulerFlags.map((flag) => ` ${flag}`).join("")}, ${server.forwarding.method}${sticky}, quorum ${server.quorum}${server.hysteresis > 0 ? `±${server.hysteresis}` : ""}${server.startDown ? ", starts down" : ""}${server.notifyOnStop ? ", tells at the end" : ""}`,
    ...(server.quorumUp === undefined ? [] : [`  quorum up: ${commandText(server.quorumUp)}`]),
    ...(server.quorumDown === undefined
      ? []
      : [`  quorum down: ${commandText(server.quorumDown)}`]),
    ...(sorryServer === undefined
      ? []
      : [`  sorry server ${sorryServer.address} ${sorryServer.port}`]),
    ...server.realServers.flatMap(summarizeRealServer),
  ];
}

function frontendText(front: Frontend): string {
  if (front.kind === "mark") return `mark ${front.mark}`;
  if (front.kind === "address") return `${front.address} ${front.port}`;
  return `${front.first}+${front.count} ${front.port}`;
}

function summarizeRealServer(server: RealServerSettings): string[] {
  const limits =
    server.upperThreshold > 0
      ? `, ${server.lowerThreshold}-${server.upperThreshold} connections`
      : "";
  return [
    `  server ${server.address} ${server.port} weight ${server.weight} ${server.forwarding.method}${server.inhibitOnFailure ? ", weight 0 on failure" : ""}${limits}`,
    ...(server.notifyUp === undefined ? [] : [`    up: ${commandText(server.notifyUp)}`]),
    ...(server.notifyDown === undefined ? [] : [`    down: ${commandText(server.notifyDown)}`]),
    ...server.checks.map((check) => `    check ${checkText(check)}`),
  ];
}

function timingText(timing: CheckTiming): string {
  return `every ${timing.intervalMs} ms, connect ${timing.connectTimeoutMs} ms, ${timing.retry} retries after ${timing.delayBeforeRetryMs} ms, warmup ${timing.warmupMs} ms${timing.startDown ? ", starts down" : ""}`;
}

function checkText(check: CheckSettings): string {
  switch (check.kind) {
    case "bfd":
      return `bfd ${check.name}`;
    case "file":
      return `file ${check.trackFile} weight ${check.weight}`;
    case "misc":
      return `misc ${commandText(check.command)} within ${check.timeoutMs} ms, ${timingText(check.timing)}`;
    default: {
      const at = `${check.target.address} ${check.target.port}`;
      return `${check.kind}${detailText(check)} ${at}, ${timingText(check.timing)}`;
    }
  }
}

function detailText(check: CheckSettings): string {
  if (check.kind === "dns") return ` ${check.query} ${check.name}`;
  if (check.kind === "udp") return check.requireReply ? " with reply" : "";
  if (check.kind === "smtp") return check.heloName === undefined ? "" : ` as ${check.heloName}`;
  if (check.kind !== "http") return "";
  const urls = check.urls.map((url) => {
    const codes = url.statusCodes.map((c) => (c.from === c.to ? `${c.from}` : `${c.from}-${c.to}`));
    return `${url.virtualHost ?? check.virtualHost ?? ""}${url.path} ${codes.join(",")}${url.digest === undefined ? "" : ` md5 ${url.digest}`}${url.regex === undefined ? "" : ` /${url.regex.pattern}/`}`;
  });
  return `${check.tls ? "s" : ""}/${check.protocol} ${urls.join("; ")}`;
}

export function commandText(command: NotifyCommand): string {
  const user = command.user === undefined ? "" : ` as ${command.user}`;
  return `[${command.argv.join(" | ")}]${user}`;
}
