/** Turns a node's plan into the settings that the operator of that node would have written. */

import type {
  InstanceSettings,
  NotifySettings,
  ScriptSettings,
  TrackReference,
  VirtualAddress,
  VrrpSettings,
} from "../core/vrrp/settings.ts";
import { slowestIntervalMs, type NodePlan, type Scenario } from "./scenario.ts";

/** Instance names; the index is the segment and the number of the `ethN` it runs on. */
export const instanceNames: readonly ["V1", "V2"] = ["V1", "V2"];

export function interfaceName(segment: number): string {
  return `eth${segment}`;
}

/** A node's own address on a segment: the source of its adverts. */
export function primaryAddress(scenario: Scenario, segment: number, hostNumber: number): string {
  return scenario.group.family === "ipv4"
    ? `10.0.${segment}.${hostNumber}`
    : `fe80::${segment + 1}:${hostNumber.toString(16)}`;
}

/** The addresses that move, per segment. IPv6 puts a link-local one first (erratum 8300). */
export function virtualAddresses(scenario: Scenario, segment: number): readonly string[] {
  const { family, addresses } = scenario.group;
  return Array.from({ length: addresses }, (_, i) => {
    if (family === "ipv4") return `10.0.${segment}.${200 + i}`;
    return i === 0
      ? `fe80::${segment + 1}:c8`
      : `2001:db8:${segment + 1}::${(200 + i).toString(16)}`;
  });
}

/** The reference address of a segment. */
export function witnessAddress(scenario: Scenario, segment: number): string {
  return scenario.group.family === "ipv4" ? `10.0.${segment}.254` : `fe80::${segment + 1}:fe`;
}

/** What a reload changes: a priority is taken over at once, another accept mode restarts. */
export interface Edit {
  readonly priority?: number;
  readonly accept?: boolean;
}

export function draftSettings(scenario: Scenario, plan: NodePlan, edit: Edit = {}): VrrpSettings {
  const names = instanceNames.slice(0, scenario.group.instances);
  return {
    routerId: plan.name,
    instances: names.map((_, segment) => ({
      ...draftInstance(scenario, plan, segment),
      ...edit,
    })),
    groups:
      names.length > 1
        ? [{ name: "G", members: names, tracks: [], trackingWeight: false, notify: noNotify }]
        : [],
    scripts: plan.tracks.map((track): ScriptSettings => ({
      name: track.name,
      command: { argv: ["/bin/true"] },
      intervalMs: 1000,
      timeoutMs: 1000,
      rise: 1,
      fall: 1,
      weight: track.weight,
      reverse: track.reverse,
      startFailed: false,
      earlyLook: true,
    })),
    processes: [],
    files: [],
    startupDelayMs: plan.startupDelayMs,
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
  };
}

function draftInstance(scenario: Scenario, plan: NodePlan, segment: number): InstanceSettings {
  const { group } = scenario;
  return {
    name: instanceNames[segment]!,
    family: group.family,
    version: group.version,
    vrid: VRID + segment,
    interface: interfaceName(segment),
    priority: plan.priority,
    advertIntervalMs: plan.intervalMs,
    startAsMaster: plan.startAsMaster,
    preempt: plan.preempt,
    preemptDelayMs: plan.preemptDelayMs,
    downTimerAdverts: group.downTimerAdverts,
    transport: draftTransport(scenario, plan, segment),
    authentication: draftAuthentication(group.authentication),
    addresses: virtualAddresses(scenario, segment).map((a) => draftAddress(scenario, segment, a)),
    excludedAddresses: [],
    routes: [],
    rules: [],
    accept: true,
    strict: false,
    checksumWithPseudoHeader: group.checksumWithPseudoHeader,
    skipCheckAdvertAddresses: false,
    lowerPriorityNoAdvert: false,
    higherPrioritySendAdvert: true,
    ownerIgnoreAdverts: false,
    announce: {
      delayMs: 5 * slowestIntervalMs(scenario),
      repeat: 2,
      refreshMs: group.announceRefreshMs,
      refreshRepeat: 1,
      lowerPriorityDelayMs: 5 * slowestIntervalMs(scenario),
      lowerPriorityRepeat: 2,
      arpSpacingMs: 0,
      naSpacingMs: 0,
      afterSplitMs: 30_000,
    },
    tracks: plan.tracks.map((track): TrackReference => ({ kind: "script", ...track })),
    trackPrimaryInterface: true,
    lease: group.lease,
    fastHandover: group.fastHandover,
    restoreRemovedAddresses: plan.restoreRemovedAddresses,
    witnesses: group.witness ? [witnessAddress(scenario, segment)] : [],
    notify: noNotify,
    promoteSecondaries: false,
  };
}

function draftAuthentication(
  kind: Scenario["group"]["authentication"],
): InstanceSettings["authentication"] {
  if (kind === "none") return { kind };
  if (kind !== "hmac") return { kind, password: "sim" };
  return {
    kind,
    keys: [{ id: 7, secret: new Uint8Array(32).fill(0x5a) }],
    activeKeyId: 7,
    mode: "enforce",
    antiReplay: true,
    timeWindowMs: 3_600_000,
  };
}

function draftTransport(
  scenario: Scenario,
  plan: NodePlan,
  segment: number,
): InstanceSettings["transport"] {
  const { unicast, family } = scenario.group;
  if (!unicast) return { kind: "multicast", group: family === "ipv4" ? "224.0.0.18" : "ff02::12" };
  const others = scenario.nodes.filter((node) => node.name !== plan.name);
  const peers = others.map((node) => ({
    address: primaryAddress(scenario, segment, node.hostNumber),
    minTtl: 255,
    maxTtl: 255,
  }));
  return { kind: "unicast", peers, ttl: 255, checkSource: true };
}

function draftAddress(scenario: Scenario, segment: number, address: string): VirtualAddress {
  return {
    address,
    family: scenario.group.family,
    prefixLength: scenario.group.family === "ipv4" ? 24 : 64,
    interface: interfaceName(segment),
    scope: 0,
    noDad: true,
    home: false,
    managedTemporary: false,
    noPrefixRoute: false,
    preferredLifetimeS: 0,
    tracked: true,
  };
}

const noNotify: NotifySettings = { priorityChanges: false, mail: false };

/** VRID of the first instance; the second has the next one. */
export const VRID = 51;
