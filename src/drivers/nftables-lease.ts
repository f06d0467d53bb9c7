/**
 * The kernel-held lease: a virtual address that nobody renews stops answering by itself.
 *
 * Addresses belong to a lease class, named by its duration. Renewing a class is one small
 * nf_tables transaction whatever the number of its addresses. When the process that renews is
 * dead, stopped or starved, the class lapses in the kernel: packets, ARP requests and neighbour
 * solicitations for its addresses are dropped although the addresses are still configured.
 *
 * The tables are not bound to our process: they must outlive it. A restart removes the addresses
 * first and then replaces the tables (see `KernelAddresses`); the other order would let left-over
 * addresses answer again.
 */

import { release } from "node:os";
import { monotonicMs } from "./clock.ts";
import { ENOENT, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import {
  ARP_FAMILIES,
  INET_FAMILIES,
  addLeaseClass,
  addLeaseTables,
  aliveSet,
  arpTable,
  classChain,
  inetTable,
} from "./lease-table.ts";
import { ipBytes } from "./netlink/addresses.ts";
import {
  addElements,
  addTable,
  beginBatch,
  deleteElements,
  deleteTable,
  endBatch,
  remainingLifetimeMs,
} from "./netlink/nf-tables.ts";
import type { SetElement } from "./netlink/nf-tables.ts";
import { NETLINK_NETFILTER, NetlinkSocket } from "./netlink/socket.ts";

/** Class that exists for a moment, to find out what the kernel can do. */
const PROBE_CLASS_MS = 3_600_000;
/** Never renewed: its addresses answer nobody, whichever other classes are alive. */
export const SHUT_CLASS_MS = 0;

const INTERFACE_NAME_BYTES = 16;

/**
 * A class renewed within that share of its duration is left alone: the adverts of many instances
 * are seldom further apart, and one transaction serves them all.
 */
const FRESH_SHARE = 1 / 50;

/** Linux that prolongs an element in place. Before, one that was not asked is thought not to. */
const PROLONGS_IN_PLACE = [6, 12] as const;
/** Longer than a process that was killed takes to be gone; sooner than another one is put in reserve. */
const SETTLE_AFTER_MS = 500;

/** Addresses of a class that a process which died held, and that are still there. */
export interface LeftLease {
  readonly classMs: number;
  readonly held: readonly string[];
  readonly refused: readonly string[];
}

export class AddressLease {
  readonly #socket: NetlinkSocket;
  readonly #table: string;
  readonly #held = new Map<string, number>();
  readonly #refused = new Set<string>();
  readonly #ignored = new Set<string>();
  readonly #classes = new Set<number>();
  /** When each class was last renewed, monotonic ms: to put everything back after a flush. */
  readonly #renewedMs = new Map<number, number>();
  /** Linux 6.12 prolongs an element in place; before, it is taken out and put back. */
  #prolongsInPlace = false;
  /** How often the tables were gone (`nft flush ruleset`) and were made anew. */
  rebuilds = 0;
  /** When the tables of a predecessor were taken over as they are. */
  #foundMs: number | undefined;
  #isRehearsal = false;

  private constructor(socket: NetlinkSocket, table: string) {
    this.#socket = socket;
    this.#table = table;
  }

  /**
   * Makes the tables `inet` and `arp` of that name, in the place of left-over ones; what is left
   * of `leases` goes on without a gap. Fails where the kernel has no nf_tables or we have no
   * CAP_NET_ADMIN.
   */
  static open(table: string, leases: readonly LeftLease[] = []): AddressLease | OsFailure {
    const socket = NetlinkSocket.open(NETLINK_NETFILTER);
    if (!(socket instanceof NetlinkSocket)) return socket;
    const lease = new AddressLease(socket, table);
    const isAlive = leases.map((left) => lease.#inherit(left));
    if (leases.length > 0 && !isAlive.includes(false)) return lease.#goOn();
    const status = lease.#build();
    if (status < 0) {
      socket.close();
      return osFailure("set up the nf_tables lease", status);
    }
    lease.#prolongsInPlace = lease.#probe();
    return lease;
  }

  /** All that going on in a lease takes but the orders to the kernel: those would hold up who lives. */
  static rehearse(table: string, left: LeftLease): void {
    const socket = NetlinkSocket.open(NETLINK_NETFILTER);
    if (!(socket instanceof NetlinkSocket)) return;
    const lease = new AddressLease(socket, table);
    lease.#inherit(left);
    lease.#goOn();
    lease.#isRehearsal = true;
    lease.renew(left.classMs, left.held);
    lease.release(left.held);
    socket.close();
  }

  /**
   * Monotonic ms at which the class ends as far as the kernel knows: no better than that, whoever
   * has written down what. In the past when it has ended.
   */
  aliveUntilMs(classMs: number): number {
    return (this.#renewedMs.get(classMs) ?? -Infinity) + classMs;
  }

  /** Removes the tables of that name, if there are any: the lease of a process that died. */
  static remove(table: string): OsFailure | undefined {
    const socket = NetlinkSocket.open(NETLINK_NETFILTER);
    if (!(socket instanceof NetlinkSocket)) return socket;
    const status = removeTables(socket, table);
    socket.close();
    return status < 0 ? osFailure("remove the nf_tables lease", status) : undefined;
  }

  /**
   * From now on the addresses answer only while class `classMs` is alive: renew it first.
   * Moves addresses that belong to another class. 0 or `-errno`.
   */
  hold(addresses: readonly string[], classMs: number): number {
    const added = addresses.filter((address) => this.#held.get(address) !== classMs);
    if (added.length === 0) return 0;
    return this.#change(this.#holding(added, classMs));
  }

  /** Whether packets to the address are dropped while some class is not alive. */
  holds(address: string): boolean {
    return this.#held.has(address);
  }

  /** The addresses are no longer our concern: remove them from the interface before. */
  release(addresses: readonly string[]): number {
    const known = addresses.filter((address) => this.#held.delete(address));
    if (known.length === 0) return 0;
    return this.#change(() => {
      this.#writeAddresses("held", deleteElements, known.map(plainElement));
    });
  }

  /**
   * Class `classMs` is alive until that long from now, less `FRESH_SHARE`, and `addresses` belong
   * to it: both at once or none. 0 or `-errno`.
   */
  renew(classMs: number, addresses: readonly string[] = []): number {
    const now = monotonicMs();
    const renewedMs = this.#renewedMs.get(classMs) ?? -Infinity;
    const isFresh = now - renewedMs < classMs * FRESH_SHARE;
    if (isFresh && addresses.length === 0) return 0;
    const added = addresses.filter((address) => this.#held.get(address) !== classMs);
    if (isFresh && added.length === 0) return 0;
    const hold = added.length === 0 ? undefined : this.#holding(added, classMs);
    return this.#change(() => {
      this.#writeClass(classMs);
      this.#renewedMs.set(classMs, now);
      if (!this.#prolongsInPlace) {
        // Added first: taking out what has lapsed would fail, and that costs 8 ms.
        this.#writeAlive(addElements, classMs, classMs);
        this.#writeAlive(deleteElements, classMs);
      }
      this.#writeAlive(addElements, classMs, classMs);
      hold?.();
    });
  }

  /** Packets to the addresses are dropped, neighbour discovery excepted (Accept_Mode false). */
  refuse(addresses: readonly string[]): number {
    const added = addresses.filter((address) => !this.#refused.has(address));
    if (added.length === 0) return 0;
    for (const address of added) this.#refused.add(address);
    return this.#change(() => {
      this.#writeAddresses("refused", addElements, added.map(plainElement));
    });
  }

  unrefuse(addresses: readonly string[]): number {
    const known = addresses.filter((address) => this.#refused.delete(address));
    if (known.length === 0) return 0;
    return this.#change(() => {
      this.#writeAddresses("refused", deleteElements, known.map(plainElement));
    });
  }

  /** Packets that come to the MAC of these interfaces are dropped. */
  ignore(interfaces: readonly string[]): number {
    const added = interfaces.filter((name) => !this.#ignored.has(name));
    if (added.length === 0) return 0;
    for (const name of added) this.#ignored.add(name);
    return this.#change(() => this.#writeIgnored(addElements, added));
  }

  unignore(interfaces: readonly string[]): number {
    const known = interfaces.filter((name) => this.#ignored.delete(name));
    if (known.length === 0) return 0;
    return this.#change(() => this.#writeIgnored(deleteElements, known));
  }

  /** Removes the tables. Addresses that are still configured answer again. */
  close(): void {
    removeTables(this.#socket, this.#table);
    this.#socket.close();
  }

  /** Takes into our account what a predecessor had put into the tables. True: the lease runs. */
  #inherit({ classMs, held, refused }: LeftLease): boolean {
    const set = { ...inetTable(this.#table), set: aliveSet(classMs) };
    const left = remainingLifetimeMs(this.#socket, set) ?? -Infinity;
    this.#classes.add(classMs);
    this.#renewedMs.set(classMs, monotonicMs() + left - classMs);
    for (const address of held) this.#held.set(address, classMs);
    for (const address of refused) this.#refused.add(address);
    return left > 0;
  }

  /**
   * With the tables as they are. To make them anew throws the old ones away, for which the kernel waits tens of
   * ms when a process that used them is being taken apart, and we for the kernel: a short lease would be over.
   */
  #goOn(): this {
    this.#foundMs = monotonicMs();
    this.#prolongsInPlace = isSince(release(), PROLONGS_IN_PLACE);
    return this;
  }

  /** Takes addresses into the class in our own account; the rest is what it returns. */
  #holding(added: readonly string[], classMs: number): () => void {
    const moved = added.filter((address) => this.#held.has(address));
    for (const address of added) this.#held.set(address, classMs);
    return () => {
      this.#writeClass(classMs);
      this.#writeAddresses("held", deleteElements, moved.map(plainElement));
      this.#writeAddresses("held", addElements, this.#heldElements(added));
    };
  }

  #batch(write: () => void): number {
    beginBatch(this.#socket);
    write();
    endBatch(this.#socket);
    if (!this.#isRehearsal) return this.#socket.transact().status;
    this.#socket.request.clear();
    return 0;
  }

  /** Carries out a change that our own account already has. */
  #change(write: () => void): number {
    const status = this.#batch(write);
    if (this.#foundMs !== undefined) return this.#settle(this.#foundMs, status);
    if (status !== -ENOENT) return status;
    this.rebuilds++;
    return this.#build();
  }

  /** What was found is replaced when the predecessor is gone, or when it is not what we thought. */
  #settle(foundMs: number, status: number): number {
    if (status >= 0 && monotonicMs() - foundMs < SETTLE_AFTER_MS) return status;
    this.#foundMs = undefined;
    const built = this.#build();
    if (built >= 0) this.#prolongsInPlace = this.#probe();
    return built;
  }

  /** The tables from our own account, at once in the place of what is there. */
  #build(): number {
    return this.#batch(() => {
      for (const table of [inetTable(this.#table), arpTable(this.#table)]) {
        addTable(this.#socket, table);
        deleteTable(this.#socket, table);
      }
      addLeaseTables(this.#socket, this.#table);
      const now = monotonicMs();
      for (const classMs of this.#classes) {
        addLeaseClass(this.#socket, this.#table, classMs);
        const left = Math.floor((this.#renewedMs.get(classMs) ?? -Infinity) + classMs - now);
        if (left > 0) this.#writeAlive(addElements, classMs, left);
      }
      this.#writeAddresses("held", addElements, this.#heldElements([...this.#held.keys()]));
      this.#writeAddresses("refused", addElements, [...this.#refused].map(plainElement));
      this.#writeIgnored(addElements, [...this.#ignored]);
    });
  }

  /** Adds an element twice and looks which of the two lifetimes it has. */
  #probe(): boolean {
    const first = this.#change(() => {
      this.#writeClass(PROBE_CLASS_MS);
      this.#writeAlive(addElements, PROBE_CLASS_MS, PROBE_CLASS_MS);
    });
    const second = this.#change(() => {
      this.#writeAlive(addElements, PROBE_CLASS_MS, PROBE_CLASS_MS / 2);
    });
    if (first < 0 || second < 0) return false;
    const name = { ...inetTable(this.#table), set: aliveSet(PROBE_CLASS_MS) };
    const left = remainingLifetimeMs(this.#socket, name);
    this.#classes.delete(PROBE_CLASS_MS);
    this.#build();
    return left !== undefined && left <= PROBE_CLASS_MS / 2;
  }

  #writeClass(classMs: number): void {
    if (this.#classes.has(classMs)) return;
    this.#classes.add(classMs);
    addLeaseClass(this.#socket, this.#table, classMs);
  }

  #writeAlive(write: typeof addElements, classMs: number, lifetimeMs?: number): void {
    const lifetime = lifetimeMs === undefined ? {} : { lifetimeMs, timeoutMs: classMs };
    const set = aliveSet(classMs);
    const element = (key: Uint8Array): SetElement => ({ key, ...lifetime });
    write(this.#socket, { ...inetTable(this.#table), set }, INET_FAMILIES.map(element));
    write(this.#socket, { ...arpTable(this.#table), set }, ARP_FAMILIES.map(element));
  }

  #writeAddresses(
    set: "held" | "refused",
    write: typeof addElements,
    elements: readonly SetElement[],
  ): void {
    const ipv4 = elements.filter(({ key }) => key.length === 4);
    const ipv6 = elements.filter(({ key }) => key.length === 16);
    const inet = inetTable(this.#table);
    write(this.#socket, { ...inet, set: `${set}4` }, ipv4);
    write(this.#socket, { ...inet, set: `${set}6` }, ipv6);
    if (set === "held") write(this.#socket, { ...arpTable(this.#table), set: "held4" }, ipv4);
  }

  #writeIgnored(write: typeof addElements, names: readonly string[]): void {
    const elements = names.map((name) => {
      const key = new Uint8Array(INTERFACE_NAME_BYTES);
      new TextEncoder().encodeInto(name, key);
      return { key };
    });
    write(this.#socket, { ...inetTable(this.#table), set: "ignored" }, elements);
  }

  #heldElements(addresses: readonly string[]): readonly SetElement[] {
    return addresses.map((address) => {
      return { key: ipBytes(address), jump: classChain(this.#held.get(address)!) };
    });
  }
}

/** Of a kernel's release as `uname -r` tells it. */
export function isSince(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [its = 0, itsMinor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  return its > major || (its === major && itsMinor >= minor);
}

function plainElement(address: string): SetElement {
  return { key: ipBytes(address) };
}

function removeTables(socket: NetlinkSocket, table: string): number {
  beginBatch(socket);
  for (const name of [inetTable(table), arpTable(table)]) {
    addTable(socket, name);
    deleteTable(socket, name);
  }
  endBatch(socket);
  return socket.transact().status;
}
