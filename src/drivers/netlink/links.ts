/**
 * Interfaces: rtnetlink's RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, and the macvlan that carries a
 * virtual router's MAC. Sources: rtnetlink(7), linux/if_link.h, ip-link(8).
 */

import type { Family } from "../../core/vrrp/settings.ts";
import { AF_INET6, ENODEV } from "../ffi.ts";
import { NLM_F_CREATE, NLM_F_EXCL, numberOf, readAttributes, textOf } from "./message.ts";
import type { Message, MessageWriter } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_MODE_NONE = 1;
const MACVLAN_MODE_PRIVATE = 1;

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;
const IFF_LOWER_UP = 0x10000;
const HEADER_BYTES = 16;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Administratively up and with carrier. */
  readonly up: boolean;
  readonly loopback: boolean;
  /** `aa:bb:cc:dd:ee:ff`; absent on interfaces without a 6 byte address. */
  readonly mac?: string;
  /** The interface below (macvlan, VLAN), if any. */
  readonly parentIndex?: number;
  /** `macvlan`, `veth` …; absent on hardware. */
  readonly kind?: string;
}

/** Every interface of this network namespace, or `-errno`. */
export function listLinks(socket: NetlinkSocket): readonly Link[] | number {
  const messages = socket.dump(RTM_GETLINK, (request) => writeHeader(request, 0, 0));
  if (typeof messages === "number") return messages;
  return messages.map(readLink).filter((link) => link !== undefined);
}

/** One interface, `-ENODEV` when there is none of that name. */
export function findLink(socket: NetlinkSocket, name: string): Link | number {
  socket.begin(RTM_GETLINK, 0);
  writeHeader(socket.request, 0, 0);
  socket.request.attributeString(IFLA_IFNAME, name);
  socket.end();
  const { status, answers } = socket.transact();
  if (status < 0) return status;
  return answers.map(readLink).find((link) => link !== undefined) ?? -ENODEV;
}

/** The interface in an RTM_NEWLINK or RTM_DELLINK; undefined when it is cut short. */
export function readLink({ body }: Message): Link | undefined {
  if (body.length < HEADER_BYTES) return undefined;
  const attributes = readAttributes(body, HEADER_BYTES);
  const name = textOf(attributes.get(IFLA_IFNAME));
  if (name === undefined) return undefined;
  const flags = numberOf(body.subarray(8)) ?? 0;
  const wanted = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;
  const mac = attributes.get(IFLA_ADDRESS);
  const parentIndex = numberOf(attributes.get(IFLA_LINK));
  const info = attributes.get(IFLA_LINKINFO);
  const kind = info && textOf(readAttributes(info, 0).get(IFLA_INFO_KIND));
  return {
    index: numberOf(body.subarray(4)) ?? 0,
    name,
    up: (flags & wanted) === wanted,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    ...(mac?.length === 6 ? { mac: formatMac(mac) } : {}),
    ...(parentIndex === undefined ? {} : { parentIndex }),
    ...(kind === undefined ? {} : { kind }),
  };
}

/** RFC 9568 section 7.3: 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6. */
export function virtualMac(family: Family, vrid: number): Uint8Array {
  return Uint8Array.of(0, 0, 0x5e, 0, family === "ipv4" ? 1 : 2, vrid);
}

/**
 * Adds two messages: a private macvlan on `parentIndex`, not yet up, that makes no IPv6 address
 * by itself (a link-local one would show a backup's virtual MAC to the switches).
 */
export function beginMacvlan(
  socket: NetlinkSocket,
  name: string,
  parentIndex: number,
  mac: Uint8Array,
): void {
  const { request } = socket;
  socket.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  writeHeader(request, 0, 0);
  request.attributeString(IFLA_IFNAME, name);
  request.attributeU32(IFLA_LINK, parentIndex);
  request.attributeBytes(IFLA_ADDRESS, mac);
  const info = request.beginNested(IFLA_LINKINFO);
  request.attributeString(IFLA_INFO_KIND, "macvlan");
  const data = request.beginNested(IFLA_INFO_DATA);
  request.attributeU32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
  request.endNested(data);
  request.endNested(info);
  socket.end();

  socket.begin(RTM_NEWLINK, 0);
  writeHeader(request, 0, 0);
  request.attributeString(IFLA_IFNAME, name);
  const families = request.beginNested(IFLA_AF_SPEC);
  const inet6 = request.beginNested(AF_INET6);
  request.attributeU8(IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE);
  request.endNested(inet6);
  request.endNested(families);
  socket.end();
}

export function beginLinkUp(socket: NetlinkSocket, name: string): void {
  socket.begin(RTM_NEWLINK, 0);
  writeHeader(socket.request, IFF_UP, IFF_UP);
  socket.request.attributeString(IFLA_IFNAME, name);
  socket.end();
}

/** Adds one message that removes the interface; -ENODEV where it is not. */
export function beginLinkDeletion(socket: NetlinkSocket, name: string): void {
  socket.begin(RTM_DELLINK, 0);
  writeHeader(socket.request, 0, 0);
  socket.request.attributeString(IFLA_IFNAME, name);
  socket.end();
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function writeHeader(request: MessageWriter, flags: number, change: number): void {
  request.u32(0);
  request.u32(0);
  request.u32(flags);
  request.u32(change);
}
