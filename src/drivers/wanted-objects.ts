/** What the settings want to have in the kernel while an instance is master, or all the time. */

import type { InstanceSettings, VirtualAddress, VrrpSettings } from "../core/vrrp/settings.ts";
import type { KernelObject } from "./kernel-object.ts";

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

/**
 * On the VMAC's interface where there is one, unless the address names another interface or is of
 * the other family (an excluded address), for which that MAC is not meant.
 */
export function addressesOf(settings: InstanceSettings): readonly VirtualAddress[] {
  const { vmac, interface: base, family } = settings;
  return [...settings.addresses, ...settings.excludedAddresses].map((address) =>
    vmac === undefined || address.interface !== base || address.family !== family
      ? address
      : { ...address, interface: vmac.name },
  );
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

/** Duplicate address detection asks the whole link whether somebody has it already. */
export function isProbedFor({ family, noDad }: VirtualAddress): boolean {
  return family === "ipv6" && !noDad;
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
