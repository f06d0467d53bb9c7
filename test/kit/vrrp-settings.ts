/** Settings for tests: an instance as keepalived.conf's defaults would make it, in one line. */

import type {
  AnnounceSettings,
  Authentication,
  Family,
  InstanceSettings,
  NotifySettings,
  SyncGroupSettings,
  TrackReference,
  UnicastTransport,
  VirtualAddress,
  VrrpSettings,
} from "../../src/core/vrrp/settings.ts";

export const VRID = 51;

export const noNotify: NotifySettings = { priorityChanges: false, mail: false };

export const announceDefaults: AnnounceSettings = {
  delayMs: 5000,
  repeat: 5,
  refreshMs: 0,
  refreshRepeat: 1,
  lowerPriorityDelayMs: 5000,
  lowerPriorityRepeat: 5,
  arpSpacingMs: 0,
  naSpacingMs: 0,
  afterSplitMs: 30_000,
};

export function virtualAddress(address: string, dev = "eth0"): VirtualAddress {
  const family: Family = address.includes(":") ? "ipv6" : "ipv4";
  return {
    address,
    family,
    prefixLength: family === "ipv4" ? 24 : 64,
    interface: dev,
    scope: 0,
    noDad: true,
    home: false,
    managedTemporary: false,
    noPrefixRoute: false,
    preferredLifetimeS: 0,
    tracked: true,
  };
}

/** `vips` in short for `addresses`. */
export type InstanceDraft = Partial<InstanceSettings> & { readonly vips?: readonly string[] };

/** Version 3, IPv4 multicast, priority 100, 1 s, VRID 51, on eth0, unless the draft says else. */
export function instance(draft: InstanceDraft = {}): InstanceSettings {
  const { vips, ...rest } = draft;
  const family = rest.family ?? "ipv4";
  const dev = rest.interface ?? "eth0";
  const group = family === "ipv4" ? "224.0.0.18" : "ff02::12";
  const addresses = vips ?? (family === "ipv4" ? ["192.0.2.200"] : ["fe80::200"]);
  return {
    name: "V1",
    family,
    version: 3,
    vrid: VRID,
    interface: dev,
    priority: 100,
    advertIntervalMs: 1000,
    startAsMaster: false,
    preempt: true,
    preemptDelayMs: 0,
    downTimerAdverts: 3,
    transport: { kind: "multicast", group },
    authentication: { kind: "none" },
    addresses: addresses.map((a) => virtualAddress(a, dev)),
    excludedAddresses: [],
    routes: [],
    rules: [],
    accept: true,
    strict: false,
    checksumWithPseudoHeader: true,
    skipCheckAdvertAddresses: false,
    lowerPriorityNoAdvert: false,
    higherPrioritySendAdvert: true,
    ownerIgnoreAdverts: false,
    fastHandover: true,
    announce: announceDefaults,
    tracks: [],
    trackPrimaryInterface: true,
    lease: true,
    restoreRemovedAddresses: true,
    witnesses: [],
    notify: noNotify,
    promoteSecondaries: false,
    ...rest,
  };
}

/** What `vrrp_strict` makes of an instance. */
export function strict(draft: InstanceDraft = {}): InstanceSettings {
  return instance({
    strict: true,
    fastHandover: false,
    higherPrioritySendAdvert: false,
    ...draft,
  });
}

export function node(
  instances: readonly InstanceSettings[],
  rest: Partial<VrrpSettings> = {},
): VrrpSettings {
  return {
    routerId: "test",
    instances,
    groups: [],
    scripts: [],
    processes: [],
    files: [],
    startupDelayMs: 0,
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
    ...rest,
  };
}

export function group(
  members: readonly string[],
  rest: Partial<SyncGroupSettings> = {},
): SyncGroupSettings {
  return { name: "G", members, tracks: [], trackingWeight: false, notify: noNotify, ...rest };
}

/** V1 on eth0 and V2 on eth1, in step. */
export function pairOfInstances(draft: InstanceDraft = {}): VrrpSettings {
  return node(
    [
      instance({ name: "V1", ...draft }),
      instance({ name: "V2", interface: "eth1", vips: ["198.51.100.200"], ...draft }),
    ],
    { groups: [group(["V1", "V2"])] },
  );
}

export function script(name: string, weight = 0, reverse = false): TrackReference {
  return { kind: "script", name, weight, reverse };
}

export function unicast(
  peers: readonly string[],
  rest: Partial<UnicastTransport> = {},
): UnicastTransport {
  return {
    kind: "unicast",
    peers: peers.map((address) => ({ address, minTtl: 255, maxTtl: 255 })),
    ttl: 255,
    checkSource: false,
    ...rest,
  };
}

type Hmac = Extract<Authentication, { kind: "hmac" }>;

/** Key 1 is bytes 00..1f, as in keepalived's published vectors. */
export function hmac(rest: Partial<Hmac> = {}): Hmac {
  return {
    kind: "hmac",
    keys: [{ id: 1, secret: Uint8Array.from({ length: 32 }, (_, i) => i) }],
    activeKeyId: 1,
    mode: "enforce",
    antiReplay: true,
    timeWindowMs: 30_000,
    ...rest,
  };
}
