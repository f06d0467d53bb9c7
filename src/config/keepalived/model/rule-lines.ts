/** The lines of virtual_rules and static_rules: the grammar of `ip rule`, ip-rule(8). */

import type { NumberRange, RuleSettings } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { type Context, type Prefix, readPrefix } from "./context.ts";
import { optional, readNumber, readRealms } from "./route-lines.ts";
import { IP_PROTOCOL, LINK_GROUP, PROTOCOL, readNamed, SERVICE, TABLE } from "./routing-names.ts";

/** Words with a value, and the name under which it is kept. */
const WITH_VALUE: Readonly<Record<string, string>> = {
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
  goto: "goto",
  tos: "tos",
  dsfield: "tos",
  realms: "realms",
  realm: "realms",
  suppress_prefixlength: "suppress_prefixlength",
  suppress_prefixlen: "suppress_prefixlength",
  suppress_ifgroup: "suppress_ifgroup",
  uidrange: "uidrange",
  ip_proto: "ipproto",
  ipproto: "ipproto",
  sport: "sport",
  dport: "dport",
  tun_id: "tun_id",
  protocol: "protocol",
  track_group: "track_group",
};

const ACTIONS = ["nop", "l3mdev", "blackhole", "prohibit", "unreachable"] as const;
const ALONE = ["no_track", "inet6", "inet", "not", "add"];

const MAIN_TABLE = 254;

export function readRuleLines(lines: readonly Statement[], context: Context): RuleSettings[] {
  return lines.flatMap((line) => readRule([line.keyword, ...line.args], context) ?? []);
}

interface RuleWords {
  readonly first: Word;
  readonly values: ReadonlyMap<string, Word>;
  readonly alone: ReadonlySet<string>;
  readonly action: (typeof ACTIONS)[number] | "goto" | undefined;
}

function readRule(words: readonly Word[], context: Context): RuleSettings | undefined {
  const values = new Map<string, Word>();
  const alone = new Set<string>();
  let action: RuleWords["action"];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const { text } = word;
    const known = ACTIONS.find((name) => name === text);
    if (WITH_VALUE[text] !== undefined && words[i + 1] !== undefined) {
      values.set(WITH_VALUE[text], words[++i]!);
      if (text === "goto") action = "goto";
    } else if (ALONE.includes(text)) alone.add(text);
    else if (known !== undefined) action = known;
    // `type prohibit`, as ip-rule(8) writes it too.
    else if (text !== "type") {
      context.findings.error(word, `'${text}' is not an option of a rule`, "see ip-rule(8)");
      return undefined;
    }
  }
  return ruleOf({ first: words[0]!, values, alone, action }, context);
}

function ruleOf({ first, values, alone, action }: RuleWords, context: Context): RuleSettings {
  const { findings } = context;
  const from = readSelector(values.get("from"), findings);
  const to = readSelector(values.get("to"), findings);
  const family = (from ?? to)?.family ?? (alone.has("inet6") ? "ipv6" : "ipv4");
  const priority = readNumber(values.get("priority"), "preference", findings);
  const chosen = values.has("priority") ? priority : context.rulePreferences[family]--;
  if (!values.has("priority")) {
    const reason = `the rule has no preference: ${chosen} is used, as with keepalived`;
    findings.warn(first, reason, "add: preference NUMBER");
  }
  if (from !== undefined && to !== undefined && from.family !== to.family) {
    findings.error(first, "'from' and 'to' are of different families", "one rule for each family");
  }
  const gotoPriority = readNumber(values.get("goto"), "goto", findings);
  if (gotoPriority !== undefined && gotoPriority <= (chosen ?? 0)) {
    const reason = `'goto ${gotoPriority}' would go back`;
    findings.error(values.get("goto")!, reason, "name a rule with a higher preference");
  }
  const number = (name: string): number | undefined => readNumber(values.get(name), name, findings);
  return {
    family,
    ...optional("from", selectorOf(from)),
    ...optional("to", selectorOf(to)),
    ...optional("incomingInterface", values.get("iif")?.text),
    ...optional("outgoingInterface", values.get("oif")?.text),
    ...optional("priority", chosen),
    ...optional("action", action),
    table: readNamed(values.get("table"), TABLE, context) ?? MAIN_TABLE,
    ...optional("gotoPriority", gotoPriority),
    ...readMark(values.get("mark"), findings),
    ...optional("inverted", alone.has("not") ? true : undefined),
    ...optional("typeOfService", readNamed(values.get("tos"), SERVICE, context)),
    ...optional("realms", readRealms(values.get("realms"), context)),
    ...optional("suppressPrefixLength", number("suppress_prefixlength")),
    ...optional(
      "suppressInterfaceGroup",
      readNamed(values.get("suppress_ifgroup"), LINK_GROUP, context),
    ),
    ...optional("users", readRange(values.get("uidrange"), 0xffff_ffff, findings)),
    ...optional("ipProtocol", readNamed(values.get("ipproto"), IP_PROTOCOL, context)),
    ...optional("sourcePorts", readRange(values.get("sport"), 0xffff, findings)),
    ...optional("destinationPorts", readRange(values.get("dport"), 0xffff, findings)),
    ...optional("tunnelId", number("tun_id")),
    ...optional("protocol", readNamed(values.get("protocol"), PROTOCOL, context)),
    ...optional("trackGroup", values.get("track_group")?.text),
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

/** `MARK[/MASK]`. */
function readMark(
  word: Word | undefined,
  findings: Findings,
): Pick<RuleSettings, "mark" | "markMask"> {
  if (word === undefined) return {};
  const [mark = "", mask] = word.text.split("/");
  return {
    ...optional("mark", readNumber({ ...word, text: mark }, "fwmark", findings)),
    ...optional(
      "markMask",
      mask === undefined ? undefined : readNumber({ ...word, text: mask }, "the mask", findings),
    ),
  };
}

/** `FIRST[-LAST]`. */
function readRange(
  word: Word | undefined,
  most: number,
  findings: Findings,
): NumberRange | undefined {
  if (word === undefined) return undefined;
  const match = /^(\d+)(?:-(\d+))?$/u.exec(word.text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (first <= last && last <= most) return { first, last };
  findings.error(word, `the range '${word.text}' is wrong`, `write FIRST-LAST, 0 to ${most}`);
  return undefined;
}
