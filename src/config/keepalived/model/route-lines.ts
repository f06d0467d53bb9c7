/** The lines of virtual_routes and static_routes: the grammar of `ip route`, ip-route(8). */

import type { Family, RouteMetric, RoutePath, RouteSettings } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { type Context, familyOf, readAddress, readPrefix } from "./context.ts";
import { metricNamed, readMetrics } from "./route-metrics.ts";
import { PROTOCOL, readNamed, REALM, SCOPE, SERVICE, TABLE } from "./routing-names.ts";

const KINDS = ["unicast", "blackhole", "unreachable", "prohibit", "throw", "local"] as const;

/** Words with a value, and the name under which it is kept. */
const WITH_VALUE: Readonly<Record<string, string>> = {
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
  tos: "tos",
  dsfield: "tos",
  realms: "realms",
  realm: "realms",
  congctl: "congctl",
  pref: "pref",
  expires: "expires",
  weight: "weight",
  track_group: "track_group",
};

/** After `nexthop` these are the path's. */
const OF_PATHS = ["via", "dev", "weight"];

const ALONE = ["onlink", "no_track", "inet6", "inet"];

/** Words that change nothing for Nines, and how many words follow each. */
const IGNORED: Readonly<Record<string, number>> = {
  "ttl-propagate": 1,
  append: 0,
  add: 0,
};

/** Without these the route would mean another thing. */
const UNABLE = ["encap", "vrf", "as"];

const PREFERENCES = ["low", "medium", "high"] as const;

/** As many as a line with hundreds of words could name. */
const MOST_PATHS = 64;

export function readRouteLines(lines: readonly Statement[], context: Context): RouteSettings[] {
  return lines.flatMap((line) => readRoute([line.keyword, ...line.args], context) ?? []);
}

interface RouteWords {
  kind: RouteSettings["kind"];
  destination?: Word;
  readonly values: Map<string, Word>;
  readonly alone: Set<string>;
  readonly metrics: Map<RouteMetric, Word>;
  readonly locked: RouteMetric[];
  /** One for each `nexthop`, and one for each `or`. */
  readonly paths: PathWords[];
}

interface PathWords {
  readonly values: Map<string, Word>;
  readonly alone: Set<string>;
}

function readRoute(words: readonly Word[], context: Context): RouteSettings | undefined {
  const { findings } = context;
  const read = sortWords(words, findings);
  if (read === undefined) return undefined;
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
  const { values, alone } = read;
  const source = values.get("src");
  return {
    family: target.family,
    kind: read.kind,
    destination: target.address,
    prefixLength: target.length,
    ...readPaths(read, findings),
    ...optional("source", source === undefined ? undefined : readAddress(source, "src", findings)),
    ...optional("table", readNamed(values.get("table"), TABLE, context)),
    ...optional("metric", readNumber(values.get("metric"), "metric", findings)),
    ...optional("scope", readNamed(values.get("scope"), SCOPE, context)),
    ...optional("protocol", readNamed(values.get("protocol"), PROTOCOL, context)),
    onLink: alone.has("onlink"),
    ...optional("typeOfService", readNamed(values.get("tos"), SERVICE, context)),
    ...optional("realms", readRealms(values.get("realms"), context)),
    ...optional("metrics", readMetrics(read.metrics, findings)),
    ...optional("lockedMetrics", read.locked.length === 0 ? undefined : read.locked),
    ...optional("congestionControl", values.get("congctl")?.text),
    ...optional("preference", readPreference(values.get("pref"), findings)),
    ...optional("expiresS", readNumber(values.get("expires"), "expires", findings)),
    ...optional("trackGroup", values.get("track_group")?.text),
    tracked: !alone.has("no_track"),
  };
}

