/** A model in plain English, one fact a line: for `nines check --verbose` and for golden files. */

import type {
  Authentication,
  InstanceSettings,
  NotifyCommand,
  NotifySettings,
  RouteSettings,
  RuleSettings,
  TrackReference,
  VirtualAddress,
  VrrpSettings,
} from "../core/vrrp/settings.ts";
import { downMs, skewMs } from "./hurts.ts";
import type { Model } from "./model.ts";
import { commandText, summarizeVirtualServer } from "./summary-balance.ts";

export function summarize(model: Model): string {
  const { vrrp } = model;
  return [
    ...summarizeNode(model),
    ...vrrp.instances.flatMap(summarizeInstance),
    ...vrrp.groups.map(
      (group) =>
        `group ${group.name}: ${group.members.join(" ")}${tracksText(group.tracks)}${notifyText(group.notify)}`,
    ),
    ...summarizeTracked(vrrp),
    ...vrrp.staticAddresses.map((address) => `static address ${addressText(address, "")}`),
    ...vrrp.staticRoutes.map((route) => `static route ${routeText(route)}`),
    ...vrrp.staticRules.map((rule) => `static rule ${ruleText(rule)}`),
    ...model.virtualServers.flatMap(summarizeVirtualServer),
    "",
  ].join("\n");
}

function summarizeNode(model: Model): string[] {
  const { mail, scripts, processes, hooks } = model;
  const lines = [`node ${model.vrrp.routerId}`];
  if (model.networkNamespace !== undefined) lines.push(`in namespace ${model.networkNamespace}`);
  if (mail.to.length > 0) {
    const server = mail.server === undefined ? "nobody" : `${mail.server.host}:${mail.server.port}`;
    lines.push(`mail to ${mail.to.join(" ")} from ${mail.from} through ${server}`);
  }
  if (scripts.user !== undefined)
    lines.push(`scripts run as ${scripts.user} ${scripts.group ?? ""}`.trim());
  if (scripts.enforce) lines.push("script security enforced");
  if (model.vrrp.startupDelayMs > 0) lines.push(`waits ${model.vrrp.startupDelayMs} ms at start`);
  const rt = processes.vrrp.realtimePriority;
  if (rt !== undefined) lines.push(`real-time priority ${rt}`);
  if (hooks.startup !== undefined) lines.push(`at start: ${commandText(hooks.startup.command)}`);
  if (hooks.shutdown !== undefined)
    lines.push(`at the end: ${commandText(hooks.shutdown.command)}`);
  for (const [name, fifo] of Object.entries(model.fifos)) {
    if (typeof fifo === "object" && fifo.target !== undefined)
      lines.push(`fifo ${name}: ${fifo.target.path}`);
  }
  return lines;
}

