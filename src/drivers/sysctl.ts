/**
 * Kernel settings of interfaces under /proc/sys/net, of the caller's network namespace. In a
 * container they may be read-only: every call says so by its value and changes nothing else.
 */

import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const ROOT = "/proc/sys/net";

/** `path` below /proc/sys/net, e.g. `ipv4/conf/eth0/arp_ignore`. */
export interface Sysctl {
  readonly path: string;
  readonly value: string;
}

/** Undefined where the kernel has no such setting or the interface is gone. */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`${ROOT}/${path}`, "latin1").trim();
  } catch {
    return undefined;
  }
}

/** False where it could not be written. */
export function writeSysctl({ path, value }: Sysctl): boolean {
  try {
    writeFileSync(`${ROOT}/${path}`, value);
    return true;
  } catch {
    return false;
  }
}

/** Names with a slash or dots only would leave the folder; the kernel allows neither. */
export function interfaceSysctl(family: "ipv4" | "ipv6", name: string, setting: string): string {
  return `${family}/conf/${name}/${setting}`;
}

/**
 * For the interface below a virtual MAC: ARP for an address is answered only where the address
 * is, and our own ARP requests never name a virtual address as their sender together with the
 * physical MAC (RFC 9568 section 8.1.2).
 */
export function baseInterfaceSysctls(name: string): readonly Sysctl[] {
  return [
    { path: interfaceSysctl("ipv4", name, "arp_ignore"), value: "1" },
    { path: interfaceSysctl("ipv4", name, "arp_announce"), value: "2" },
  ];
}

/**
 * For a virtual MAC's macvlan of either family. The reverse path leads through the base
 * interface, and a backup's macvlan has no address at all: any rp_filter, loose included, would
 * drop the adverts that come in on it. See also `reversePathSysctls`.
 */
export function macvlanSysctls(family: "ipv4" | "ipv6", name: string): readonly Sysctl[] {
  const ipv4 = [
    { path: interfaceSysctl("ipv4", name, "arp_ignore"), value: "1" },
    { path: interfaceSysctl("ipv4", name, "arp_announce"), value: "2" },
    { path: interfaceSysctl("ipv4", name, "rp_filter"), value: "0" },
    { path: interfaceSysctl("ipv4", name, "accept_local"), value: "1" },
  ];
  // Without IPv6 no multicast listener report can carry the virtual MAC of a backup.
  if (family === "ipv4") {
    return [...ipv4, { path: interfaceSysctl("ipv6", name, "disable_ipv6"), value: "1" }];
  }
  return [
    ...ipv4,
    { path: interfaceSysctl("ipv6", name, "accept_ra"), value: "0" },
    { path: interfaceSysctl("ipv6", name, "autoconf"), value: "0" },
    { path: interfaceSysctl("ipv6", name, "accept_redirects"), value: "0" },
    { path: interfaceSysctl("ipv6", name, "dad_transmits"), value: "0" },
  ];
}

/**
 * `all/rp_filter` binds every interface, the macvlan too: the larger of the two counts. Its value
 * is moved to each interface (and to those that come later), where it means the same, so that
 * the macvlan can be without. Nothing when it is 0 already.
 */
export function reversePathSysctls(): readonly Sysctl[] {
  const all = Number(readSysctl(interfaceSysctl("ipv4", "all", "rp_filter")) ?? 0);
  if (all === 0) return [];
  const moved = readdirSync(`${ROOT}/ipv4/conf`)
    .filter((name) => name !== "all")
    .map((name) => {
      const path = interfaceSysctl("ipv4", name, "rp_filter");
      return { path, value: String(Math.max(all, Number(readSysctl(path) ?? 0))) };
    });
  return [...moved, { path: interfaceSysctl("ipv4", "all", "rp_filter"), value: "0" }];
}
