/** What the settings want to have in the kernel while an instance is master, or all the time. */

import type { InstanceSettings, VirtualAddress, VrrpSettings } from "../core/vrrp/settings.ts";
import type { KernelObject } from "./kernel-object.ts";

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

/** Interfaces that get an IPv4 address of a subnet. */
export function subnetsOf(objects: readonly KernelObject[]): readonly string[] {
  const names = objects.flatMap((object) => {
    if (object.kind !== "address") return [];
    const { family, prefixLength, interface: name } = object.address;
    return family === "ipv4" && prefixLength < 32 ? [name] : [];
  });
  return [...new Set(names)];
}
