/**
 * The interfaces with virtual MACs, by instance, and whether packets to these MACs are taken. A
 * switch that floods shows them to backups too, and each of these would forward them once more:
 * RFC 9568 section 6.4.2 (345).
 */

import type { InstanceSettings } from "../core/vrrp/settings.ts";
import type { OsFailure } from "./ffi.ts";
import { renameKey, type Holding } from "./holding.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";
import type { AddressLease } from "./nftables-lease.ts";
import type { OwnedRecord } from "./owned-record.ts";
import { makeVirtualMac, removeVirtualMac } from "./virtual-mac.ts";
import { macvlansOf } from "./wanted-objects.ts";

export class VirtualMacs {
  readonly #socket: NetlinkSocket;
  readonly #record: OwnedRecord;
  /** Absent where the kernel has no nf_tables: then all packets are taken. */
  readonly #lease: AddressLease | undefined;
  readonly #names = new Map<string, readonly string[]>();

  constructor(socket: NetlinkSocket, record: OwnedRecord, lease: AddressLease | undefined) {
    this.#socket = socket;
    this.#record = record;
    this.#lease = lease;
  }

  /** `holding`: what the instance has in the kernel; a master's is more than prepared. */
  prepare(settings: InstanceSettings, holding: Holding | undefined): readonly OsFailure[] {
    const macvlans = macvlansOf(settings);
    this.#names.set(
      settings.name,
      macvlans.map(({ name }) => name),
    );
    this.take(settings.name, holding !== undefined && holding.prepared === undefined);
    return macvlans.flatMap((one) => makeVirtualMac(this.#socket, this.#record, one) ?? []);
  }

  /** A master's packets are taken, those of a backup are not its own. */
  take(instance: string, isMaster: boolean): void {
    const names = this.#names.get(instance) ?? [];
    if (isMaster) this.#lease?.unignore(names);
    else this.#lease?.ignore(names);
  }

  dismiss(name: string): OsFailure | undefined {
    this.#lease?.unignore([name]);
    return removeVirtualMac(this.#socket, this.#record, name);
  }

  rename(instance: string, name: string): void {
    renameKey(this.#names, instance, name);
  }
}
