/** Routes: rtnetlink's RTM_NEWROUTE and RTM_DELROUTE. Sources: rtnetlink(7), ip-route(8). */

import type { RouteMetric, RoutePath, RouteSettings } from "../../core/vrrp/settings.ts";
import { isIpv6 } from "../../lib/ip-address.ts";
import { AF_INET, AF_INET6 } from "../ffi.ts";
import { familyNumber, ipBytes } from "./addresses.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_FLOW = 11;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTA_PREF = 20;
const RTA_EXPIRES = 23;
const RTNH_F_ONLINK = 4;
/** Of `struct rtnexthop`, and of an attribute. */
const PATH_HEADER = 8;
const ATTRIBUTE_HEADER = 4;

const RTAX_LOCK = 1;
const RTAX_CC_ALGO = 16;
const METRIC_NUMBERS: Readonly<Record<RouteMetric, number>> = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rto_min: 13,
  initrwnd: 14,
  quickack: 15,
  fastopen_no_cookie: 17,
};
/** ICMPV6_ROUTER_PREF_*: RFC 4191 section 2.1. */
const PREFERENCE_NUMBERS = { medium: 0, high: 1, low: 3 } as const;

const TABLE_MAIN = 254;
const TABLE_LOCAL = 255;
const SCOPE_UNIVERSE = 0;
const SCOPE_LINK = 253;
const SCOPE_HOST = 254;
/** rtnetlink.h reserves it for VRRP daemons; `ip route` prints `proto keepalived`. */
const RTPROT_KEEPALIVED = 18;

const KIND_NUMBERS: Readonly<Record<RouteSettings["kind"], number>> = {
  unicast: 1,
  local: 2,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
};

/** Index of an interface that a route names. */
export type InterfaceIndexes = (name: string) => number;

/** Adds one message that installs the route; -EEXIST where the same one is already. */
export function beginRoute(
  socket: NetlinkSocket,
  route: RouteSettings,
  indexes: InterfaceIndexes,
): void {
  socket.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  writeRoute(socket, route, indexes);
  if (route.source !== undefined) {
    socket.request.attributeBytes(RTA_PREFSRC, ipBytes(route.source));
  }
  if (route.realms !== undefined) socket.request.attributeU32(RTA_FLOW, route.realms);
  if (route.preference !== undefined) {
    socket.request.attributeU8(RTA_PREF, PREFERENCE_NUMBERS[route.preference]);
  }
  if (route.expiresS !== undefined) socket.request.attributeU32(RTA_EXPIRES, route.expiresS);
  writeMetrics(socket.request, route);
  socket.end();
}

/** Adds one message that removes the route; -ESRCH where it is not. */
export function beginRouteDeletion(
  socket: NetlinkSocket,
  route: RouteSettings,
  indexes: InterfaceIndexes,
): void {
  socket.begin(RTM_DELROUTE, 0);
  writeRoute(socket, route, indexes);
  socket.end();
}

function writeRoute(
  { request }: NetlinkSocket,
  route: RouteSettings,
  indexes: InterfaceIndexes,
): void {
  const table = route.table ?? (route.kind === "local" ? TABLE_LOCAL : TABLE_MAIN);
  request.u8(familyNumber(route.family));
  request.u8(route.prefixLength);
  request.u8(0);
  request.u8(route.typeOfService ?? 0);
  request.u8(table < 256 ? table : 0);
  request.u8(route.protocol ?? RTPROT_KEEPALIVED);
  request.u8(route.scope ?? defaultScope(route));
  request.u8(KIND_NUMBERS[route.kind]);
  request.u32(route.onLink ? RTNH_F_ONLINK : 0);
  request.attributeU32(RTA_TABLE, table);
  if (route.prefixLength > 0) request.attributeBytes(RTA_DST, destinationBytes(route));
  if (route.via !== undefined) writeGateway(request, route.family, route.via);
  if (route.interface !== undefined) request.attributeU32(RTA_OIF, indexes(route.interface));
  if (route.paths !== undefined) {
    const paths = route.paths.map((path) => pathBytes(route.family, path, indexes));
    request.attributeBytes(RTA_MULTIPATH, concatenate(paths));
  }
  if (route.metric !== undefined) request.attributeU32(RTA_PRIORITY, route.metric);
}

function writeGateway(
  request: NetlinkSocket["request"],
  family: RouteSettings["family"],
  via: string,
): void {
  const { type, bytes } = gatewayAttribute(family, via);
  request.attributeBytes(type, bytes);
}

/** A gateway of the other family is told with its family, little endian like every number here. */
function gatewayAttribute(
  family: RouteSettings["family"],
  via: string,
): { readonly type: number; readonly bytes: Uint8Array } {
  const gateway = ipBytes(via);
  if (isIpv6(via) === (family === "ipv6")) return { type: RTA_GATEWAY, bytes: gateway };
  const bytes = new Uint8Array(2 + gateway.length);
  bytes[0] = isIpv6(via) ? AF_INET6 : AF_INET;
  bytes.set(gateway, 2);
  return { type: RTA_VIA, bytes };
}

/** `struct rtnexthop`: length, flags, weight - 1, interface; then the gateway's attribute. */
function pathBytes(
  family: RouteSettings["family"],
  path: RoutePath,
  indexes: InterfaceIndexes,
): Uint8Array {
  const gateway = path.via === undefined ? undefined : gatewayAttribute(family, path.via);
  const size = gateway === undefined ? 0 : ATTRIBUTE_HEADER + gateway.bytes.length;
  const bytes = new Uint8Array(PATH_HEADER + Math.ceil(size / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length, true);
  bytes[2] = path.onLink ? RTNH_F_ONLINK : 0;
  bytes[3] = path.weight - 1;
  view.setInt32(4, path.interface === undefined ? 0 : indexes(path.interface), true);
  if (gateway !== undefined) {
    view.setUint16(PATH_HEADER, size, true);
    view.setUint16(PATH_HEADER + 2, gateway.type, true);
    bytes.set(gateway.bytes, PATH_HEADER + ATTRIBUTE_HEADER);
  }
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function writeMetrics(request: NetlinkSocket["request"], route: RouteSettings): void {
  const { metrics = {}, lockedMetrics = [], congestionControl } = route;
  const values = Object.entries(metrics) as [RouteMetric, number][];
  if (values.length === 0 && congestionControl === undefined) return;
  const nested = request.beginNested(RTA_METRICS);
  let locked = 0;
  for (const name of lockedMetrics) locked |= 1 << METRIC_NUMBERS[name];
  if (locked !== 0) request.attributeU32(RTAX_LOCK, locked);
  for (const [name, value] of values) request.attributeU32(METRIC_NUMBERS[name], value);
  if (congestionControl !== undefined) request.attributeString(RTAX_CC_ALGO, congestionControl);
  request.endNested(nested);
}

/** As ip-route(8) chooses. IPv6 routes have no scope. */
function defaultScope({ family, kind, via, paths }: RouteSettings): number {
  if (family === "ipv6") return SCOPE_UNIVERSE;
  if (kind === "local") return SCOPE_HOST;
  return kind === "unicast" && via === undefined && paths === undefined
    ? SCOPE_LINK
    : SCOPE_UNIVERSE;
}

/** The kernel refuses a destination with bits after its prefix. */
function destinationBytes({ destination, prefixLength }: RouteSettings): Uint8Array {
  const bytes = ipBytes(destination);
  for (let bit = prefixLength; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  }
  return bytes;
}
