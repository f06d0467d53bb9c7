/**
 * What is allowed and will hurt all the same: a pure function over the model and facts about the
 * machine. Think of the operator who reads this before the night, not during it.
 */

import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { closest } from "../lib/spelling.ts";
import { type Diagnostic, Findings, type Place, sortDiagnostics } from "./diagnostic.ts";
import type { HostFacts } from "./host-facts.ts";
import { warnAboutScripts } from "./hurts-scripts.ts";
import type { Model } from "./model.ts";
import { scriptUses } from "./script-uses.ts";

export type { FileFact, HostFacts } from "./host-facts.ts";
export { gatherHostFacts } from "./host-facts.ts";

/** Skew from which a higher priority is worth a word, ms. */
const SLOW_SKEW_MS = 250;

/** An unsafe script is an error; everything else warns. In reading order. */
export function hostWarnings(model: Model, facts: HostFacts): Diagnostic[] {
  const findings = new Findings();
  for (const instance of model.vrrp.instances) {
    warnAboutTakeOver(model, instance, findings);
    warnAboutPreemption(model, instance, findings);
    warnAboutWeights(model, instance, findings);
    warnAboutStrict(model, instance, findings);
    warnAboutDelays(model, instance, findings);
    warnAboutLoopback(model, instance, findings);
  }
  warnAboutSharing(model.vrrp.instances, model, findings);
  warnAboutMail(model, facts, findings);
  warnAboutUnused(model, findings);
  return sortDiagnostics([...findings.list, ...machineWarnings(model, facts)]);
}

/**
 * Only what this machine has to say about things that were written. It holds also for a file with
 * errors, where nobody knows what is missing because of a mistake. In reading order.
 */
export function machineWarnings(model: Model, facts: HostFacts): Diagnostic[] {
  const findings = new Findings();
  for (const instance of model.vrrp.instances) warnAboutSource(model, instance, facts, findings);
  warnAboutInterfaces(model, facts, findings);
  warnAboutScripts(scriptUses(model), { rules: model.scripts, facts, findings });
  return sortDiagnostics(findings.list);
}

/** Where a named thing was written. */
export function placeOf(model: Model, key: string): Place {
  return model.origins.get(key) ?? { file: "", line: 1, column: 1, text: "" };
}

function instanceAt(model: Model, instance: InstanceSettings): Place {
  return placeOf(model, `vrrp_instance ${instance.name}`);
}

/** Skew_Time, ms: RFC 9568 section 6.1; version 2 counts in whole seconds (RFC 3768 6.1). */
export function skewMs(instance: InstanceSettings, priority: number = instance.priority): number {
  const unit = instance.version === 2 ? 1000 : instance.advertIntervalMs;
  return ((256 - priority) * unit) / 256;
}

/** Active_Down_Interval, ms: how long after its last advert a silent master is given up. */
export function downMs(instance: InstanceSettings, priority: number = instance.priority): number {
  return instance.downTimerAdverts * instance.advertIntervalMs + skewMs(instance, priority);
}

function warnAboutTakeOver(model: Model, instance: InstanceSettings, findings: Findings): void {
  const skew = skewMs(instance);
  if (instance.startAsMaster || instance.priority >= 254 || skew < SLOW_SKEW_MS) return;
  const at = model.origins.get(`priority of ${instance.name}`) ?? instanceAt(model, instance);
  const now = Math.round(downMs(instance));
  const better = Math.round(downMs(instance, 253));
  findings.warn(
    at,
    `${instance.name} takes over ${now} ms after the last advert, ${Math.round(skew)} ms of it because its priority is ${instance.priority}`,
    `priorities 254 and 253 make it ${better} ms; version 3 with a shorter advert_int makes it less`,
  );
}

function warnAboutPreemption(model: Model, instance: InstanceSettings, findings: Findings): void {
  const decided =
    !instance.preempt ||
    instance.priority === 255 ||
    instance.preemptDelayMs > 0 ||
    model.origins.has(`preempt of ${instance.name}`);
  if (decided) return;
  findings.warn(
    instanceAt(model, instance),
    `${instance.name} takes the addresses back whenever it returns: a second interruption`,
    "write nopreempt with state BACKUP on both nodes, or preempt if this is wanted",
  );
}

/** Both nodes have nopreempt as a rule: then the address stays where the service is dead. */
function warnAboutWeights(model: Model, instance: InstanceSettings, findings: Findings): void {
  const weighted = instance.tracks.find((track) => track.weight !== 0);
  if (instance.preempt || weighted === undefined) return;
  const { name } = instance;
  findings.warn(
    model.origins.get(`track_${weighted.kind} of ${name}`) ?? instanceAt(model, instance),
    `with nopreempt ${name} leaves a master in charge whatever its priority: the weight of ${weighted.kind} ${weighted.name} moves nothing`,
    "write weight 0, so that a failure is FAULT, or preempt with a preempt_delay",
  );
}

function warnAboutStrict(model: Model, instance: InstanceSettings, findings: Findings): void {
  if (!instance.strict || instance.accept) return;
  findings.warn(
    instanceAt(model, instance),
    `strict mode drops every packet to the addresses of ${instance.name} unless its priority is 255`,
    instance.version === 2
      ? "remove vrrp_strict; or write version 3 and accept in the instance"
      : "remove vrrp_strict, or write accept in the instance",
  );
}

