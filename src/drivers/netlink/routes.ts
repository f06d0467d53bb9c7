/** Routes: rtnetlink's RTM_NEWROUTE and RTM_DELROUTE. Sources: rtnetlink(7), ip-route(8). */

import type { RouteSettings } from "../../core/vrrp/settings.ts";
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
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTAX_MTU = 2;
const RTNH_F_ONLINK = 4;

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

/** Adds one message that installs the route; -EEXIST where the same one is already. */
export function beginRoute(
  socket: NetlinkSocket,
  route: RouteSettings,
  interfaceIndex: number | undefined,
): void {
  socket.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  writeRoute(socket, route, interfaceIndex);
  if (route.source !== undefined) {
    socket.request.attributeBytes(RTA_PREFSRC, ipBytes(route.source));
  }
  if (route.mtu !== undefined) {
    const metrics = socket.request.beginNested(RTA_METRICS);
    socket.request.attributeU32(RTAX_MTU, route.mtu);
    socket.request.endNested(metrics);
  }
  socket.end();
}

/** Adds one message that removes the route; -ESRCH where it is not. */
export function beginRouteDeletion(
  socket: NetlinkSocket,
  route: RouteSettings,
  interfaceIndex: number | undefined,
): void {
  socket.begin(RTM_DELROUTE, 0);
  writeRoute(socket, route, interfaceIndex);
  socket.end();
}

function writeRoute(
  { request }: NetlinkSocket,
  route: RouteSettings,
  interfaceIndex: number | undefined,
): void {
  const table = route.table ?? (route.kind === "local" ? TABLE_LOCAL : TABLE_MAIN);
  request.u8(familyNumber(route.family));
  request.u8(route.prefixLength);
  request.u8(0);
  request.u8(0);
  request.u8(table < 256 ? table : 0);
  request.u8(route.protocol ?? RTPROT_KEEPALIVED);
  request.u8(route.scope ?? defaultScope(route));
  request.u8(KIND_NUMBERS[route.kind]);
  request.u32(route.onLink ? RTNH_F_ONLINK : 0);
  request.attributeU32(RTA_TABLE, table);
  if (route.prefixLength > 0) request.attributeBytes(RTA_DST, destinationBytes(route));
  if (route.via !== undefined) writeGateway(request, route.family, route.via);
  if (interfaceIndex !== undefined) request.attributeU32(RTA_OIF, interfaceIndex);
  if (route.metric !== undefined) request.attributeU32(RTA_PRIORITY, route.metric);
}

function writeGateway(
  request: NetlinkSocket["request"],
  family: RouteSettings["family"],
  via: string,
): void {
  const gateway = ipBytes(via);
  if (isIpv6(via) === (family === "ipv6")) {
    request.attributeBytes(RTA_GATEWAY, gateway);
    return;
  }
  const familyAndGateway = new Uint8Array(2 + gateway.length);
  familyAndGateway[0] = isIpv6(via) ? AF_INET6 : AF_INET;
  familyAndGateway.set(gateway, 2);
  request.attributeBytes(RTA_VIA, familyAndGateway);
}

/** As ip-route(8) chooses. IPv6 routes have no scope. */
function defaultScope({ family, kind, via }: RouteSettings): number {
  if (family === "ipv6") return SCOPE_UNIVERSE;
  if (kind === "local") return SCOPE_HOST;
  return kind === "unicast" && via === undefined ? SCOPE_LINK : SCOPE_UNIVERSE;
}

/** The kernel refuses a destination with bits after its prefix. */
function destinationBytes({ destination, prefixLength }: RouteSettings): Uint8Array {
  const bytes = ipBytes(destination);
  for (let bit = prefixLength; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  }
  return bytes;
}
