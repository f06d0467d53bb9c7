/** The lines of virtual_rules and static_rules: the grammar of `ip rule`, ip-rule(8). */

import type { RuleSettings } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { type Prefix, readPrefix } from "./context.ts";
import { optional, readNumber, readTable } from "./route-lines.ts";

const CARRIED: Readonly<Record<string, string>> = {
  from: "from",
  to: "to",
  iif: "iif",
  dev: "iif",
  oif: "oif",
  pref: "priority",
  preference: "priority",
  priority: "priority",
  order: "priority",
  table: "table",
  lookup: "table",
  fwmark: "mark",
};

/** Selectors and actions that Nines cannot put in the kernel: the rule would mean another thing. */
const UNABLE = [
  "goto",
  "nop",
  "l3mdev",
  "not",
  "realms",
  "suppress_prefixlength",
  "suppress_ifgroup",
  "tos",
  "dsfield",
  "uidrange",
  "ip_proto",
  "ipproto",
  "sport",
  "dport",
  "tun_id",
  "blackhole",
  "prohibit",
  "unreachable",
];
const ALONE = ["no_track", "inet6", "inet"];

const MAIN_TABLE = 254;

export function readRuleLines(lines: readonly Statement[], findings: Findings): RuleSettings[] {
  return lines.flatMap((line) => readRule([line.keyword, ...line.args], findings) ?? []);
}

function readRule(words: readonly Word[], findings: Findings): RuleSettings | undefined {
  const values = new Map<string, Word>();
  const alone = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const { text } = word;
    if (CARRIED[text] !== undefined && words[i + 1] !== undefined) {
      values.set(CARRIED[text], words[++i]!);
    } else if (ALONE.includes(text)) alone.add(text);
    else if (text === "track_group" || text === "protocol") i++;
    else if (UNABLE.includes(text)) {
      findings.warn(word, `ignored: this whole rule, because of '${text}'`, "add it with ip rule");
      return undefined;
    } else {
      findings.error(word, `'${text}' is not an option of a rule`, "see ip-rule(8)");
      return undefined;
    }
  }
  return ruleOf(words[0]!, values, alone, findings);
}

function ruleOf(
  first: Word,
  values: ReadonlyMap<string, Word>,
  alone: ReadonlySet<string>,
  findings: Findings,
): RuleSettings {
  const from = readSelector(values.get("from"), findings);
  const to = readSelector(values.get("to"), findings);
  const priority = readNumber(values.get("priority"), "preference", findings);
  if (priority === undefined && !values.has("priority")) {
    const reason = "the rule has no preference; the kernel picks one that depends on the order";
    findings.warn(first, reason, "add: preference NUMBER");
  }
  if (from !== undefined && to !== undefined && from.family !== to.family) {
    findings.error(first, "'from' and 'to' are of different families", "one rule for each family");
  }
  const mark = values.get("mark");
  return {
    family: (from ?? to)?.family ?? (alone.has("inet6") ? "ipv6" : "ipv4"),
    ...optional("from", selectorOf(from)),
    ...optional("to", selectorOf(to)),
    ...optional("incomingInterface", values.get("iif")?.text),
    ...optional("outgoingInterface", values.get("oif")?.text),
    ...optional("priority", priority),
    table: readTable(values.get("table"), findings) ?? MAIN_TABLE,
    ...optional("mark", mark === undefined ? undefined : readMark(mark, findings)),
    tracked: !alone.has("no_track"),
  };
}

function readSelector(word: Word | undefined, findings: Findings): Prefix | undefined {
  if (word === undefined || word.text === "all") return undefined;
  return readPrefix(word, "the address of a rule", findings);
}

function selectorOf(prefix: Prefix | undefined): RuleSettings["from"] {
  return prefix === undefined
    ? undefined
    : { address: prefix.address, prefixLength: prefix.length };
}

function readMark(word: Word, findings: Findings): number | undefined {
  const [text = ""] = word.text.split("/");
  if (text !== word.text) findings.warn(word, "ignored: the mask of fwmark", "write fwmark N");
  return readNumber({ ...word, text }, "fwmark", findings);
}
