/**
 * Holding addresses: what an instance acquires and releases in the kernel, in few system calls,
 * under a lease, with a record. The order of each step is what keeps two nodes from answering:
 * record before kernel, lease before address, address away before its lease is.
 */

import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import { cleanUp, removeObjects } from "./clean-up.ts";
import { monotonicMs } from "./clock.ts";
import { EEXIST, EOPNOTSUPP, isOsFailure, osFailure, type OsFailure } from "./ffi.ts";
import {
  CLOSE,
  RELAXED,
  STATIC,
  absentOf,
  emptyHolding,
  endPreparation,
  holderOf,
  note,
  preparedLeaseMs,
  renameKey,
  reinstate,
  sendAdditions,
  type Acquisition,
  type Holding,
  type Lease,
  type Reinstated,
} from "./holding.ts";
import { describe, keyOf, notAdded } from "./kernel-object.ts";
import type { Addition, KernelObject } from "./kernel-object.ts";
import { FOREVER_S } from "./netlink/addresses.ts";
import { NETLINK_ROUTE, NetlinkSocket } from "./netlink/socket.ts";
import { AddressLease, SHUT_CLASS_MS, type LeftLease } from "./nftables-lease.ts";
import { OwnedRecord, type OwnedEntry } from "./owned-record.ts";
import type { Heritage } from "./reign-record.ts";
import { KeptSecondaries } from "./kept-secondaries.ts";
import { VirtualMacs } from "./virtual-macs.ts";
import {
  addressesOf,
  commonFilters,
  filtersOf,
  isNoticed,
  macvlansOf,
  objectsOf,
  staticObjectsOf,
  subnetsOf,
  type Filters,
} from "./wanted-objects.ts";

export interface KernelAddressesOptions {
  /** For `owned.json`; made where missing. */
  readonly stateDirectory: string;
  /** Name of the nf_tables tables, unique for the run directory. Absent = no such lease. */
  readonly leaseTable?: string;
  /** What may be gone on with is left as it is. Absent = nothing. */
  readonly heritage?: Heritage;
}

export class KernelAddresses {
  /** For a `LinkWatch`: what this socket removes is told from what strangers remove. */
  readonly socket: NetlinkSocket;
  /** Why the sub-second lease is missing; addresses then have lifetimes only. */
  readonly leaseFailure: OsFailure | undefined;
  /** What the predecessor left and could not be removed. */
  readonly cleanUpFailures: readonly OsFailure[];
  readonly #record: OwnedRecord;
  readonly #lease: AddressLease | undefined;
  readonly #holdings = new Map<string, Holding>();
  readonly #leases = new Map<string, Lease>();
  readonly #keptLinks = new Set<string>();
  readonly #secondaries: KeptSecondaries;
  readonly #virtualMacs: VirtualMacs;

