/** Which addresses this machine has now, on whichever interface, whoever put them there. */

import { isOsFailure, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import { listAddresses, readAddress, RTM_DELADDR, RTM_NEWADDR } from "./netlink/addresses.ts";
import type { KernelAddress } from "./netlink/addresses.ts";
import type { Message } from "./netlink/message.ts";
import { NETLINK_ROUTE, NetlinkSocket } from "./netlink/socket.ts";
import { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, Subscription } from "./netlink/subscription.ts";

export class HeldAddresses {
  readonly #onChange: () => void;
  #subscription: Subscription | undefined;
  /** Interfaces and prefix lengths of each: one that is there twice may go once. */
  #places = new Map<string, Set<string>>();

  private constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Subscribes first and reads then, so that no change falls between. `onChange`: some address came or went. */
  static open(onChange: () => void): HeldAddresses | OsFailure {
    const held = new HeldAddresses(onChange);
    const groups = [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR];
    const subscription = Subscription.open(NETLINK_ROUTE, groups, {
      onMessage: (message) => held.#hear(message),
      onLoss: () => {
        held.#read();
        onChange();
      },
    });
    if (isOsFailure(subscription)) return subscription;
    held.#subscription = subscription;
    const status = held.#read();
    if (status >= 0) return held;
    held.close();
    return osFailure("list the addresses", status);
  }

  /** `address` in its canonical form. */
  has(address: string): boolean {
    return this.#places.has(address);
  }

  close(): void {
    this.#subscription?.close();
  }

  #read(): number {
    const socket = NetlinkSocket.open(NETLINK_ROUTE);
    if (isOsFailure(socket)) return -socket.errno;
    const addresses = listAddresses(socket);
    socket.close();
    if (typeof addresses === "number") return addresses;
    this.#places = new Map();
    for (const address of addresses) this.#add(address);
    return 0;
  }

  #hear(message: Message): void {
    if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return;
    const address = readAddress(message);
    if (address === undefined) return;
    const before = this.#places.has(address.address);
    if (message.type === RTM_NEWADDR) this.#add(address);
    else this.#remove(address);
    if (before !== this.#places.has(address.address)) this.#onChange();
  }

  #add(address: KernelAddress): void {
    const places = this.#places.get(address.address) ?? new Set();
    this.#places.set(address.address, places.add(placeOf(address)));
  }

  #remove(address: KernelAddress): void {
    const places = this.#places.get(address.address);
    if (places?.delete(placeOf(address)) === true && places.size === 0) {
      this.#places.delete(address.address);
    }
  }
}

function placeOf({ interfaceIndex, prefixLength }: KernelAddress): string {
  return `${interfaceIndex}/${prefixLength}`;
}
