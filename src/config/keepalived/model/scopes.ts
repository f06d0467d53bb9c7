/** Addresses that the kernel would refuse because of their neighbours in the file. */

import type {
  InstanceSettings,
  VirtualAddress,
  VrrpSettings,
} from "../../../core/vrrp/settings.ts";
import { parseIp } from "../../../lib/ip-address.ts";
import { type Context, nowhere } from "./context.ts";

/**
 * Within a subnet of one interface the kernel takes IPv4 addresses of one scope only (EINVAL for
 * the others). An instance without all its addresses is no master, so that this is a mistake.
 */
export function checkScopes(vrrp: VrrpSettings, context: Context): void {
  const first = new Map<string, VirtualAddress>();
  const told = new Set<string>();
  for (const [carrier, address] of placed(vrrp)) {
    if (address.family !== "ipv4") continue;
    const subnet = `${carrier} ${address.prefixLength} ${networkOf(address)}`;
    const other = first.get(subnet) ?? address;
    first.set(subnet, other);
    const kind = `${subnet} ${address.scope}`;
    if (other.scope === address.scope || told.has(kind)) continue;
    told.add(kind);
    const at = context.origins.get(`address ${address.address}`) ?? nowhere();
    const reason = `${address.address} and ${other.address} are of one subnet and of two scopes: the kernel takes the first one only`;
    context.findings.error(at, reason, "give both the same scope");
  }
}

/** Every address with the interface that it is put on. */
function placed(vrrp: VrrpSettings): readonly (readonly [string, VirtualAddress])[] {
  return [
    ...vrrp.staticAddresses.map((address) => [address.interface, address] as const),
    ...vrrp.instances.flatMap((instance) =>
      [...instance.addresses, ...instance.excludedAddresses].map(
        (address) => [carrierOf(instance, address), address] as const,
      ),
    ),
  ];
}

function carrierOf({ vmac, interface: link, family }: InstanceSettings, a: VirtualAddress): string {
  const isOwn = a.interface === link && a.family === family;
  return a.vmac ?? (isOwn ? vmac?.name : undefined) ?? a.interface;
}

function networkOf({ address, peer, prefixLength }: VirtualAddress): string {
  const bytes = parseIp(peer ?? address) ?? new Uint8Array(4);
  return bytes
    .map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixLength - 8 * i))))
    .join(".");
}