/** One router holds it on this node, the other one on that: a split brain by configuration. */
function warnAboutSharing(
  instances: readonly InstanceSettings[],
  model: Model,
  findings: Findings,
): void {
  const holders = new Map<string, string>();
  for (const instance of instances) {
    for (const { address, interface: link } of [
      ...instance.addresses,
      ...instance.excludedAddresses,
    ]) {
      const holder = holders.get(`${address} ${link}`) ?? instance.name;
      holders.set(`${address} ${link}`, holder);
      if (holder === instance.name) continue;
      const reason = `${address} belongs to ${holder} already: when one of the two moves, two nodes hold it`;
      findings.warn(instanceAt(model, instance), reason, "leave it to one of them");
    }
  }
}

function warnAboutSource(
  model: Model,
  instance: InstanceSettings,
  facts: HostFacts,
  findings: Findings,
): void {
  const source = instance.sourceAddress;
  if (source === undefined || facts.addresses === undefined) return;
  if (facts.addresses.includes(source)) return;
  const at = model.origins.get(`unicast_src_ip of ${instance.name}`) ?? instanceAt(model, instance);
  findings.warn(
    at,
    `${source} is not an address of this machine`,
    "is this file for another node?",
  );
}

function warnAboutDelays(model: Model, instance: InstanceSettings, findings: Findings): void {
  const delay = model.interfaceDelays.find((d) => d.interface === instance.interface);
  const limit = (instance.downTimerAdverts - 1) * instance.advertIntervalMs;
  if (delay === undefined || delay.downMs < limit) return;
  findings.warn(
    placeOf(model, `delay of ${delay.interface}`),
    `${delay.interface} counts as down after ${delay.downMs} ms; the peer takes ${instance.name} over after about ${Math.round(downMs(instance))} ms already`,
    `write less than ${limit / 1000}`,
  );
}

function warnAboutInterfaces(model: Model, facts: HostFacts, findings: Findings): void {
  const here = facts.interfaces;
  if (here === undefined || model.dynamicInterfaces || model.networkNamespace !== undefined) return;
  for (const [key, at] of model.origins) {
    const name = /^interface (.+)$/u.exec(key)?.[1];
    if (name === undefined || here.includes(name)) continue;
    const others = here.filter((other) => other !== "lo");
    const near = closest(name, others);
    const next =
      near === undefined ? `here are: ${others.slice(0, 8).join(" ")}` : `did you mean '${near}'?`;
    findings.warn(at, `there is no interface '${name}' on this machine`, next);
  }
}

/** keepalived refuses the loopback interface for VRRP; here it is a warning for trying things. */
function warnAboutLoopback(model: Model, instance: InstanceSettings, findings: Findings): void {
  if (instance.interface !== "lo") return;
  const reason = `${instance.name} sends its adverts on lo: nobody hears them`;
  const at = placeOf(model, `link of ${instance.name}`);
  findings.warn(at, reason, "name the interface that the peer is on");
}

function warnAboutMail(model: Model, facts: HostFacts, findings: Findings): void {
  const { mail, vrrp } = model;
  const wanted =
    [...vrrp.instances, ...vrrp.groups].some((one) => one.notify.mail) ||
    model.virtualServers.some((server) => server.mail || server.realServers.some((r) => r.mail));
  const at = model.origins.get("notification_email") ?? model.origins.get("smtp_server");
  if (mail.to.length > 0 && !wanted && at !== undefined) {
    if (mail.server === undefined) {
      findings.note(at, "no mail will ever be sent", "add: smtp_server HOST");
    } else if (!/\.ya?ml$/u.test(at.file)) {
      const reason = "mail tells of incidents and burn rates, not of every change of state";
      findings.note(at, reason, "add smtp_alert to global_defs or an instance");
    }
  }
  if (wanted && mail.to.length > 0 && mail.server === undefined && at !== undefined) {
    findings.warn(at, "mail is wanted but there is no smtp_server", "add: smtp_server HOST");
  }
  if (mail.server === undefined || mail.to.length === 0) return;
  const { host } = mail.server;
  const place = placeOf(model, "smtp_server");
  const follows = vrrp.instances.some((i) => i.addresses.some((a) => a.address === host));
  const own = host !== "127.0.0.1" && facts.addresses?.includes(host) === true;
  if (follows) {
    findings.warn(
      place,
      `smtp_server ${host} is a virtual address`,
      "name a host that does not move",
    );
  } else if (own) {
    const reason = `smtp_server ${host} is this machine: no mail leaves when it is down`;
    findings.warn(place, reason, "name a mail server elsewhere");
  }
}

/** A script that nobody tracks never runs: both seeds of the field forget track_script. */
function warnAboutUnused(model: Model, findings: Findings): void {
  const { vrrp } = model;
  const used = new Set(
    [...vrrp.instances, ...vrrp.groups].flatMap((one) =>
      one.tracks.map((track) => `${track.kind} ${track.name}`),
    ),
  );
  const files = model.virtualServers.flatMap((server) =>
    server.realServers.flatMap((real) =>
      real.checks.flatMap((check) => (check.kind === "file" ? [`file ${check.trackFile}`] : [])),
    ),
  );
  for (const name of files) used.add(name);
  const kinds = [
    ["script", "vrrp_script", vrrp.scripts],
    ["process", "vrrp_track_process", vrrp.processes],
    ["file", "track_file", vrrp.files],
    ["bfd", "bfd_instance", vrrp.bfds ?? []],
  ] as const;
  for (const [kind, keyword, definitions] of kinds) {
    for (const { name } of definitions) {
      const isUsed = used.has(`${kind} ${name}`) || model.origins.has(`use of ${kind} ${name}`);
      if (isUsed) continue;
      const reason = `${keyword} ${name} is not tracked by anything, so it has no effect`;
      const next = `add to the vrrp_instance: track_${kind} { ${name} }`;
      findings.warn(placeOf(model, `${keyword} ${name}`), reason, next);
    }
  }
}
