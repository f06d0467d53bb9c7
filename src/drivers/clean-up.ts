/** Removing what a process that died left in the kernel: what the record names, nothing else. */

import { ENODEV, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import { KernelBatch, describe, wasAbsent } from "./kernel-object.ts";
import type { KernelObject } from "./kernel-object.ts";
import { beginLinkDeletion } from "./netlink/links.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";
import { AddressLease } from "./nftables-lease.ts";
import type { OwnedEntry, OwnedRecord } from "./owned-record.ts";
import { writeSysctl } from "./sysctl.ts";

/** Bounds one batch well below the request buffer (a route takes up to 150 bytes). */
const OBJECTS_PER_BATCH = 1000;

/**
 * In the order of safety: rules and routes, addresses, interfaces, settings, and the lease that
 * kept the addresses silent last. What could not be removed stays in the record, and what is kept.
 */
export function cleanUp(
  socket: NetlinkSocket,
  record: OwnedRecord,
  keep: (entry: OwnedEntry) => boolean = () => false,
): readonly OsFailure[] {
  const entries = record.entries.filter((entry) => !keep(entry));
  const failures: OsFailure[] = [];
  const objects = (["rule", "route", "address"] as const).flatMap((kind) =>
    entries.filter((entry): entry is KernelObject => entry.kind === kind),
  );
  const { removed, failed } = removeObjects(socket, objects);
  record.remove(removed);
  failures.push(...failed);
  const last = (entry: OwnedEntry): number => Number(entry.kind === "lease");
  for (const entry of entries.toSorted((a, b) => last(a) - last(b))) {
    const failure = removeOther(socket, entry);
    if (failure === undefined) continue;
    if (failure === "removed") record.remove([entry]);
    else failures.push(failure);
  }
  return failures;
}

/** What is gone now, be it by us, and what could not be removed. */
export interface Removal {
  readonly removed: readonly KernelObject[];
  readonly failed: readonly OsFailure[];
}

export function removeObjects(socket: NetlinkSocket, objects: readonly KernelObject[]): Removal {
  const removed: KernelObject[] = [];
  const failed: OsFailure[] = [];
  for (let start = 0; start < objects.length; start += OBJECTS_PER_BATCH) {
    const slice = objects.slice(start, start + OBJECTS_PER_BATCH);
    const batch = new KernelBatch(socket);
    const sent = slice.filter((object) => batch.remove(object) === 0);
    removed.push(...slice.filter((object) => !sent.includes(object)));
    if (sent.length === 0) continue;
    const { status, failures } = socket.transact();
    const reasons = new Map(failures.map(({ index, reason }) => [index, reason.status]));
    for (const [index, object] of sent.entries()) {
      const result = reasons.get(index) ?? (failures.length === 0 ? status : 0);
      if (result >= 0 || wasAbsent(result)) removed.push(object);
      else failed.push(osFailure(`remove ${describe(object)}`, result));
    }
  }
  return { removed, failed };
}

/** Undefined for the objects that went in batches. */
function removeOther(socket: NetlinkSocket, entry: OwnedEntry): OsFailure | "removed" | undefined {
  switch (entry.kind) {
    case "macvlan": {
      beginLinkDeletion(socket, entry.name);
      const { status } = socket.transact();
      if (status >= 0 || status === -ENODEV) return "removed";
      return osFailure(`remove the virtual MAC interface ${entry.name}`, status);
    }
    case "sysctl":
      // An interface that is gone took its settings along.
      writeSysctl(entry);
      return "removed";
    case "lease":
      return AddressLease.remove(entry.table) ?? "removed";
    default:
      return undefined;
  }
}
