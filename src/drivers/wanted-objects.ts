/** What the settings want to have in the kernel while an instance is master, or all the time. */

import type {
  Family,
  InstanceSettings,
  VirtualAddress,
  VrrpSettings,
} from "../core/vrrp/settings.ts";
import type { KernelObject } from "./kernel-object.ts";
import { virtualMac } from "./netlink/links.ts";

const OWNER_PRIORITY = 255;

export function objectsOf(settings: InstanceSettings): readonly KernelObject[] {
  return [
    ...addressesOf(settings).map((address) => ({ kind: "address" as const, address })),
    ...settings.routes.map((route) => ({ kind: "route" as const, route })),
    ...settings.rules.map((rule) => ({ kind: "rule" as const, rule })),
  ];
}

export function staticObjectsOf(
  settings: Pick<VrrpSettings, "staticAddresses" | "staticRoutes" | "staticRules">,
): readonly KernelObject[] {
  return [
    ...settings.staticAddresses.map((address) => ({ kind: "address" as const, address })),
    ...settings.staticRoutes.map((route) => ({ kind: "route" as const, route })),
    ...settings.staticRules.map((rule) => ({ kind: "rule" as const, rule })),
  ];
}

/** A macvlan with a virtual router's MAC. */
export interface Macvlan {
  readonly name: string;
  /** The interface below. */
  readonly base: string;
  readonly family: Family;
  readonly mac: Uint8Array;
}

/** Those that the instance wants: its own first, then those of single addresses. */
export function macvlansOf(settings: InstanceSettings): readonly Macvlan[] {
  const all = new Map<string, Macvlan>();
  const own = ownMacvlan(settings);
  if (own !== undefined) all.set(own.name, own);
  for (const address of listed(settings)) {
    const one = macvlanOf(settings, address);
    if (one !== undefined && !all.has(one.name)) all.set(one.name, one);
  }
  return [...all.values()];
}

/**
 * The macvlan that carries the address: one of its own, or the instance's, unless the address
 * names another interface or is of the other family, for which that MAC is not meant.
 */
export function macvlanOf(
  settings: InstanceSettings,
  { vmac, interface: base, family }: VirtualAddress,
): Macvlan | undefined {
  if (vmac !== undefined) {
    return { name: vmac, base, family, mac: virtualMac(family, settings.vrid) };
  }
  const isElsewhere = base !== settings.interface || family !== settings.family;
  return isElsewhere ? undefined : ownMacvlan(settings);
}

/** With the MAC that the operator chose, or the one of RFC 9568 section 7.3. */
function ownMacvlan({
  vmac,
  interface: base,
  family,
  vrid,
}: InstanceSettings): Macvlan | undefined {
  if (vmac === undefined) return undefined;
  const mac =
    vmac.mac === undefined
      ? virtualMac(family, vrid)
      : Uint8Array.from(vmac.mac.split(":"), (part) => Number.parseInt(part, 16));
  return { name: vmac.name, base, family, mac };
}

/** Where each is put: on its macvlan, if it has one. */
export function addressesOf(settings: InstanceSettings): readonly VirtualAddress[] {
  return listed(settings).map((address) => {
    const carrier = macvlanOf(settings, address);
    if (carrier === undefined) return address;
    const { vmac: _vmac, ...rest } = address;
    return { ...rest, interface: carrier.name };
  });
}

function listed(settings: InstanceSettings): readonly VirtualAddress[] {
  return [...settings.addresses, ...settings.excludedAddresses];
}

/** What the packet filter does about addresses of a holder. */
export interface Filters {
  /** Silent while their lease has lapsed. */
  readonly leased: readonly string[];
  /** Accept_Mode false: nothing but neighbour discovery. */
  readonly refused: readonly string[];
}

/** `hasLease`: the instance has renewed one, or is about to. */
export function filtersOf(settings: InstanceSettings, hasLease: boolean): Filters {
  const texts = addressesOf(settings).map(({ address }) => address);
  const refused = settings.accept || settings.priority === OWNER_PRIORITY ? [] : texts;
  return { leased: settings.lease && hasLease ? texts : [], refused };
}

/**
 * Whether the link notices that the address comes: duplicate address detection asks whether somebody has it
 * already, and multicast listener reports come from the virtual MAC, whose frames switches follow.
 */
export function isNoticed({ family, noDad, vmac }: VirtualAddress, its: InstanceSettings): boolean {
  return family === "ipv6" && (!noDad || (vmac ?? its.vmac) !== undefined);
}

/** Interfaces that get an IPv4 address of a subnet. */
export function subnetsOf(objects: readonly KernelObject[]): readonly string[] {
  const names = objects.flatMap((object) => {
    if (object.kind !== "address") return [];
    const { family, prefixLength, interface: name } = object.address;
    return family === "ipv4" && prefixLength < 32 ? [name] : [];
  });
  return [...new Set(names)];
}

/** What is filtered by both. */
export function commonFilters(a: Filters, b: Filters): Filters {
  return {
    leased: a.leased.filter((address) => b.leased.includes(address)),
    refused: a.refused.filter((address) => b.refused.includes(address)),
  };
}
