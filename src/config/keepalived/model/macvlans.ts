/** Which addresses of an instance live on macvlans, with which names and MAC addresses. */

import type { Family, VirtualAddress, VmacSettings } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import type { AddressLine } from "./address-lines.ts";
import type { Context } from "./context.ts";
import { optional } from "./route-lines.ts";

/** What macvlans of an instance are named and numbered after. */
export interface MacvlanFacts {
  readonly block: Block;
  readonly globals: Block;
  readonly family: Family;
  readonly strict: boolean;
  readonly vrid: number;
  readonly interface: string;
}

const DEFAULT_PREFIX = "vrrp";
/** IFNAMSIZ without its end. */
const LONGEST_NAME = 15;

/** Names that are free on this node, in keepalived's manner: vrrp.51, vrrp6.51, vrrp1.51 … */
export class MacvlanNames {
  readonly #taken: Set<string>;

  /** Those that were written down are nobody else's. */
  constructor(instances: readonly Block[]) {
    const words = instances.map((block) => sortWords(block.words("use_vmac") ?? []));
    this.#taken = new Set(words.flatMap(({ name }) => name?.text ?? []));
  }

  next(prefix: string, family: Family, vrid: number): string {
    let name = `${prefix}${family === "ipv6" ? "6" : ""}.${vrid}`;
    for (let i = 1; this.#taken.has(name); i++) {
      // The 6 tells of a family.
      if (i !== 6) name = `${prefix}${i}.${vrid}`;
    }
    this.#taken.add(name);
    return name;
  }
}

interface VmacWords {
  readonly name?: Word;
  readonly mac?: Word;
  readonly ignored: readonly Word[];
}

/** `[[name] NAME] [MAC] [netlink_notify_msg] [group GROUP]`, as in keepalived 2.3 and later. */
function sortWords(words: readonly Word[]): VmacWords {
  let name: Word | undefined;
  let mac: Word | undefined;
  const ignored: Word[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const next = words[i + 1];
    if (word.text === "name" && next !== undefined) name = words[++i];
    else if (word.text === "group" && next !== undefined) ignored.push(words[i++]!);
    else if (word.text === "netlink_notify_msg") ignored.push(word);
    else if (/^[\da-fA-F]{1,2}(:[\da-fA-F]{1,2}){4,5}$/u.test(word.text)) mac = word;
    else name ??= word;
  }
  return { ...optional("name", name), ...optional("mac", mac), ignored };
}

/** `use_vmac` of the instance. */
export function readVmac(
  facts: MacvlanFacts,
  names: MacvlanNames,
  context: Context,
): VmacSettings | undefined {
  const { block, globals, family, vrid } = facts;
  const { findings } = context;
  const words = block.words("use_vmac");
  if (words === undefined) {
    const reason = "vmac_xmit_base has no effect without use_vmac";
    if (block.has("vmac_xmit_base")) findings.warn(block.at("vmac_xmit_base"), reason, "remove it");
    return undefined;
  }
  const { name, mac, ignored } = sortWords(words);
  for (const word of ignored) {
    findings.warn(word, `ignored: '${word.text}' of use_vmac`, "Nines does not carry it out");
  }
  const unicast = block.lines("unicast_peer").length > 0;
  if (unicast && !block.has("vmac_xmit_base")) {
    const reason = "use_vmac with unicast_peer needs vmac_xmit_base: it is switched on";
    findings.warn(block.at("use_vmac"), reason, "add: vmac_xmit_base");
  }
  if (name !== undefined && name.text.length > LONGEST_NAME) {
    findings.error(
      name,
      `the interface name ${name.text} is longer than ${LONGEST_NAME} characters`,
    );
  }
  const prefix = globals.text("vmac_prefix") ?? DEFAULT_PREFIX;
  return {
    name: name?.text ?? shortEnough(names.next(prefix, family, vrid), facts, findings),
    ...optional("mac", mac === undefined ? undefined : readMac(mac, vrid, findings)),
    sendFromBase: !facts.strict && (unicast || block.has("vmac_xmit_base")),
  };
}

/**
 * `use_vmac` behind an address, or `use_vmac_addr` for all that are not on the instance's own
 * interface or not of its family. Addresses of one interface and family share a macvlan.
 */
export function addressCarrier(
  facts: MacvlanFacts,
  names: MacvlanNames,
  findings: Findings,
): (line: AddressLine) => VirtualAddress {
  const { block, globals } = facts;
  const made = new Map<string, string>();
  const prefix = globals.text("vmac_addr_prefix") ?? globals.text("vmac_prefix") ?? DEFAULT_PREFIX;
  return ({ settings, vmacAt }) => {
    const { family, interface: base } = settings;
    const isElsewhere = base !== facts.interface || family !== facts.family;
    const isWanted = vmacAt !== undefined || (block.has("use_vmac_addr") && isElsewhere);
    // On the instance's own one it is anyway.
    if (!isWanted || (!isElsewhere && block.has("use_vmac"))) return settings;
    const key = `${base} ${family}`;
    const name =
      made.get(key) ?? shortEnough(names.next(prefix, family, facts.vrid), facts, findings);
    made.set(key, name);
    return { ...settings, vmac: name };
  };
}

function shortEnough(name: string, { globals, block }: MacvlanFacts, findings: Findings): string {
  if (name.length <= LONGEST_NAME) return name;
  const keyword = globals.has("vmac_addr_prefix") ? "vmac_addr_prefix" : "vmac_prefix";
  const at = globals.has(keyword) ? globals.at(keyword) : block.at("use_vmac");
  const reason = `the interface name ${name} is longer than ${LONGEST_NAME} characters`;
  findings.error(at, reason, "shorten it");
  return name;
}

/** Of five numbers the VRID is the sixth, as in keepalived. */
function readMac(word: Word, vrid: number, findings: Findings): string | undefined {
  const numbers = word.text.split(":").map((part) => Number.parseInt(part, 16));
  const mac = numbers.length === 5 ? [...numbers, vrid] : numbers;
  if ((mac[0]! & 1) === 1 || mac.every((part) => part === 0)) {
    const reason = `${word.text} is not the MAC address of one interface`;
    findings.error(word, reason, "its first number must be even, as in 02:00:00:00:00:01");
    return undefined;
  }
  return mac.map((part) => part.toString(16).padStart(2, "0")).join(":");
}