function summarizeInstance(i: InstanceSettings): string[] {
  const { announce } = i;
  const start = i.startAsMaster ? "MASTER" : "BACKUP";
  const flags = [
    i.preempt
      ? i.preemptDelayMs > 0
        ? `preempts after ${i.preemptDelayMs} ms`
        : "preempts"
      : "never preempts",
    i.accept ? "accepts packets" : "drops packets",
    ...(i.strict ? ["strict"] : []),
    ...(i.lease ? [] : ["no lease"]),
    ...(i.restoreRemovedAddresses ? [] : ["does not restore addresses"]),
    ...(i.higherPrioritySendAdvert ? [] : ["no last advert"]),
    ...(i.lowerPriorityNoAdvert ? ["silent on weaker adverts"] : []),
    ...(i.fastHandover ? [] : ["slow handover"]),
    ...(i.trackPrimaryInterface ? [] : ["interface may be down"]),
    ...(i.checksumWithPseudoHeader ? [] : ["checksum without pseudo header"]),
  ];
  const transport =
    i.transport.kind === "multicast"
      ? `multicast ${i.transport.group}`
      : `unicast to ${i.transport.peers.map((p) => p.address).join(" ")} ttl ${i.transport.ttl}${i.transport.checkSource ? ", checks senders" : ""}`;
  const timing = `advert ${i.advertIntervalMs} ms, dead after ${Math.round(downMs(i))} ms, skew ${Math.round(skewMs(i))} ms`;
  return [
    `instance ${i.name}: VRRPv${i.version}${i.alsoVersion2 === true ? " and v2" : ""} ${i.family} vrid ${i.vrid} on ${i.interface}, priority ${i.priority}, starts as ${start}`,
    `  ${timing}`,
    `  ${flags.join(", ")}`,
    `  ${transport}${i.sourceAddress === undefined ? "" : ` from ${i.sourceAddress}`}, ${authenticationText(i.authentication)}`,
    `  announces ${announce.repeat}x, again after ${announce.delayMs} ms, every ${announce.refreshMs} ms, ${announce.lowerPriorityRepeat}x on weaker adverts`,
    ...(i.vmac === undefined
      ? []
      : [
          `  macvlan ${i.vmac.name}${i.vmac.mac === undefined ? "" : ` ${i.vmac.mac}`}${i.vmac.sendFromBase ? ", adverts from base" : ""}`,
        ]),
    ...i.addresses.map((a) => `  address ${addressText(a, i.interface)}`),
    ...i.excludedAddresses.map((a) => `  excluded ${addressText(a, i.interface)}`),
    ...i.routes.map((route) => `  route ${routeText(route)}`),
    ...i.rules.map((rule) => `  rule ${ruleText(rule)}`),
    ...i.witnesses.map((witness) => `  witness ${witness}`),
    ...(i.tracks.length + notifyText(i.notify).length === 0
      ? []
      : [`  ${`${tracksText(i.tracks)}${notifyText(i.notify)}`.trim()}`]),
  ];
}

function authenticationText(a: Authentication): string {
  if (a.kind !== "hmac")
    return a.kind === "none" ? "no authentication" : `authentication ${a.kind}`;
  const keys = a.keys.map((key) => `${key.id} (${key.secret.length} bytes)`).join(" ");
  return `HMAC keys ${keys}, signs with ${a.activeKeyId}, ${a.mode}, window ${a.timeWindowMs} ms${a.antiReplay ? "" : " unused"}`;
}

function addressText(a: VirtualAddress, standard: string): string {
  const parts = [
    `${a.address}/${a.prefixLength}`,
    ...(a.interface === standard ? [] : [`dev ${a.interface}`]),
    ...(a.vmac === undefined ? [] : [`macvlan ${a.vmac}`]),
    ...(a.scope === 0 ? [] : [`scope ${a.scope}`]),
    ...(a.label === undefined ? [] : [`label ${a.label}`]),
    ...(a.broadcast === undefined ? [] : [`brd ${a.broadcast}`]),
    ...(a.peer === undefined ? [] : [`peer ${a.peer}`]),
    ...(a.noDad ? ["nodad"] : []),
    ...(a.home ? ["home"] : []),
    ...(a.managedTemporary ? ["mngtmpaddr"] : []),
    ...(a.noPrefixRoute ? ["noprefixroute"] : []),
    ...(a.autoJoin === true ? ["autojoin"] : []),
    ...(a.family === "ipv6" ? [`preferred ${a.preferredLifetimeS} s`] : []),
    ...(a.tracked ? [] : ["untracked"]),
  ];
  return parts.join(" ");
}

function routeText(r: RouteSettings): string {
  const parts = [r.kind, `${r.destination}/${r.prefixLength}`];
  for (const path of r.paths ?? []) {
    const way = [path.via, path.interface].filter((part) => part !== undefined).join(" on ");
    parts.push(`path ${way} weight ${path.weight}${path.onLink ? " onlink" : ""}`);
  }
  for (const key of [
    "via",
    "interface",
    "source",
    "table",
    "metric",
    "scope",
    "protocol",
    "typeOfService",
    "realms",
    "congestionControl",
    "preference",
    "expiresS",
  ] as const) {
    if (r[key] !== undefined) parts.push(`${key} ${r[key]}`);
  }
  for (const [name, value] of Object.entries(r.metrics ?? {})) {
    const locked = r.lockedMetrics?.some((other) => other === name) === true;
    parts.push(`${name} ${value}${locked ? " locked" : ""}`);
  }
  if (r.onLink) parts.push("onlink");
  if (r.trackGroup !== undefined) parts.push(`watched by ${r.trackGroup}`);
  return [...parts, ...(r.tracked ? [] : ["untracked"])].join(" ");
}

