/** Policy routing rules: RTM_NEWRULE and RTM_DELRULE. Sources: linux/fib_rules.h, ip-rule(8). */

import type { RuleSettings } from "../../core/vrrp/settings.ts";
import { familyNumber, ipBytes } from "./addresses.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;

const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_OIFNAME = 17;
const FR_ACT_TO_TBL = 1;

/** Adds one message that installs the rule; -EEXIST where the same one is already. */
export function beginRule(socket: NetlinkSocket, rule: RuleSettings): void {
  socket.begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
  writeRule(socket, rule);
}

/** Adds one message that removes the rule; -ENOENT where it is not. */
export function beginRuleDeletion(socket: NetlinkSocket, rule: RuleSettings): void {
  socket.begin(RTM_DELRULE, 0);
  writeRule(socket, rule);
}

function writeRule(socket: NetlinkSocket, rule: RuleSettings): void {
  const { request } = socket;
  const { from, to, incomingInterface, outgoingInterface, priority, mark } = rule;
  request.u8(familyNumber(rule.family));
  request.u8(to?.prefixLength ?? 0);
  request.u8(from?.prefixLength ?? 0);
  request.u8(0);
  request.u8(rule.table < 256 ? rule.table : 0);
  request.u16(0);
  request.u8(FR_ACT_TO_TBL);
  request.u32(0);
  request.attributeU32(FRA_TABLE, rule.table);
  if (to !== undefined && to.prefixLength > 0) request.attributeBytes(FRA_DST, ipBytes(to.address));
  if (from !== undefined && from.prefixLength > 0) {
    request.attributeBytes(FRA_SRC, ipBytes(from.address));
  }
  if (incomingInterface !== undefined) request.attributeString(FRA_IIFNAME, incomingInterface);
  if (outgoingInterface !== undefined) request.attributeString(FRA_OIFNAME, outgoingInterface);
  if (priority !== undefined) request.attributeU32(FRA_PRIORITY, priority);
  if (mark !== undefined) request.attributeU32(FRA_FWMARK, mark);
  socket.end();
}