export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function sortWords(words: readonly Word[], findings: Findings): RouteWords | undefined {
  const read: RouteWords = {
    kind: "unicast",
    values: new Map(),
    alone: new Set(),
    metrics: new Map(),
    locked: [],
    paths: [],
  };
  /** Where values go: the route, or since `nexthop` one of its paths. */
  let into: PathWords = read;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const { text } = word;
    const next = words[i + 1];
    const metric = metricNamed(text);
    const known = KINDS.find((name) => name === text);
    if (UNABLE.includes(text)) {
      findings.warn(
        word,
        `ignored: this whole route, because of '${text}'`,
        "add it with ip route",
      );
      return undefined;
    }
    if (WITH_VALUE[text] !== undefined && next !== undefined) {
      // `via inet6 fe80::1`: the address tells its family itself.
      if (["inet", "inet6"].includes(next.text)) i++;
      const value = words[++i];
      const at = OF_PATHS.includes(WITH_VALUE[text]) ? into : read;
      if (value !== undefined) at.values.set(WITH_VALUE[text], value);
    } else if (metric !== undefined && next !== undefined) {
      const locked = next.text === "lock";
      if (locked) read.locked.push(metric);
      i += locked ? 2 : 1;
      if (words[i] !== undefined) read.metrics.set(metric, words[i]!);
    } else if (text === "nexthop" || (text === "or" && next !== undefined)) {
      into = { values: new Map(), alone: new Set() };
      read.paths.push(into);
      if (text === "or") into.values.set("via", words[++i]!);
      if (text === "or") into = read;
    } else if (known !== undefined) read.kind = known;
    else if (ALONE.includes(text)) (text === "onlink" ? into : read).alone.add(text);
    else if (text === "to" && next !== undefined) read.destination = words[++i]!;
    else if (IGNORED[text] !== undefined) {
      i += IGNORED[text];
      findings.warn(word, `ignored: '${text}' in a route`, "Nines does not carry it out");
    } else if (read.destination === undefined) read.destination = word;
    else findings.error(word, `'${text}' is not an option of a route`, "see ip-route(8)");
  }
  return read;
}

/** `via A or B dev IF` is keepalived's old way to write two paths. */
function readPaths(
  read: RouteWords,
  findings: Findings,
): Pick<RouteSettings, "via" | "interface" | "paths"> {
  const first = readPath(read, findings);
  if (read.paths.length === 0) {
    return { ...optional("via", first.via), ...optional("interface", first.interface) };
  }
  if (read.paths.length > MOST_PATHS) {
    findings.error(read.destination!, `a route has at most ${MOST_PATHS} paths`);
  }
  const more = read.paths.map((path) => {
    const { interface: name, ...rest } = readPath(path, findings);
    return { ...rest, ...optional("interface", name ?? first.interface) };
  });
  return { paths: first.via === undefined ? more : [{ ...first, onLink: false }, ...more] };
}

function readPath({ values, alone }: PathWords, findings: Findings): RoutePath {
  const via = values.get("via");
  const weight = values.get("weight");
  const share = weight === undefined ? 1 : Number(weight.text);
  if (!(Number.isInteger(share) && share >= 1 && share <= 256)) {
    findings.error(weight!, `weight '${weight!.text}' is wrong`, "write 1 to 256");
  }
  return {
    ...optional("via", via === undefined ? undefined : readAddress(via, "via", findings)),
    ...optional("interface", values.get("dev")?.text),
    weight: share,
    onLink: alone.has("onlink"),
  };
}

function routeFamily(read: RouteWords): Family {
  if (read.alone.has("inet6")) return "ipv6";
  const from = [read, ...read.paths].map(({ values }) => values.get("via")?.text);
  const hint = from.find((text) => text !== undefined) ?? read.values.get("src")?.text ?? "";
  return familyOf(hint);
}

function readPreference(word: Word | undefined, findings: Findings): RouteSettings["preference"] {
  if (word === undefined) return undefined;
  const known = PREFERENCES.find((name) => name === word.text);
  if (known === undefined) {
    findings.error(word, `pref '${word.text}' is unknown`, `known: ${PREFERENCES.join(" ")}`);
  }
  return known;
}

/** `[FROM/]TO`. */
export function readRealms(word: Word | undefined, context: Context): number | undefined {
  if (word === undefined) return undefined;
  const [from, to] = word.text.includes("/") ? word.text.split("/") : ["0", word.text];
  const first = readNamed({ ...word, text: from! }, REALM, context);
  const second = readNamed({ ...word, text: to! }, REALM, context);
  return first === undefined || second === undefined ? undefined : first * 0x1_0000 + second;
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
