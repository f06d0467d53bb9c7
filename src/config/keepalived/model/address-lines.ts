/**
 * `ADDRESS[/LEN] [brd …] [dev IF] [scope S] [label L] [peer A] …`: the lines of
 * virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress.
 */

import { closest } from "../../../lib/spelling.ts";
import { isMulticast } from "../../../lib/ip-address.ts";
import type { VirtualAddress } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { type Context, type Prefix, familyOf, readAddress, readPrefix } from "./context.ts";
import { readNamed, SCOPE } from "./routing-names.ts";

/** "For ever" as the kernel counts lifetimes. */
const FOREVER = 0xffff_ffff;

/** Beyond it there is no address left for one. */
const LONGEST_WITH_BROADCAST = 30;

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
const ALONE = [
  "home",
  "-nodad",
  "nodad",
  "dad",
  "mngtmpaddr",
  "noprefixroute",
  "autojoin",
  "no_track",
  "use_vmac",
];

export interface AddressLine {
  readonly settings: VirtualAddress;
  readonly word: Word;
  /** Its word `use_vmac`. */
  readonly vmacAt?: Word;
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
    const vmacAt = line.args.find(({ text }) => text === "use_vmac");
    if (twin === undefined) {
      read.push({
        settings: address,
        word: line.keyword,
        ...(vmacAt === undefined ? {} : { vmacAt }),
      });
    } else {
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
  checkHoldable(line.keyword, prefix, words.has("autojoin"), findings);
  const label = readLabel(words.get("label"), findings);
  const broadcast = readBroadcast(words.get("brd") ?? words.get("broadcast"), prefix, findings);
  const peer = readPeer(words.get("peer"), prefix, line.keyword, findings);
  const group = words.get("track_group");
  return {
    address: prefix.address,
    family: prefix.family,
    prefixLength: peer?.length ?? prefix.length,
    interface: words.get("dev")?.text ?? defaultInterface,
    scope: readNamed(words.get("scope"), SCOPE, context) ?? 0,
    ...(label === undefined ? {} : { label }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(peer === undefined ? {} : { peer: peer.address }),
    noDad: prefix.family === "ipv6" && !isProbed(words, findings),
    home: words.has("home"),
    managedTemporary: words.has("mngtmpaddr"),
    noPrefixRoute: words.has("noprefixroute"),
    ...(joins(words.get("autojoin"), prefix, findings) ? { autoJoin: true } : {}),
    preferredLifetimeS: readLifetime(words.get("preferred_lft"), prefix, findings),
    ...(group === undefined ? {} : { trackGroup: group.text }),
    tracked: !words.has("no_track"),
  };
}

const NOBODYS = ["0.0.0.0", "255.255.255.255", "::", "::1"];

/** The kernel refuses most of these, and answers for none. */
function checkHoldable(word: Word, { address }: Prefix, joins: boolean, findings: Findings): void {
  const isGroup = isMulticast(address);
  if (isGroup ? joins : !NOBODYS.includes(address)) return;
  const reason = isGroup ? "is a multicast address" : "is no address that a machine can share";
  findings.error(word, `${address} ${reason}`, "write the address that clients use");
}

function readOptions(args: readonly Word[], findings: Findings): Map<string, Word> {
  const found = new Map<string, Word>();
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (WITH_VALUE.includes(word.text)) {
      const value = args[++i];
      if (value === undefined) findings.error(word, `'${word.text}' needs a value after it`);
      else found.set(word.text, value);
    } else if (ALONE.includes(word.text)) found.set(word.text, word);
    else reportOption(word, findings);
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

/** Minus takes the flag away, as in keepalived and ip-address(8): the address is asked for first. */
function isProbed(words: ReadonlyMap<string, Word>, findings: Findings): boolean {
  const minus = words.get("-nodad");
  if (minus === undefined) return words.has("dad");
  const reason = "'-nodad' switches duplicate address detection on, as in keepalived";
  findings.warn(minus, `${reason}: the address answers a second later`, "remove it");
  return true;
}

/** `+`, `-` or an address; a word that is none would reach the kernel's door only. */
function readBroadcast(
  word: Word | undefined,
  prefix: Prefix,
  findings: Findings,
): string | undefined {
  if (word?.text === "+" && prefix.family === "ipv4" && prefix.length > LONGEST_WITH_BROADCAST) {
    const reason = `a subnet of /${prefix.length} has no broadcast address: 'brd +' is left out`;
    findings.warn(word, reason, "remove it, or write the length of the subnet");
    return undefined;
  }
  if (word === undefined || word.text === "+" || word.text === "-") return word?.text;
  const address = readAddress(word, "the broadcast address", findings);
  if (address === undefined) return undefined;
  if (prefix.family === "ipv4" && familyOf(address) === "ipv4") return address;
  findings.error(word, "only an IPv4 address has a broadcast address", "remove it");
  return undefined;
}

/** The length belongs to the other end (ip-address(8)); keepalived knows none but the whole. */
function readPeer(
  word: Word | undefined,
  own: Prefix,
  at: Word,
  findings: Findings,
): Prefix | undefined {
  if (word === undefined) return undefined;
  const peer = readPrefix(word, "peer", findings);
  if (peer === undefined) return undefined;
  if (peer.family !== own.family) {
    findings.error(word, `${word.text} and ${at.text} are of different families`);
    return undefined;
  }
  if (at.text.includes("/") && own.length !== peer.length) {
    const reason = `with peer the length is the peer's: /${own.length} is left out`;
    findings.warn(at, reason, `write: ${own.address} peer ${peer.address}/${peer.length}`);
  }
  return peer;
}

/** The kernel joins groups at multicast addresses, and refuses the flag on others. */
function joins(word: Word | undefined, prefix: Prefix, findings: Findings): boolean {
  if (word === undefined) return false;
  if (isMulticast(prefix.address)) return true;
  const reason = `autojoin is for multicast groups, and ${prefix.address} is none: it is left out`;
  findings.warn(word, reason, "remove it");
  return false;
}

/** 0 for IPv6 unless told otherwise: a following address must not become a source address. */
function readLifetime(word: Word | undefined, prefix: Prefix, findings: Findings): number {
  if (word === undefined) return prefix.family === "ipv6" ? 0 : FOREVER;
  if (word.text === "forever") return FOREVER;
  if (/^\d+$/u.test(word.text) && Number(word.text) < FOREVER) return Number(word.text);
  findings.error(word, `preferred_lft '${word.text}' is wrong`, "write seconds or forever");
  return 0;
}
