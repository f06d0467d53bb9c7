/**
 * The nf_tables rules behind `AddressLease`: which packets are dropped while a lease has lapsed.
 *
 * A map leads from the address to the chain of its lease class, and that chain drops unless the
 * class's own set still has the packet's family. The elements of that set lapse in the kernel,
 * whatever became of us. (A set of classes, asked with the class that a map gave, would do with
 * one set for all; but it makes `nft list ruleset` of nftables 1.0.6 crash.)
 *
 * Sets belong to one table and a table to one family, so inet and arp have their own.
 */

import {
  COMPARE_AT_LEAST,
  COMPARE_AT_MOST,
  COMPARE_EQUAL,
  HOST_ORDER_KEYS,
  NETWORK_HEADER,
  NFPROTO_ARP,
  NFPROTO_INET,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  NFT_SET_MAP,
  NFT_SET_TIMEOUT,
  TRANSPORT_HEADER,
  addBaseChain,
  addChain,
  addRule,
  addSet,
  addTable,
  compareByte,
  drop,
  isFamily,
  followMap,
  incomingInterface,
  isIn,
  isNotIn,
  isProtocol,
  isToItsMac,
  leave,
  packetFamily,
  payload,
} from "./netlink/nf-tables.ts";
import type { Expression, SetShape, TableName } from "./netlink/nf-tables.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";

const IPV4_KEY = { keyType: 7, keyBytes: 4 } as const;
const IPV6_KEY = { keyType: 8, keyBytes: 16 } as const;
const FAMILY_KEY = { keyType: 2, keyBytes: 1 } as const;
const HELD4: SetShape = { name: "held4", id: 1, flags: NFT_SET_MAP, ...IPV4_KEY };
const HELD6: SetShape = { name: "held6", id: 2, flags: NFT_SET_MAP, ...IPV6_KEY };
const REFUSED4: SetShape = { name: "refused4", id: 3, flags: 0, ...IPV4_KEY };
const REFUSED6: SetShape = { name: "refused6", id: 4, flags: 0, ...IPV6_KEY };
/** Names of interfaces. */
const IGNORED: SetShape = {
  name: "ignored",
  id: 5,
  flags: 0,
  keyType: 41,
  keyBytes: 16,
  userData: HOST_ORDER_KEYS,
};
/** Class durations follow as ids of their sets. */
const FIRST_CLASS_ID = 16;

const NF_INET_PRE_ROUTING = 0;
const NF_INET_LOCAL_OUT = 3;
const NF_ARP_IN = 0;
const NF_ARP_OUT = 1;
/** Before connection tracking and any address translation (raw is -300). */
const BEFORE_RAW = -310;

const IPPROTO_ICMPV6 = 58;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;

const IPV4_SOURCE = payload(NETWORK_HEADER, 12, 4);
const IPV4_DESTINATION = payload(NETWORK_HEADER, 16, 4);
const IPV6_SOURCE = payload(NETWORK_HEADER, 8, 16);
const IPV6_DESTINATION = payload(NETWORK_HEADER, 24, 16);
const ICMPV6_TYPE = payload(TRANSPORT_HEADER, 0, 1);
const SOLICITED_ADDRESS = payload(TRANSPORT_HEADER, 8, 16);
/** Ethernet and IPv4 lengths, as everywhere that ARP is used. */
const ARP_SENDER = payload(NETWORK_HEADER, 14, 4);
const ARP_TARGET = payload(NETWORK_HEADER, 24, 4);

const IPV4: readonly Expression[] = isFamily(NFPROTO_IPV4);
const ICMPV6: readonly Expression[] = [...isFamily(NFPROTO_IPV6), ...isProtocol(IPPROTO_ICMPV6)];
const IPV6: readonly Expression[] = isFamily(NFPROTO_IPV6);

export function inetTable(table: string): TableName {
  return { family: NFPROTO_INET, table };
}

export function arpTable(table: string): TableName {
  return { family: NFPROTO_ARP, table };
}

