/**
 * `ADDRESS[/LEN] [brd …] [dev IF] [scope S] [label L] [peer A] …`: the lines of
 * virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress.
 */

import { closest } from "../../../lib/spelling.ts";
import type { VirtualAddress } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { type Context, type Prefix, readAddress, readPrefix } from "./context.ts";
import { readNamed, SCOPE } from "./routing-names.ts";

/** "For ever" as the kernel counts lifetimes. */
const FOREVER = 0xffff_ffff;

/** Words that take a value, and words that stand alone. */
const WITH_VALUE = [
  "brd",
  "broadcast",
  "dev",
  "scope",
  "label",
  "peer",
  "preferred_lft",
  "track_group",
];
const ALONE = ["home", "-nodad", "dad", "mngtmpaddr", "noprefixroute", "no_track", "use_vmac"];
const IGNORED = ["autojoin", "use_vmac"];

export interface AddressLine {
  readonly settings: VirtualAddress;
  readonly word: Word;
}

/** Reads every line; what is wrong is told and left out. */
export function readAddressLines(
  lines: readonly Statement[],
  defaultInterface: string,
  context: Context,
): AddressLine[] {
  const read: AddressLine[] = [];
  for (const line of lines) {
    const address = readAddressLine(line, defaultInterface, context);
    if (address === undefined) continue;
    const twin = read.find(
      (other) =>
        other.settings.address === address.address &&
        other.settings.interface === address.interface,
    );
    if (twin === undefined) read.push({ settings: address, word: line.keyword });
    else {
      const reason = `${address.address} was given already in line ${twin.word.line}`;
      context.findings.warn(line.keyword, reason, "the second one is left out");
    }
  }
  return read;
}

function readAddressLine(
  line: Statement,
  defaultInterface: string,
  context: Context,
): VirtualAddress | undefined {
  const { findings } = context;
  const prefix = readPrefix(line.keyword, "a virtual address", findings);
  const words = readOptions(line.args, findings);
  if (prefix === undefined) return undefined;
  const label = readLabel(words.get("label"), findings);
  const broadcast = (words.get("brd") ?? words.get("broadcast"))?.text;
  const peer = words.get("peer");
  const group = words.get("track_group");
  return {
    address: prefix.address,
    family: prefix.family,
    prefixLength: prefix.length,
    interface: words.get("dev")?.text ?? defaultInterface,
    scope: readNamed(words.get("scope"), SCOPE, context) ?? 0,
    ...(label === undefined ? {} : { label }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(peer === undefined ? {} : { peer: readAddress(peer, "peer", findings) ?? "" }),
    noDad: prefix.family === "ipv6" && !words.has("dad"),
    home: words.has("home"),
    managedTemporary: words.has("mngtmpaddr"),
    noPrefixRoute: words.has("noprefixroute"),
    preferredLifetimeS: readLifetime(words.get("preferred_lft"), prefix, findings),
    ...(group === undefined ? {} : { trackGroup: group.text }),
    tracked: !words.has("no_track"),
  };
}

function readOptions(args: readonly Word[], findings: Findings): Map<string, Word> {
  const found = new Map<string, Word>();
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (IGNORED.includes(word.text)) {
      findings.warn(word, `ignored: '${word.text}' on an address`, "Nines does not carry it out");
    }
    if (WITH_VALUE.includes(word.text)) {
      const value = args[++i];
      if (value === undefined) findings.error(word, `'${word.text}' needs a value after it`);
      else found.set(word.text, value);
    } else if (ALONE.includes(word.text)) found.set(word.text, word);
    else if (!IGNORED.includes(word.text)) reportOption(word, findings);
  }
  return found;
}

function reportOption(word: Word, findings: Findings): void {
  const near = closest(word.text, [...WITH_VALUE, ...ALONE]);
  const isAddress = /^[\da-fA-F]*[.:][\da-fA-F.:/]*$/u.test(word.text);
  const next = isAddress
    ? "one address a line; a netmask is written as /24"
    : near === undefined
      ? `known are: ${[...WITH_VALUE, ...ALONE].join(" ")}`
      : `did you mean '${near}'?`;
  findings.error(word, `'${word.text}' is not an option of an address`, next);
}

/** The kernel keeps 15 bytes of a label (IFNAMSIZ). */
function readLabel(word: Word | undefined, findings: Findings): string | undefined {
  if (word === undefined) return undefined;
  if (word.text.length <= 15) return word.text;
  findings.error(word, `the label '${word.text}' is longer than 15 characters`, "shorten it");
  return undefined;
}

/** 0 for IPv6 unless told otherwise: a following address must not become a source address. */
function readLifetime(word: Word | undefined, prefix: Prefix, findings: Findings): number {
  if (word === undefined) return prefix.family === "ipv6" ? 0 : FOREVER;
  if (word.text === "forever") return FOREVER;
  if (/^\d+$/u.test(word.text) && Number(word.text) < FOREVER) return Number(word.text);
  findings.error(word, `preferred_lft '${word.text}' is wrong`, "write seconds or forever");
  return 0;
}
