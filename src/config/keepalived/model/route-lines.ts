/** The lines of virtual_routes and static_routes: the grammar of `ip route`, ip-route(8). */

import type { Family, RouteSettings } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { readScope } from "./address-lines.ts";
import { familyOf, readAddress, readPrefix } from "./context.ts";

const KINDS = ["unicast", "blackhole", "unreachable", "prohibit", "throw", "local"] as const;

/** Words that Nines carries out, with the name under which the value is kept. */
const CARRIED: Readonly<Record<string, string>> = {
  via: "via",
  gw: "via",
  dev: "dev",
  oif: "dev",
  src: "src",
  table: "table",
  metric: "metric",
  priority: "metric",
  preference: "metric",
  scope: "scope",
  protocol: "protocol",
  proto: "protocol",
  mtu: "mtu",
};

/** Words of `ip route` that Nines leaves out, and how many words follow each. */
const IGNORED: Readonly<Record<string, number>> = {
  or: 1,
  nexthop: 0,
  weight: 1,
  tos: 1,
  dsfield: 1,
  hoplimit: 1,
  advmss: 1,
  rtt: 1,
  rttvar: 1,
  reordering: 1,
  window: 1,
  cwnd: 1,
  ssthresh: 1,
  realms: 1,
  realm: 1,
  rto_min: 1,
  initcwnd: 1,
  initrwnd: 1,
  vrf: 1,
  features: 1,
  quickack: 1,
  congctl: 1,
  pref: 1,
  expires: 1,
  fastopen_no_cookie: 1,
  "ttl-propagate": 1,
  encap: 1,
  track_group: 1,
  lock: 0,
  append: 0,
  add: 0,
  as: 0,
};

const TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };
const PROTOCOLS: Readonly<Record<string, number>> = {
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  zebra: 11,
  bird: 12,
  dhcp: 16,
  keepalived: 18,
};

export function readRouteLines(lines: readonly Statement[], findings: Findings): RouteSettings[] {
  return lines.flatMap((line) => readRoute([line.keyword, ...line.args], findings) ?? []);
}

interface RouteWords {
  readonly kind: RouteSettings["kind"];
  readonly values: ReadonlyMap<string, Word>;
  readonly alone: ReadonlySet<string>;
  readonly destination: Word | undefined;
}

function readRoute(words: readonly Word[], findings: Findings): RouteSettings | undefined {
  const read = sortWords(words, findings);
  if (read.destination === undefined) {
    findings.error(words[0]!, "the route has no destination", "write 10.0.0.0/8 or default first");
    return undefined;
  }
  const family = routeFamily(read);
  const target =
    read.destination.text === "default"
      ? { address: family === "ipv6" ? "::" : "0.0.0.0", length: 0, family }
      : readPrefix(read.destination, "the destination of a route", findings);
  if (target === undefined) return undefined;
  const { values } = read;
  const via = values.get("via");
  const source = values.get("src");
  return {
    family: target.family,
    kind: read.kind,
    destination: target.address,
    prefixLength: target.length,
    ...optional("via", via === undefined ? undefined : readAddress(via, "via", findings)),
    ...optional("interface", values.get("dev")?.text),
    ...optional("source", source === undefined ? undefined : readAddress(source, "src", findings)),
    ...optional("table", readTable(values.get("table"), findings)),
    ...optional("metric", readNumber(values.get("metric"), "metric", findings)),
    ...optional(
      "scope",
      values.has("scope") ? readScope(values.get("scope"), findings) : undefined,
    ),
    ...optional("protocol", readProtocol(values.get("protocol"), findings)),
    onLink: read.alone.has("onlink"),
    ...optional("mtu", readNumber(values.get("mtu"), "mtu", findings)),
    tracked: !read.alone.has("no_track"),
  };
}

export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function sortWords(words: readonly Word[], findings: Findings): RouteWords {
  const values = new Map<string, Word>();
  const alone = new Set<string>();
  let kind: RouteSettings["kind"] = "unicast";
  let destination: Word | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const { text } = word;
    const known = KINDS.find((name) => name === text);
    if (CARRIED[text] !== undefined && words[i + 1] !== undefined) {
      values.set(CARRIED[text], words[++i]!);
    } else if (known !== undefined) kind = known;
    else if (["onlink", "no_track", "inet6", "inet"].includes(text)) alone.add(text);
    else if (text === "to" && words[i + 1] !== undefined) destination = words[++i]!;
    else if (IGNORED[text] !== undefined) {
      i += IGNORED[text] + (words[i + 1]?.text === "lock" ? 1 : 0);
      findings.warn(word, `ignored: '${text}' in a route`, "Nines does not carry it out");
    } else if (destination === undefined) destination = word;
    else findings.error(word, `'${text}' is not an option of a route`, "see ip-route(8)");
  }
  return { kind, values, alone, destination };
}

function routeFamily(read: RouteWords): Family {
  if (read.alone.has("inet6")) return "ipv6";
  const hint = read.values.get("via")?.text ?? read.values.get("src")?.text ?? "";
  return familyOf(hint);
}

export function readTable(word: Word | undefined, findings: Findings): number | undefined {
  if (word === undefined) return undefined;
  const known = TABLES[word.text];
  if (known !== undefined) return known;
  if (/^\d+$/u.test(word.text)) return readNumber(word, "table", findings);
  const next = "write its number from /etc/iproute2/rt_tables";
  findings.error(word, `the routing table '${word.text}' is not a number`, next);
  return undefined;
}

function readProtocol(word: Word | undefined, findings: Findings): number | undefined {
  if (word === undefined) return undefined;
  return PROTOCOLS[word.text] ?? readNumber(word, "protocol", findings);
}

/** Whole number of 32 bits, decimal or 0x…. */
export function readNumber(
  word: Word | undefined,
  name: string,
  findings: Findings,
): number | undefined {
  if (word === undefined) return undefined;
  const number = /^(\d+|0x[\da-fA-F]+)$/u.test(word.text) ? Number(word.text) : Number.NaN;
  if (number <= 0xffff_ffff) return number;
  findings.error(
    word,
    `${name} must be a whole number, not '${word.text}'`,
    "write 0 to 4294967295",
  );
  return undefined;
}
