/**
 * Addresses of interfaces: rtnetlink's RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. Sources:
 * rtnetlink(7), linux/if_addr.h, ip-address(8).
 */

import type { Family, VirtualAddress } from "../../core/vrrp/settings.ts";
import { formatIp, parseIp } from "../../lib/ip-address.ts";
import { assert } from "../../lib/assert.ts";
import { AF_INET, AF_INET6 } from "../ffi.ts";
import {
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  numberOf,
  readAttributes,
  textOf,
} from "./message.ts";
import type { Message } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;

const IFA_F_SECONDARY = 0x01;
const IFA_F_NODAD = 0x02;
const IFA_F_DADFAILED = 0x08;
const IFA_F_HOMEADDRESS = 0x10;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_MANAGETEMPADDR = 0x100;
const IFA_F_NOPREFIXROUTE = 0x200;
const IFA_F_MCAUTOJOIN = 0x400;

/** A lifetime that does not end, as the kernel writes it. */
export const FOREVER_S = 0xffff_ffff;
const SCOPE_LINK = 253;
const HEADER_BYTES = 8;

/** An address as the kernel reports it. */
export interface KernelAddress {
  readonly family: Family;
  readonly address: string;
  readonly prefixLength: number;
  readonly interfaceIndex: number;
  readonly scope: number;
  readonly label?: string;
  readonly peer?: string;
  /** IPv4: another address of the same subnet came first. */
  readonly secondary: boolean;
  /** IPv6: not usable yet or ever, duplicate address detection has not passed. */
  readonly tentative: boolean;
  /** Seconds left; `FOREVER_S` without end. */
  readonly validLifetimeS: number;
  readonly preferredLifetimeS: number;
}

/** Every address of this network namespace, in the kernel's order, or `-errno`. */
export function listAddresses(socket: NetlinkSocket): readonly KernelAddress[] | number {
  const messages = socket.dump(RTM_GETADDR, (request) => {
    request.u32(0);
    request.u32(0);
  });
  if (typeof messages === "number") return messages;
  return messages.map(readAddress).filter((address) => address !== undefined);
}

/** The address in an RTM_NEWADDR or RTM_DELADDR; undefined for other families and short ones. */
export function readAddress({ body }: Message): KernelAddress | undefined {
  if (body.length < HEADER_BYTES) return undefined;
  const [familyNumber, prefixLength = 0, shortFlags = 0, scope = 0] = body;
  const size = familyNumber === AF_INET ? 4 : familyNumber === AF_INET6 ? 16 : 0;
  const attributes = readAttributes(body, HEADER_BYTES);
  const subject = attributes.get(IFA_ADDRESS);
  const local = attributes.get(IFA_LOCAL) ?? subject;
  if (size === 0 || local?.length !== size) return undefined;
  const flags = numberOf(attributes.get(IFA_FLAGS)) ?? shortFlags;
  const lifetimes = attributes.get(IFA_CACHEINFO);
  const address = formatIp(local);
  const peer = subject?.length === size ? formatIp(subject) : address;
  const label = textOf(attributes.get(IFA_LABEL));
  return {
    family: size === 4 ? "ipv4" : "ipv6",
    address,
    prefixLength,
    interfaceIndex: numberOf(body.subarray(4)) ?? 0,
    scope,
    ...(label === undefined ? {} : { label }),
    ...(peer === address ? {} : { peer }),
    secondary: size === 4 && (flags & IFA_F_SECONDARY) !== 0,
    tentative: size === 16 && (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) !== 0,
    preferredLifetimeS: numberOf(lifetimes?.subarray(0, 4)) ?? FOREVER_S,
    validLifetimeS: numberOf(lifetimes?.subarray(4, 8)) ?? FOREVER_S,
  };
}

/**
 * Adds one message that puts the address on the interface. `validLifetimeS`: the kernel removes
 * it by itself that long from now, 1 .. `FOREVER_S`. `mode` "add" fails with -EEXIST where the
 * address is already; "renew" sets the lifetimes of one that is there, or adds it.
 */
