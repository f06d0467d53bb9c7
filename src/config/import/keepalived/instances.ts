/** `vrrp_instance` becomes an address, `vrrp_script` and the like a track. */

import type { Statement } from "../../keepalived/tree.ts";
import { INSTANCE_KEYS, TRACK_KEYS } from "../../service/schema/address-schema.ts";
import type { Data, Draft } from "../draft.ts";
import { keywordData, statementAt } from "./keywords.ts";
import { authHmacOf, authOf, trackReferences } from "./special.ts";

export function instanceData(block: readonly Statement[], draft: Draft): Data {
  const find = (name: string): Statement | undefined =>
    block.findLast((statement) => statement.keyword.text === name);
  const preempt = find("nopreempt") !== undefined ? false : find("preempt") && true;
  const accept = find("no_accept") !== undefined ? false : find("accept") && true;
  const hmac = find("auth_hmac");
  const source = find("mcast_src_ip")?.args[0]?.text;
  const keywords = keywordData(block, { keys: INSTANCE_KEYS, block: "vrrp_instance" }, draft);
  for (const [name, why] of [
    ["native_ipv6", "the addresses tell the family"],
    ["unicast_fault_no_peer", "an empty list of peers always is a mistake"],
  ] as const) {
    const found = find(name);
    if (found !== undefined) draft.unneeded(statementAt(found), why);
  }
  return {
    ...keywords,
    source: keywords["source"] ?? source,
    preempt,
    accept,
    auth: hmac === undefined ? authOf(find("authentication"), block, draft) : authHmacOf(hmac),
    ...trackReferences(block),
  };
}

const TRACK_BLOCKS = { script: "vrrp_script", process: "vrrp_track_process", file: "track_file" };

export function trackData(
  block: readonly Statement[],
  kind: keyof typeof TRACK_KEYS,
  draft: Draft,
): Data {
  const data = keywordData(block, { keys: TRACK_KEYS[kind], block: TRACK_BLOCKS[kind] }, draft);
  const weight = block.findLast((statement) => statement.keyword.text === "weight");
  const reverse = weight?.args[1]?.text === "reverse" ? true : undefined;
  const subject = block.findLast((statement) => statement.keyword.text === kind);
  const words = (subject?.args ?? []).map((word) => word.text);
  const first = subject?.args[0];
  // A quoted command is split at spaces by keepalived, too; the words of others stay what they are.
  const isLine = first?.quoted === true && words.length === 1;
  const isPlain = words.every((word) => !/[\s']/u.test(word));
  return { ...data, [kind]: isLine ? words[0] : isPlain ? words.join(" ") : words, reverse };
}