function ruleText(r: RuleSettings): string {
  const parts: string[] = [r.family, ...(r.inverted === true ? ["not"] : [])];
  if (r.from !== undefined) parts.push(`from ${r.from.address}/${r.from.prefixLength}`);
  if (r.to !== undefined) parts.push(`to ${r.to.address}/${r.to.prefixLength}`);
  if (r.incomingInterface !== undefined) parts.push(`iif ${r.incomingInterface}`);
  if (r.outgoingInterface !== undefined) parts.push(`oif ${r.outgoingInterface}`);
  if (r.mark !== undefined) parts.push(`fwmark ${r.mark}`);
  if (r.markMask !== undefined) parts.push(`of mask ${r.markMask}`);
  for (const key of [
    "typeOfService",
    "realms",
    "suppressPrefixLength",
    "suppressInterfaceGroup",
    "ipProtocol",
    "tunnelId",
    "protocol",
  ] as const) {
    if (r[key] !== undefined) parts.push(`${key} ${r[key]}`);
  }
  for (const key of ["users", "sourcePorts", "destinationPorts"] as const) {
    if (r[key] !== undefined) parts.push(`${key} ${r[key].first}-${r[key].last}`);
  }
  const action = r.action === "goto" ? `goto ${r.gotoPriority}` : r.action;
  return [...parts, action ?? `table ${r.table}`, `preference ${r.priority ?? "any"}`].join(" ");
}

function tracksText(tracks: readonly TrackReference[]): string {
  const texts = tracks.map((track) => {
    const effect = track.weight === 0 ? "or FAULT" : `weight ${track.weight}`;
    return `${track.kind} ${track.name} ${effect}${track.reverse ? " reversed" : ""}`;
  });
  return texts.length === 0 ? "" : ` tracks: ${texts.join(", ")};`;
}

function notifyText(notify: NotifySettings): string {
  const texts = Object.entries(notify).flatMap(([key, value]) =>
    typeof value === "boolean"
      ? value
        ? [key]
        : []
      : [`${key} ${commandText(value as NotifyCommand)}`],
  );
  return texts.length === 0 ? "" : ` tells: ${texts.join(", ")}`;
}

function summarizeTracked(vrrp: VrrpSettings): string[] {
  const weight = (one: { weight: number; reverse: boolean }): string =>
    `weight ${one.weight}${one.reverse ? " reversed" : ""}`;
  return [
    ...vrrp.scripts.map(
      (s) =>
        `script ${s.name}: ${commandText(s.command)} every ${s.intervalMs} ms, timeout ${s.timeoutMs} ms, rise ${s.rise}, fall ${s.fall}, ${weight(s)}${s.startFailed ? ", starts failed" : ""}${s.earlyLook ? "" : ", no early look"}`,
    ),
    ...vrrp.processes.map(
      (p) =>
        `process ${p.name}: ${p.process} [${p.parameters.join(" | ")}] ${p.parameterMatch}, ${p.quorum} to ${p.quorumMax}, ${weight(p)}, delays ${p.forkDelayMs}/${p.terminateDelayMs} ms${p.fullCommand ? ", full command" : ""}`,
    ),
    ...vrrp.files.map(
      (f) =>
        `file ${f.name}: ${f.path} ${weight(f)}${f.initialValue === undefined ? "" : `, starts with ${f.initialValue}${f.overwrite ? " always" : ""}`}`,
    ),
  ];
}
