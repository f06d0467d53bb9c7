/**
 * What interfaces and their addresses do: facts for the router machine, from the kernel's
 * notifications. A fact is told when it differs from the one told last.
 */

import { isOsFailure, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import {
  RTM_DELADDR,
  RTM_NEWADDR,
  isLinkLocalIpv6,
  listAddresses,
  readAddress,
} from "./netlink/addresses.ts";
import type { KernelAddress } from "./netlink/addresses.ts";
import { RTM_DELLINK, RTM_NEWLINK, listLinks, readLink } from "./netlink/links.ts";
import type { Link } from "./netlink/links.ts";
import type { Message } from "./netlink/message.ts";
import { NETLINK_ROUTE } from "./netlink/socket.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";
import {
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_LINK,
  Subscription,
} from "./netlink/subscription.ts";

/** In the terms of the router's `interface-changed`. */
export interface InterfaceFact {
  readonly interface: string;
  readonly exists: boolean;
  /** Administratively up and with carrier. */
  readonly up: boolean;
  /** First address that is not virtual. */
  readonly primaryIpv4?: string;
  /** First one that is not tentative and not virtual. */
  readonly linkLocalIpv6?: string;
  readonly mac?: string;
  /** All that are neither virtual nor tentative. */
  readonly addresses?: readonly string[];
  /** 0 when it does not exist. */
  readonly index: number;
}

export interface LinkListener {
  readonly onInterface: (fact: InterfaceFact) => void;
  /**
   * A virtual or static address is gone that was not removed through our socket. The kernel does not say
   * who removed an IPv6 address: one that was released and acquired again within one turn of the
   * loop is told too. Putting it back then changes nothing.
   */
  readonly onAddressRemoved: (interfaceName: string, address: string) => void;
}

export interface LinkWatchOptions {
  /** For the state at the beginning and after a loss; its removals are our own. */
  readonly socket: NetlinkSocket;
  /** Held by us now: never a primary address, and told when it is removed. Asked each time. */
  readonly isVirtual: (address: string) => boolean;
  /** Ours as well, but here all the time: told when it is removed. Absent = none is. */
  readonly isStatic?: (address: string) => boolean;
}

export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #listener: LinkListener;
  #subscription: Subscription | undefined;
  #links = new Map<number, Link>();
  /** By interface index; in the order of the kernel, which decides who is primary. */
  #addresses = new Map<number, KernelAddress[]>();
  readonly #watched = new Map<string, string>();

  private constructor(options: LinkWatchOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /** Subscribes first and reads the state then, so that no change falls between. */
  static open(options: LinkWatchOptions, listener: LinkListener): LinkWatch | OsFailure {
    const watch = new LinkWatch(options, listener);
    const groups = [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR];
    const subscription = Subscription.open(NETLINK_ROUTE, groups, {
      onMessage: (message) => watch.#hear(message),
      onLoss: () => watch.resynchronize(),
    });
    if (isOsFailure(subscription)) return subscription;
    watch.#subscription = subscription;
    const status = watch.#read();
    if (status >= 0) return watch;
    watch.close();
    return osFailure("list the interfaces", status);
  }

  /** The fact now; afterwards changes of it come to the listener. */
  watch(name: string): InterfaceFact {
    const fact = this.fact(name);
    this.#watched.set(name, JSON.stringify(fact));
    return fact;
  }

  unwatch(name: string): void {
    this.#watched.delete(name);
  }

  /** What is known of an interface, watched or not. */
  fact(name: string): InterfaceFact {
    const link = [...this.#links.values()].find((candidate) => candidate.name === name);
    if (link === undefined) return { interface: name, exists: false, up: false, index: 0 };
    const addresses = this.#addresses.get(link.index) ?? [];
    const real = addresses.filter(({ address }) => !this.#options.isVirtual(address));
    const primaryIpv4 = real.find(({ family }) => family === "ipv4")?.address;
    const linkLocalIpv6 = real.find((a) => isLinkLocalIpv6(a) && !a.tentative)?.address;
    return {
      interface: name,
      exists: true,
      up: link.up,
      ...(primaryIpv4 === undefined ? {} : { primaryIpv4 }),
      ...(linkLocalIpv6 === undefined ? {} : { linkLocalIpv6 }),
      ...(link.mac === undefined ? {} : { mac: link.mac }),
      addresses: real.filter(({ tentative }) => !tentative).map(({ address }) => address),
      index: link.index,
    };
  }

  /** Whether the interface has the address, virtual or not. */
  has(name: string, address: string): boolean {
    const { index } = this.fact(name);
    return this.#addresses.get(index)?.some((known) => known.address === address) === true;
  }

  /** Whether an interface of this machine has that MAC. */
  isOwnMac(mac: string): boolean {
    return [...this.#links.values()].some((link) => link.mac === mac);
  }

  /** Reads everything anew and tells what is different: after a loss, or when in doubt. */
  resynchronize(): void {
    const before = [...this.#addresses.values()].flat();
    const names = new Map([...this.#links.values()].map(({ index, name }) => [index, name]));
    if (this.#read() < 0) return;
    for (const { interfaceIndex, address } of before) {
      const now = this.#addresses.get(interfaceIndex) ?? [];
      if (now.some((known) => known.address === address)) continue;
      const name = names.get(interfaceIndex);
      if (name !== undefined) this.#removed(name, address);
    }
    for (const name of this.#watched.keys()) this.#tell(name);
  }

  close(): void {
    this.#subscription?.close();
  }

  #read(): number {
    const links = listLinks(this.#options.socket);
    if (typeof links === "number") return links;
    const addresses = listAddresses(this.#options.socket);
    if (typeof addresses === "number") return addresses;
    this.#links = new Map(links.map((link) => [link.index, link]));
    this.#addresses = Map.groupBy(addresses, ({ interfaceIndex }) => interfaceIndex);
    return 0;
  }

  #hear(message: Message): void {
    if (message.type === RTM_NEWLINK || message.type === RTM_DELLINK) this.#hearLink(message);
    else if (message.type === RTM_NEWADDR || message.type === RTM_DELADDR) {
      this.#hearAddress(message);
    }
  }

  #hearLink(message: Message): void {
    const link = readLink(message);
    if (link === undefined) return;
    const before = this.#links.get(link.index);
    if (message.type === RTM_NEWLINK) this.#links.set(link.index, link);
    else {
      // A port leaving a bridge is told as RTM_DELLINK of family AF_BRIDGE: it still exists.
      if (message.body[0] !== 0) return;
      this.#links.delete(link.index);
      this.#addresses.delete(link.index);
    }
    this.#tell(link.name);
    if (before !== undefined && before.name !== link.name) this.#tell(before.name);
  }

  #hearAddress(message: Message): void {
    const address = readAddress(message);
    if (address === undefined) return;
    const name = this.#links.get(address.interfaceIndex)?.name;
    const known = this.#addresses.get(address.interfaceIndex) ?? [];
    const at = known.findIndex((other) => isSame(other, address));
    if (message.type === RTM_DELADDR) {
      if (at >= 0) known.splice(at, 1);
      const ours = message.portId === this.#options.socket.portId;
      if (name !== undefined && !ours) this.#removed(name, address.address);
    } else if (at >= 0) known[at] = address;
    else known.push(address);
    this.#addresses.set(address.interfaceIndex, known);
    if (name !== undefined) this.#tell(name);
  }

  #removed(name: string, address: string): void {
    const { isVirtual, isStatic } = this.#options;
    if (isVirtual(address) || isStatic?.(address) === true)
      this.#listener.onAddressRemoved(name, address);
  }

  #tell(name: string): void {
    const told = this.#watched.get(name);
    if (told === undefined) return;
    const fact = this.fact(name);
    const text = JSON.stringify(fact);
    if (text === told) return;
    this.#watched.set(name, text);
    this.#listener.onInterface(fact);
  }
}

function isSame(a: KernelAddress, b: KernelAddress): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength;
}