/** Adds both tables, empty of addresses. */
export function addLeaseTables(socket: NetlinkSocket, table: string): void {
  addInetTable(socket, inetTable(table));
  addArpTable(socket, arpTable(table));
}

/** Adds a class, not alive; it is there once per table. */
export function addLeaseClass(socket: NetlinkSocket, table: string, classMs: number): void {
  for (const name of [inetTable(table), arpTable(table)]) {
    const id = FIRST_CLASS_ID + classMs;
    addSet(socket, name, { name: aliveSet(classMs), id, flags: NFT_SET_TIMEOUT, ...FAMILY_KEY });
    addChain(socket, name, classChain(classMs));
    addRule(socket, name, classChain(classMs), [packetFamily, isNotIn(aliveSet(classMs)), drop]);
  }
}

/** The set that has the families `INET_FAMILIES` or `ARP_FAMILIES` while the class is alive. */
export function aliveSet(classMs: number): string {
  return `alive${classMs}`;
}

export function classChain(classMs: number): string {
  return `class${classMs}`;
}

export const INET_FAMILIES: readonly Uint8Array[] = [
  Uint8Array.of(NFPROTO_IPV4),
  Uint8Array.of(NFPROTO_IPV6),
];
export const ARP_FAMILIES: readonly Uint8Array[] = [Uint8Array.of(NFPROTO_ARP)];

function addInetTable(socket: NetlinkSocket, table: TableName): void {
  addTable(socket, table);
  for (const set of [HELD4, HELD6, REFUSED4, REFUSED6, IGNORED]) addSet(socket, table, set);
  const input = { name: "input", hook: NF_INET_PRE_ROUTING, priority: BEFORE_RAW };
  addBaseChain(socket, table, input);
  const inputRules: readonly (readonly Expression[])[] = [
    [incomingInterface, isIn(IGNORED.name), ...isToItsMac, drop],
    [...IPV4, IPV4_DESTINATION, followMap(HELD4.name)],
    [...IPV6, IPV6_DESTINATION, followMap(HELD6.name)],
    // A solicitation usually goes to a multicast group; the address is inside.
    [
      ...ICMPV6,
      ICMPV6_TYPE,
      compareByte(COMPARE_EQUAL, NEIGHBOUR_SOLICITATION),
      SOLICITED_ADDRESS,
      followMap(HELD6.name),
    ],
    // RFC 9568 section 6.1: Accept_Mode false never means to drop neighbour discovery.
    [
      ...ICMPV6,
      ICMPV6_TYPE,
      compareByte(COMPARE_AT_LEAST, NEIGHBOUR_SOLICITATION),
      compareByte(COMPARE_AT_MOST, NEIGHBOUR_ADVERTISEMENT),
      leave,
    ],
    [...IPV4, IPV4_DESTINATION, isIn(REFUSED4.name), drop],
    [...IPV6, IPV6_DESTINATION, isIn(REFUSED6.name), drop],
  ];
  for (const rule of inputRules) addRule(socket, table, input.name, rule);

  // What still speaks in the address's name would turn the peers' neighbour caches back to us.
  const output = { name: "output", hook: NF_INET_LOCAL_OUT, priority: BEFORE_RAW };
  addBaseChain(socket, table, output);
  addRule(socket, table, output.name, [...IPV4, IPV4_SOURCE, followMap(HELD4.name)]);
  addRule(socket, table, output.name, [...IPV6, IPV6_SOURCE, followMap(HELD6.name)]);
}

function addArpTable(socket: NetlinkSocket, table: TableName): void {
  addTable(socket, table);
  addSet(socket, table, HELD4);
  addBaseChain(socket, table, { name: "input", hook: NF_ARP_IN, priority: 0 });
  addRule(socket, table, "input", [ARP_TARGET, followMap(HELD4.name)]);
  addBaseChain(socket, table, { name: "output", hook: NF_ARP_OUT, priority: 0 });
  addRule(socket, table, "output", [ARP_SENDER, followMap(HELD4.name)]);
}
