/**
 * The interface that carries a virtual router's MAC: a private macvlan above the instance's
 * interface, with the kernel settings that keep the two MACs apart.
 */

import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { EEXIST, ENODEV, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import {
  beginLinkDeletion,
  beginLinkUp,
  beginMacvlan,
  findLink,
  formatMac,
  virtualMac,
} from "./netlink/links.ts";
import type { Link } from "./netlink/links.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";
import type { OwnedEntry, OwnedRecord } from "./owned-record.ts";
import {
  baseInterfaceSysctls,
  macvlanSysctls,
  readSysctl,
  reversePathSysctls,
  writeSysctl,
} from "./sysctl.ts";
import type { Sysctl } from "./sysctl.ts";

type MacSettings = Pick<InstanceSettings, "vmac" | "interface" | "family" | "vrid">;

/**
 * Makes the macvlan and brings it up; undefined when done or not wanted. One of the same name,
 * MAC and parent that somebody made before us is used, and stays afterwards.
 */
export function makeVirtualMac(
  socket: NetlinkSocket,
  record: OwnedRecord,
  settings: MacSettings,
): OsFailure | undefined {
  if (settings.vmac === undefined) return undefined;
  const { name } = settings.vmac;
  const call = `make the virtual MAC interface ${name} on ${settings.interface}`;
  const parent = findLink(socket, settings.interface);
  if (typeof parent === "number") return osFailure(call, parent);
  const mac = macOf(settings);
  const isWanted = (link: Link): boolean =>
    link.mac === formatMac(mac) && link.parentIndex === parent.index;
  let known = findLink(socket, name);
  // Another MAC since the last configuration: ours is made anew, a stranger's is left alone.
  if (typeof known !== "number" && !isWanted(known) && isOurs(record, name)) {
    removeVirtualMac(socket, record, name);
    known = findLink(socket, name);
  }
  if (typeof known === "number") {
    if (known !== -ENODEV) return osFailure(call, known);
    const unrecorded = record.add([{ kind: "macvlan", name }]);
    if (unrecorded !== undefined) return unrecorded;
    beginMacvlan(socket, name, parent.index, mac);
    const { status } = socket.transact();
    if (status < 0) {
      record.remove([{ kind: "macvlan", name }]);
      return osFailure(call, status);
    }
  } else if (!isWanted(known)) {
    return osFailure(`${call}: another interface of that name is there`, -EEXIST);
  }
  changeSysctls(record, [...reversePathSysctls(), ...baseInterfaceSysctls(settings.interface)]);
  for (const sysctl of macvlanSysctls(settings.family, name)) writeSysctl(sysctl);
  beginLinkUp(socket, name);
  const { status } = socket.transact();
  return status < 0 ? osFailure(call, status) : undefined;
}

/** The MAC that the operator chose, or the one of RFC 9568 section 7.3. */
export function macOf({ vmac, family, vrid }: Omit<MacSettings, "interface">): Uint8Array {
  if (vmac?.mac === undefined) return virtualMac(family, vrid);
  return Uint8Array.from(vmac.mac.split(":"), (part) => Number.parseInt(part, 16));
}

function isOurs(record: OwnedRecord, name: string): boolean {
  return record.entries.some((owned) => owned.kind === "macvlan" && owned.name === name);
}

/** Removes the macvlan if we made it. */
export function removeVirtualMac(
  socket: NetlinkSocket,
  record: OwnedRecord,
  name: string,
): OsFailure | undefined {
  const entry: OwnedEntry = { kind: "macvlan", name };
  if (!isOurs(record, name)) return undefined;
  beginLinkDeletion(socket, name);
  const { status } = socket.transact();
  if (status < 0 && status !== -ENODEV) {
    return osFailure(`remove the virtual MAC interface ${name}`, status);
  }
  record.remove([entry]);
  return undefined;
}

/** Changes settings of interfaces that are not ours; remembers the first value, not the last. */
export function changeSysctls(record: OwnedRecord, sysctls: readonly Sysctl[]): void {
  const remembered = new Set(
    record.entries.filter((entry) => entry.kind === "sysctl").map(({ path }) => path),
  );
  for (const sysctl of sysctls) {
    const before = readSysctl(sysctl.path);
    if (before === undefined || before === sysctl.value) continue;
    const entry = { kind: "sysctl", path: sysctl.path, value: before } as const;
    if (remembered.has(sysctl.path) || record.add([entry]) === undefined) writeSysctl(sysctl);
  }
}
