/** How the adverts of an instance travel: to a group, or to each peer. */

import type {
  Family,
  MulticastTransport,
  UnicastPeer,
  UnicastTransport,
} from "../../../core/vrrp/settings.ts";
import { canonicalIp, isMulticast } from "../../../lib/ip-address.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { readInteger } from "../value.ts";
import { type Context, familyOf, readAddress, remember } from "./context.ts";

const GROUPS: Readonly<Record<Family, string>> = { ipv4: "224.0.0.18", ipv6: "ff02::12" };
const GROUP_KEYWORDS = { ipv4: "vrrp_mcast_group4", ipv6: "vrrp_mcast_group6" } as const;
const TTL = { min: 0, max: 255 };

export function readTransport(
  instance: Block,
  globals: Block,
  family: Family,
  context: Context,
): MulticastTransport | UnicastTransport {
  const { findings } = context;
  const peers = readPeers(instance, family, context);
  if (peers === undefined) return multicast(instance, globals, family, context);
  if (instance.has("mcast_dst_ip")) {
    const reason = "mcast_dst_ip and unicast_peer exclude each other";
    findings.error(instance.at("mcast_dst_ip"), reason, "remove one of them");
  }
  const ranged = peers.some((peer) => peer.minTtl > 0 || peer.maxTtl < 255);
  return {
    kind: "unicast",
    peers,
    ttl: instance.number("unicast_ttl") ?? 255,
    checkSource:
      ranged || instance.has("check_unicast_src") || globals.has("vrrp_check_unicast_src"),
  };
}

function multicast(
  instance: Block,
  globals: Block,
  family: Family,
  context: Context,
): MulticastTransport {
  const { findings } = context;
  for (const keyword of ["unicast_src_ip", "unicast_ttl", "check_unicast_src"]) {
    if (!instance.has(keyword) || instance.has("unicast_peer")) continue;
    const reason = `${keyword} without unicast_peer: adverts still go to the multicast group`;
    findings.warn(instance.at(keyword), reason, "add: unicast_peer { ADDRESS }");
  }
  const word = instance.word("mcast_dst_ip");
  if (word !== undefined) checkGroup(word, family, findings);
  const group = word ?? globals.word(GROUP_KEYWORDS[family]);
  return { kind: "multicast", group: canonicalIp(group?.text ?? "") ?? GROUPS[family] };
}

/** Of the whole node, whether an instance uses them or not. */
export function checkGroups(globals: Block, findings: Findings): void {
  for (const family of ["ipv4", "ipv6"] as const) {
    const word = globals.word(GROUP_KEYWORDS[family]);
    if (word !== undefined) checkGroup(word, family, findings);
  }
}

function checkGroup(word: Word, family: Family, findings: Findings): void {
  const group = readAddress(word, "the multicast group", findings);
  if (group === undefined || (familyOf(group) === family && isMulticast(group))) return;
  const next = `the usual one is ${GROUPS[family]}`;
  findings.error(word, `${group} is not an ${nameOf(family)} multicast address`, next);
}

export function nameOf(family: Family): string {
  return family === "ipv4" ? "IPv4" : "IPv6";
}

/** Undefined: no peers, so multicast. */
function readPeers(instance: Block, family: Family, context: Context): UnicastPeer[] | undefined {
  if (!instance.has("unicast_peer")) return undefined;
  const own = instance.text("unicast_src_ip");
  const lines = instance.lines("unicast_peer");
  if (lines.length === 0) {
    const at = instance.at("unicast_peer");
    const reason = "unicast_peer is empty";
    if (instance.has("unicast_fault_no_peer")) {
      context.findings.error(at, reason, "add the address of the other node");
    } else {
      const next = "add the other node's address; until then adverts go to the multicast group";
      context.findings.warn(at, reason, next);
    }
    return undefined;
  }
  return lines.flatMap((line) => {
    const peer = readPeer(line, family, context);
    if (peer === undefined) return [];
    if (peer.address === own) {
      const reason = `the peer ${own} is this node itself: it is left out`;
      const severity = lines.length === 1 ? "error" : "warning";
      context.findings.add(severity, line.keyword, reason, "list the other nodes only");
      return [];
    }
    return [peer];
  });
}

function readPeer(line: Statement, family: Family, context: Context): UnicastPeer | undefined {
  const { findings } = context;
  const address = readAddress(line.keyword, "a unicast peer", findings);
  const minTtl = readTtl(line.args, "min_ttl", context) ?? 0;
  const maxTtl = readTtl(line.args, "max_ttl", context) ?? 255;
  if (address === undefined) return undefined;
  remember(context, `peer ${address}`, line.keyword);
  for (const word of line.args.filter((_, i) => i % 2 === 0)) {
    if (word.text === "min_ttl" || word.text === "max_ttl") continue;
    findings.error(word, `'${word.text}' cannot stand after a peer`, "one peer a line");
  }
  if (minTtl > maxTtl) findings.error(line.keyword, `min_ttl ${minTtl} is above max_ttl ${maxTtl}`);
  if (familyOf(address) !== family) {
    const reason = `the peer ${address} is not ${nameOf(family)} like the addresses`;
    findings.error(line.keyword, reason, `write the peer's ${nameOf(family)} address`);
  }
  return { address, minTtl, maxTtl };
}

function readTtl(args: readonly Word[], name: string, context: Context): number | undefined {
  const index = args.findIndex((word) => word.text === name);
  const value = args[index + 1];
  if (index < 0) return undefined;
  if (value !== undefined) return readInteger(value, TTL, name, context.findings);
  context.findings.error(args[index]!, `${name} needs a value after it`, "write 0 to 255");
  return undefined;
}

/** `unicast_src_ip` or `mcast_src_ip`. */
export function readSource(instance: Block, family: Family, context: Context): string | undefined {
  const word = instance.word("unicast_src_ip") ?? instance.word("mcast_src_ip");
  if (word === undefined) return undefined;
  const address = readAddress(word, "the source address", context.findings);
  if (address !== undefined && familyOf(address) !== family) {
    const reason = `the source ${address} is not ${nameOf(family)} like the addresses`;
    context.findings.error(word, reason, `write this node's ${nameOf(family)} address`);
  }
  return address;
}