export function beginAddress(
  socket: NetlinkSocket,
  interfaceIndex: number,
  address: VirtualAddress,
  { validLifetimeS, mode }: { readonly validLifetimeS: number; readonly mode: "add" | "renew" },
): void {
  const { request } = socket;
  const flags = flagsOf(address);
  socket.begin(RTM_NEWADDR, NLM_F_CREATE | (mode === "add" ? NLM_F_EXCL : NLM_F_REPLACE));
  writeHeader(socket, interfaceIndex, address, flags);
  writeSubject(socket, address);
  const broadcast = broadcastOf(address);
  if (broadcast !== undefined) request.attributeBytes(IFA_BROADCAST, broadcast);
  if (address.label !== undefined) request.attributeString(IFA_LABEL, address.label);
  if (flags !== 0) request.attributeU32(IFA_FLAGS, flags);
  if (validLifetimeS !== FOREVER_S || preferredOf(address) !== FOREVER_S) {
    const preferred = Math.min(preferredOf(address), validLifetimeS);
    const lifetimes = new Uint32Array([preferred, validLifetimeS, 0, 0]);
    request.attributeBytes(IFA_CACHEINFO, new Uint8Array(lifetimes.buffer));
  }
  socket.end();
}

/** Adds one message that removes the address; -EADDRNOTAVAIL where it is not. */
export function beginAddressDeletion(
  socket: NetlinkSocket,
  interfaceIndex: number,
  address: Pick<VirtualAddress, "address" | "prefixLength" | "peer">,
): void {
  socket.begin(RTM_DELADDR, 0);
  writeHeader(socket, interfaceIndex, { ...address, scope: 0 }, 0);
  writeSubject(socket, address);
  socket.end();
}

export function familyNumber(family: Family): number {
  return family === "ipv4" ? AF_INET : AF_INET6;
}

/** Bytes of an address that was checked when the configuration was read. */
export function ipBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  assert(bytes !== undefined, `${text} is not an address`);
  return bytes;
}

export function isLinkLocalIpv6(address: KernelAddress): boolean {
  return address.family === "ipv6" && address.scope === SCOPE_LINK;
}

function writeHeader(
  { request }: NetlinkSocket,
  interfaceIndex: number,
  { address, prefixLength, scope }: Pick<VirtualAddress, "address" | "prefixLength" | "scope">,
  flags: number,
): void {
  request.u8(address.includes(":") ? AF_INET6 : AF_INET);
  request.u8(prefixLength);
  request.u8(flags & 0xff);
  request.u8(scope);
  request.u32(interfaceIndex);
}

function writeSubject(
  { request }: NetlinkSocket,
  { address, peer }: Pick<VirtualAddress, "address" | "peer">,
): void {
  request.attributeBytes(IFA_LOCAL, ipBytes(address));
  request.attributeBytes(IFA_ADDRESS, ipBytes(peer ?? address));
}

function flagsOf(address: VirtualAddress): number {
  const ofBoth =
    (address.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0) |
    (address.autoJoin === true ? IFA_F_MCAUTOJOIN : 0);
  if (address.family === "ipv4") return ofBoth;
  return (
    ofBoth |
    (address.noDad ? IFA_F_NODAD : 0) |
    (address.home ? IFA_F_HOMEADDRESS : 0) |
    (address.managedTemporary ? IFA_F_MANAGETEMPADDR : 0)
  );
}

/** IPv4 has no use for a preferred lifetime: it does not choose source addresses by it. */
function preferredOf(address: VirtualAddress): number {
  return address.family === "ipv4" ? FOREVER_S : Math.min(address.preferredLifetimeS, FOREVER_S);
}

function broadcastOf({
  address,
  family,
  prefixLength,
  broadcast,
}: VirtualAddress): Uint8Array | undefined {
  if (family === "ipv6" || broadcast === undefined || broadcast === "-") return undefined;
  if (broadcast !== "+") return ipBytes(broadcast);
  const bytes = ipBytes(address);
  for (let bit = prefixLength; bit < 32; bit++) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return bytes;
}
