/** Policy routing rules: RTM_NEWRULE and RTM_DELRULE. Sources: linux/fib_rules.h, ip-rule(8). */

import type { NumberRange, RuleSettings } from "../../core/vrrp/settings.ts";
import { familyNumber, ipBytes } from "./addresses.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;

const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_GOTO = 4;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_FLOW = 11;
const FRA_TUN_ID = 12;
const FRA_SUPPRESS_IFGROUP = 13;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_L3MDEV = 19;
const FRA_UID_RANGE = 20;
const FRA_PROTOCOL = 21;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;

const FR_ACT_TO_TBL = 1;
const ACTION_NUMBERS: Readonly<Record<NonNullable<RuleSettings["action"]>, number>> = {
  goto: 2,
  nop: 3,
  // The device of the packet names the table.
  l3mdev: FR_ACT_TO_TBL,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
};
const FIB_RULE_INVERT = 2;
/** As for routes: rtnetlink.h reserves it for VRRP daemons. */
const RTPROT_KEEPALIVED = 18;

/** Adds one message that installs the rule; -EEXIST where the same one is already. */
export function beginRule(socket: NetlinkSocket, rule: RuleSettings): void {
  socket.begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
  writeRule(socket, rule);
  socket.request.attributeU8(FRA_PROTOCOL, rule.protocol ?? RTPROT_KEEPALIVED);
  socket.end();
}

/** Adds one message that removes the rule; -ENOENT where it is not. */
export function beginRuleDeletion(socket: NetlinkSocket, rule: RuleSettings): void {
  socket.begin(RTM_DELRULE, 0);
  writeRule(socket, rule);
  socket.end();
}

function writeRule({ request }: NetlinkSocket, rule: RuleSettings): void {
  const { from, to, action } = rule;
  const table = action === undefined ? rule.table : 0;
  request.u8(familyNumber(rule.family));
  request.u8(to?.prefixLength ?? 0);
  request.u8(from?.prefixLength ?? 0);
  request.u8(rule.typeOfService ?? 0);
  request.u8(table < 256 ? table : 0);
  request.u16(0);
  request.u8(action === undefined ? FR_ACT_TO_TBL : ACTION_NUMBERS[action]);
  request.u32(rule.inverted === true ? FIB_RULE_INVERT : 0);
  if (table !== 0) request.attributeU32(FRA_TABLE, table);
  if (to !== undefined && to.prefixLength > 0) request.attributeBytes(FRA_DST, ipBytes(to.address));
  if (from !== undefined && from.prefixLength > 0) {
    request.attributeBytes(FRA_SRC, ipBytes(from.address));
  }
  if (rule.incomingInterface !== undefined) {
    request.attributeString(FRA_IIFNAME, rule.incomingInterface);
  }
  if (rule.outgoingInterface !== undefined) {
    request.attributeString(FRA_OIFNAME, rule.outgoingInterface);
  }
  if (action === "l3mdev") request.attributeU8(FRA_L3MDEV, 1);
  if (rule.ipProtocol !== undefined) request.attributeU8(FRA_IP_PROTO, rule.ipProtocol);
  if (rule.tunnelId !== undefined) request.attributeBe64(FRA_TUN_ID, BigInt(rule.tunnelId));
  writeNumbers(request, rule);
  writeRanges(request, rule);
}

function writeNumbers(request: NetlinkSocket["request"], rule: RuleSettings): void {
  const numbers: readonly (readonly [number, number | undefined])[] = [
    [FRA_PRIORITY, rule.priority],
    [FRA_GOTO, rule.gotoPriority],
    [FRA_FWMARK, rule.mark],
    [FRA_FWMASK, rule.markMask],
    [FRA_FLOW, rule.realms],
    [FRA_SUPPRESS_PREFIXLEN, rule.suppressPrefixLength],
    [FRA_SUPPRESS_IFGROUP, rule.suppressInterfaceGroup],
  ];
  for (const [attribute, value] of numbers) {
    if (value !== undefined) request.attributeU32(attribute, value);
  }
}

/** User ids are 32 bits each, ports 16. */
function writeRanges(request: NetlinkSocket["request"], rule: RuleSettings): void {
  const words = (range: NumberRange): Uint8Array =>
    new Uint8Array(new Uint32Array([range.first, range.last]).buffer);
  const halves = (range: NumberRange): Uint8Array =>
    new Uint8Array(new Uint16Array([range.first, range.last]).buffer);
  if (rule.users !== undefined) request.attributeBytes(FRA_UID_RANGE, words(rule.users));
  if (rule.sourcePorts !== undefined) {
    request.attributeBytes(FRA_SPORT_RANGE, halves(rule.sourcePorts));
  }
  if (rule.destinationPorts !== undefined) {
    request.attributeBytes(FRA_DPORT_RANGE, halves(rule.destinationPorts));
  }
}