  private constructor(socket: NetlinkSocket, record: OwnedRecord, options: KernelAddressesOptions) {
    this.socket = socket;
    this.#record = record;
    this.#secondaries = new KeptSecondaries(record);
    const { leaseTable: table, heritage } = options;
    const leases = heritage === undefined ? [] : this.#inherit(heritage);
    this.cleanUpFailures = cleanUp(socket, record, (entry) => this.#isInherited(entry));
    const lease =
      table === undefined
        ? osFailure("set up the nf_tables lease (not wanted)", -EOPNOTSUPP)
        : (record.add([{ kind: "lease", table }]) ?? AddressLease.open(table, leases));
    if (lease instanceof AddressLease) this.#lease = lease;
    else this.leaseFailure = lease;
    if (table !== undefined && isOsFailure(lease)) record.remove([{ kind: "lease", table }]);
    this.#virtualMacs = new VirtualMacs(socket, record, this.#lease);
  }

  /** Removes first what a predecessor with the same state directory left. */
  static open(options: KernelAddressesOptions): KernelAddresses | OsFailure {
    const socket = NetlinkSocket.open(NETLINK_ROUTE);
    if (isOsFailure(socket)) return socket;
    const record = OwnedRecord.load(options.stateDirectory);
    if (!(record instanceof OwnedRecord)) {
      socket.close();
      return record;
    }
    return new KernelAddresses(socket, record, options);
  }

  /** When the kernel ends leases of that duration, monotonic ms; Infinity where it has none. */
  leaseUntilMs(durationMs: number): number {
    return this.#lease?.aliveUntilMs(durationMs) ?? Infinity;
  }

  /** How often the lease's tables were gone (`nft flush ruleset`) and were made anew. */
  get leaseRebuilds(): number {
    return this.#lease?.rebuilds ?? 0;
  }

  /** What a takeover would lose time with: VMACs, settings of interfaces; again when one is back. */
  prepare(settings: InstanceSettings): readonly OsFailure[] {
    const holding = this.#holdings.get(settings.name);
    const failures = this.#virtualMacs.prepare(settings, holding);
    this.#secondaries.keep(subnetsOf(objectsOf(settings)));
    return failures;
  }

  /** The opposite, after `release`, for one VMAC interface. */
  dismiss(name: string): OsFailure | undefined {
    return this.#virtualMacs.dismiss(name);
  }

  /**
   * Puts the addresses into the kernel where they answer nobody, neither from outside nor on this
   * machine, until `renewLease`. False: they are not there, as no lease could keep them silent,
   * as their coming would be noticed on the link, or as somebody else uses them on this machine.
   */
  prepareAddresses(settings: InstanceSettings): boolean {
    const { name } = settings;
    const lease = this.#lease;
    if (lease === undefined || this.#holdings.has(name)) return false;
    const addresses = addressesOf(settings);
    if (addresses.some((address) => isNoticed(address, settings))) return false;
    const filters = filtersOf(settings, true);
    if (filters.leased.some((address) => lease.holds(address))) return false;
    const holding = this.#holdingOf(name);
    holding.prepared = { settings, atMs: monotonicMs() };
    const objects = addresses.map((address) => ({ kind: "address" as const, address }));
    if (this.#adjust(holding, name, filters).length === 0) {
      const { failures, foreign } = this.#add(name, objects, "add");
      if (failures.length + foreign.length === 0) return true;
    }
    this.release(name);
    return false;
  }

  /** Somebody took one of them away: they are acquired anew. False: they were not in waiting. */
  dropPrepared(instance: string): boolean {
    if (this.#holdings.get(instance)?.prepared === undefined) return false;
    this.release(instance);
    return true;
  }

  /**
   * Makes the kernel agree with the settings: adds what is missing, removes what the settings
   * named before and name no longer. Renew the lease before, if the instance has one.
   */
  acquire(settings: InstanceSettings): Acquisition {
    this.#virtualMacs.take(settings.name, true);
    const holding = this.#holdingOf(settings.name);
    const prepared = endPreparation(holding, settings, monotonicMs());
    if (prepared === "everything") return { failures: [], foreign: [] };
    if (prepared === "long ago") this.#remove(holding, [...holding.objects.values()]);
    return this.#apply(settings.name, objectsOf(settings), this.#filtersOf(settings));
  }

  /** What these settings name no longer goes: before any instance acquires what was another's. */
  forgo(settings: InstanceSettings): readonly OsFailure[] {
    const { name } = settings;
    const holding = this.#holdings.get(name);
    if (holding === undefined || holding.prepared !== undefined) return [];
    const failures = this.#removeOthers(holding, objectsOf(settings));
    const kept = commonFilters(holding, this.#filtersOf(settings));
    return [...failures, ...this.#adjust(holding, name, kept)];
  }

  /** static_ipaddress, static_routes, static_rules: held from start to stop, without a lease. */
  acquireStatic(
    settings: Pick<VrrpSettings, "staticAddresses" | "staticRoutes" | "staticRules">,
  ): Acquisition {
    return this.#apply(STATIC, staticObjectsOf(settings), { leased: [], refused: [] });
  }

  /** The instance goes by another name now. */
  rename(instance: string, name: string): void {
    renameKey(this.#holdings, instance, name);
    renameKey(this.#leases, instance, name);
    this.#virtualMacs.rename(instance, name);
  }

  /** Removes everything that the instance put there. A second call does nothing. */
  release(instance: string): readonly OsFailure[] {
    const holding = this.#holdings.get(instance);
    if (holding === undefined) return [];
    const failures = this.#remove(holding, [...holding.objects.values()]);
    // What could not be removed stays under the lease, and falls silent with it.
    if (failures.length === 0) {
      failures.push(...this.#adjust(holding, instance, { leased: [], refused: [] }));
    }
    this.#holdings.delete(instance);
    this.#leases.delete(instance);
    this.#virtualMacs.take(instance, false);
    return failures;
  }

  /** Puts one address of a holding back that somebody removed. */
  restore(instance: string, address: string): OsFailure | undefined {
    const objects = [...(this.#holdings.get(instance)?.objects.values() ?? [])];
    const object = objects.find((o) => o.kind === "address" && o.address.address === address);
    if (object === undefined) return undefined;
    // Whoever put it there before us, it is gone; now it is ours.
    this.#holdings.get(instance)?.foreign.delete(keyOf(object));
    return this.#add(instance, [object], "renew").failures[0];
  }

  /** Routes, rules and static addresses that are wanted and gone come back. */
  reinstate(): readonly Reinstated[] {
    const all = [...this.#holdings];
    return all.flatMap(([name, holding]) => reinstate(this.socket, this.#record, name, holding));
  }

  /** Static objects that the kernel refuses. */
  get staticMissing(): readonly KernelObject[] {
    return absentOf(this.#holdings.get(STATIC));
  }

  /** The addresses of the instance answer until `durationMs` from now. */
  renewLease(instance: string, durationMs: number): OsFailure | undefined {
    const now = monotonicMs();
    let lease = this.#leases.get(instance);
    const isNew = lease?.durationMs !== durationMs;
    const moved = isNew ? this.#holdings.get(instance)?.leased : undefined;
    const status = this.#lease?.renew(durationMs, moved) ?? 0;
    if (lease === undefined || isNew) {
      // The first of a mastership (`acquire` sets fresh lifetimes), or a new duration.
      lease = { durationMs, lifetimesRenewedMs: lease === undefined ? now : -Infinity };
      this.#leases.set(instance, lease);
    }
    if (now - lease.lifetimesRenewedMs >= this.#pace.renewEveryMs) {
      lease.lifetimesRenewedMs = now;
      const failure = this.#renewLifetimes(instance);
      if (failure !== undefined) return failure;
    }
    return status < 0 ? osFailure("renew the nf_tables lease", status) : undefined;
  }

  /** The instance whose tracked address that is, for `address-removed`. */
  holderOf(interfaceName: string, address: string): string | undefined {
    return holderOf(this.#holdings, interfaceName, address);
  }

  /** Removes everything of ours, the record's other entries included. */
  close(): readonly OsFailure[] {
    const failures = [...this.#holdings.keys()].flatMap((instance) => this.release(instance));
    this.#lease?.close();
    failures.push(...cleanUp(this.socket, this.#record));
    this.#record.close();
    this.socket.close();
    return failures;
  }

  get #pace(): typeof CLOSE | typeof RELAXED {
    return this.#lease === undefined ? CLOSE : RELAXED;
  }

  /** Takes into our account what a predecessor had put into the kernel for these reigns. */
  #inherit({ settings, reigns }: Heritage): LeftLease[] {
    if (reigns.length === 0) return [];
    this.#noteRecorded(STATIC, staticObjectsOf(settings));
    return reigns.flatMap(({ instance, durationMs }) => {
      const its = settings.instances.find(({ name }) => name === instance);
      if (its === undefined) return [];
      // Lifetimes are renewed with the first renewal of the lease.
      this.#leases.set(instance, { durationMs, lifetimesRenewedMs: -Infinity });
      const holding = this.#noteRecorded(instance, objectsOf(its));
      for (const macvlan of macvlansOf(its)) this.#keptLinks.add(macvlan.name);
      Object.assign(holding, this.#filtersOf(its));
      return [{ classMs: durationMs, held: holding.leased, refused: holding.refused }];
    });
  }

  #noteRecorded(holder: string, objects: readonly KernelObject[]): Holding {
    const recorded = new Set(this.#record.entries.map((entry) => JSON.stringify(entry)));
    const holding = this.#holdingOf(holder);
    for (const object of objects) if (recorded.has(keyOf(object))) note(holding, object);
    return holding;
  }

  /** Settings of interfaces stay as we made them as soon as anything of ours stays. */
  #isInherited(entry: OwnedEntry): boolean {
    if (this.#leases.size === 0) return false;
    if (entry.kind === "sysctl" || entry.kind === "lease") return true;
    if (entry.kind === "macvlan") return this.#keptLinks.has(entry.name);
    return [...this.#holdings.values()].some(({ objects }) => objects.has(keyOf(entry)));
  }

  #filtersOf(settings: InstanceSettings): Filters {
    return filtersOf(settings, this.#leases.has(settings.name));
  }

  #apply(instance: string, wanted: readonly KernelObject[], rules: Filters): Acquisition {
    const holding = this.#holdingOf(instance);
    const failures = this.#removeOthers(holding, wanted);
    failures.push(...this.#adjust(holding, instance, rules));
    const missing = wanted.filter((object) => !holding.objects.has(keyOf(object)));
    const added = this.#add(instance, missing, "add");
    holding.missing = missing.filter((object) => !holding.objects.has(keyOf(object)));
    return { failures: [...failures, ...added.failures], foreign: added.foreign };
  }

  #add(instance: string, objects: readonly KernelObject[], mode: Addition["mode"]): Acquisition {
    const holding = this.#holdingOf(instance);
    const failures: OsFailure[] = [];
    const foreign: string[] = [];
    const unrecorded = this.#record.add(objects);
    if (unrecorded !== undefined) return { failures: [notAdded(objects, unrecorded)], foreign };
    this.#secondaries.keepMore(subnetsOf(objects));
    const addition = { validLifetimeS: this.#lifetimeS(instance), mode };
    const results = sendAdditions(this.socket, objects, addition);
    const withdrawn: KernelObject[] = [];
    for (const [i, object] of objects.entries()) {
      const status = results[i]!;
      const key = keyOf(object);
      if (status >= 0 || status === -EEXIST) {
        note(holding, object);
        if (status >= 0) continue;
        holding.foreign.add(key);
        foreign.push(describe(object));
      } else failures.push(osFailure(`add ${describe(object)}`, status));
      if (mode === "add") withdrawn.push(object);
    }
    this.#record.remove(withdrawn);
    return { failures, foreign };
  }

  #removeOthers(holding: Holding, wanted: readonly KernelObject[]): OsFailure[] {
    const keys = new Set(wanted.map(keyOf));
    const gone = [...holding.objects].filter(([key]) => !keys.has(key)).map(([, o]) => o);
    return this.#remove(holding, gone);
  }

  #remove(holding: Holding, objects: readonly KernelObject[]): OsFailure[] {
    const ours = objects.filter((object) => !holding.foreign.has(keyOf(object)));
    // Routes need their source address: the last added goes first.
    const { removed, failed } = removeObjects(this.socket, ours.toReversed());
    this.#record.remove(removed);
    for (const object of objects) {
      holding.objects.delete(keyOf(object));
      holding.gone.delete(keyOf(object));
      holding.foreign.delete(keyOf(object));
    }
    return [...failed];
  }

  /** Lease and refusal of a holding's addresses; what falls away, falls away first. */
  #adjust(holding: Holding, instance: string, { leased, refused }: Filters): OsFailure[] {
    const statuses: (number | undefined)[] = [
      this.#lease?.release(holding.leased.filter((address) => !leased.includes(address))),
      this.#lease?.unrefuse(holding.refused.filter((address) => !refused.includes(address))),
      this.#lease?.hold(leased, this.#leases.get(instance)?.durationMs ?? SHUT_CLASS_MS),
      this.#lease?.refuse(refused),
    ];
    holding.leased = leased;
    holding.refused = refused;
    if (this.#lease === undefined && refused.length > 0) statuses.push(-EOPNOTSUPP);
    return statuses
      .filter((status) => status !== undefined && status < 0)
      .map((status) => osFailure(`filter packets to the addresses of ${instance}`, status!));
  }

  #renewLifetimes(instance: string): OsFailure | undefined {
    const holding = this.#holdings.get(instance);
    if (holding === undefined) return undefined;
    const objects = [...holding.objects]
      .filter(([key, object]) => object.kind === "address" && !holding.foreign.has(key))
      .map(([, object]) => object);
    this.#secondaries.keepStill(subnetsOf(objects));
    const addition = { validLifetimeS: this.#lifetimeS(instance), mode: "renew" as const };
    const failed = sendAdditions(this.socket, objects, addition).find((status) => status < 0);
    return failed === undefined ? undefined : osFailure("renew the address lifetimes", failed);
  }

  #lifetimeS(instance: string): number {
    const preparedMs = preparedLeaseMs(this.#holdings.get(instance));
    const durationMs = this.#leases.get(instance)?.durationMs ?? preparedMs;
    return durationMs === undefined ? FOREVER_S : Math.ceil(durationMs / 1000) + this.#pace.spareS;
  }

  #holdingOf(instance: string): Holding {
    let holding = this.#holdings.get(instance);
    if (holding === undefined) {
      holding = emptyHolding();
      this.#holdings.set(instance, holding);
    }
    return holding;
  }
}
