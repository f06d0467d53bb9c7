/**
 * The interface that carries a virtual router's MAC: a private macvlan above the instance's
 * interface, with the kernel settings that keep the two MACs apart.
 */

import { EEXIST, ENODEV, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import {
  beginLinkDeletion,
  beginLinkUp,
  beginMacvlan,
  findLink,
  formatMac,
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
import type { Macvlan } from "./wanted-objects.ts";

/**
 * Makes the macvlan and brings it up; undefined when done. One of the same name,
 * MAC and parent that somebody made before us is used, and stays afterwards.
 */
export function makeVirtualMac(
  socket: NetlinkSocket,
  record: OwnedRecord,
  { name, base, family, mac }: Macvlan,
): OsFailure | undefined {
  const call = `make the virtual MAC interface ${name} on ${base}`;
  const parent = findLink(socket, base);
  if (typeof parent === "number") return osFailure(call, parent);
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
  changeSysctls(record, [...reversePathSysctls(), ...baseInterfaceSysctls(base)]);
  for (const sysctl of macvlanSysctls(family, name)) writeSysctl(sysctl);
  beginLinkUp(socket, name);
  const { status } = socket.transact();
  return status < 0 ? osFailure(call, status) : undefined;
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
