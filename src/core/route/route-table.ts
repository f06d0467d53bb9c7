/** Ordered rules: the first whose conditions all hold decides. Compiled once per configuration. */

import { isIpv6 } from "../../lib/ip-address.ts";
import { nameHash } from "../http/field-names.ts";
import { AddressSet } from "./address-set.ts";
import { expression, isAscii, lettersOf, octetText } from "./letters.ts";
import { rulePath, spelled } from "./normal-path.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { NamedMatch, RouteConditions, RouteSettings, TextMatch } from "./route-settings.ts";

/**
 * Letters that a pattern is looked for in: it bounds what a bad one can cost. A longer text is refused. Were it
 * cut, or no match, then length alone would decide which of `^/admin` and `/secret$` is passed.
 */
const MAX_PATTERN_TEXT = 4096;

/** The answer to a request with a text that is too long for a pattern. */
export type TooLong = 414 | 431;

/** Undefined = absent. */
type Test = (text: string | undefined) => boolean;

interface Condition {
  /** For explanations: `path prefix "/api"`. */
  readonly text: string;
  readonly holds: (facts: RequestFacts) => boolean;
  /** Where it does not hold, the request is refused: no rule is looked at any more. */
  readonly otherwise?: TooLong;
}

interface Rule {
  readonly route: RouteSettings;
  readonly conditions: readonly Condition[];
}

/** One rule and what became of it: `no: host is not one of a.example`. */
export interface RuleVerdict {
  readonly route: string;
  readonly matched: boolean;
  readonly reason: string;
}

export class RouteTable {
  readonly #rules: readonly Rule[];

  constructor(routes: readonly RouteSettings[]) {
    this.#rules = routes.map((route) => ({ route, conditions: conditionsOf(route.when) }));
  }

  /** Undefined: no rule holds. */
  match(facts: RequestFacts): RouteSettings | TooLong | undefined {
    for (const rule of this.#rules) {
      const failed = firstFailure(rule, facts);
      if (failed === undefined) return rule.route;
      if (failed.otherwise !== undefined) return failed.otherwise;
    }
    return undefined;
  }

  /** The same walk with a sentence for each rule, up to the one that decides. */
  explain(facts: RequestFacts): RuleVerdict[] {
    const verdicts: RuleVerdict[] = [];
    for (const rule of this.#rules) {
      const failed = firstFailure(rule, facts);
      const conditions = rule.conditions.filter(({ otherwise }) => otherwise === undefined);
      const all = conditions.map((condition) => condition.text).join(", ");
      const reason =
        failed === undefined ? (all === "" ? "takes everything" : all) : `not: ${failed.text}`;
      verdicts.push({ route: rule.route.name, matched: failed === undefined, reason });
      if (failed === undefined || failed.otherwise !== undefined) break;
    }
    return verdicts;
  }
}

function firstFailure(rule: Rule, facts: RequestFacts): Condition | undefined {
  for (const condition of rule.conditions) if (!condition.holds(facts)) return condition;
  return undefined;
}

function conditionsOf(when: RouteConditions): Condition[] {
  const {
    hosts,
    paths,
    methods,
    headers = [],
    cookies = [],
    query = [],
    sources,
    hasCertificate,
  } = when;
  const conditions: Condition[] = [];
  if (methods !== undefined) {
    const wanted = new Set(methods);
    const holds = (facts: RequestFacts): boolean => wanted.has(facts.head.methodText());
    conditions.push({ text: `method ${methods.join(" or ")}`, holds });
  }
  if (hosts !== undefined) {
    const holds = hostTest(hosts);
    conditions.push({ text: `host ${hosts.join(" or ")}`, holds: (facts) => holds(facts.host) });
  }
  if (paths !== undefined) {
    const isPattern = ({ kind }: TextMatch): boolean => kind === "regex";
    const isLike = anyOf(paths.filter(isPattern));
    const isPlain = anyOf(paths.filter((path) => !isPattern(path)));
    // What a plain one takes is not looked at by patterns, so it may have any length.
    const isLong = ({ rulePath: path }: RequestFacts): boolean => !isPlain(path) && isTooLong(path);
    const text = `path ${paths.map((path) => wordsOf(path)).join(" or ")}`;
    conditions.push(...readable("path", paths, 414, isLong), {
      text,
      holds: (facts) => isPlain(facts.rulePath) || isLike(facts.rulePath),
    });
  }
  if (sources !== undefined) {
    const set = new AddressSet(sources);
    const text = `source in ${sources.join(", ")}`;
    conditions.push({ text, holds: (facts) => set.has(facts.source) });
  }
  if (hasCertificate !== undefined) {
    const text = hasCertificate ? "a client certificate" : "no client certificate";
    const holds = (facts: RequestFacts): boolean =>
      (facts.clientSubject !== undefined) === hasCertificate;
    conditions.push({ text, holds });
  }
  conditions.push(...named(headers, HEADER), ...named(cookies, COOKIE), ...named(query, QUERY));
  return conditions;
}

/** What has a name in a request. Servers differ about which of several counts: none of them must pass unseen. */
interface NamedKind {
  readonly what: string;
  readonly otherwise: TooLong;
  /** Whether the test holds for one of its values, or for undefined where there is none. */
  readonly any: (facts: RequestFacts, name: string, test: Test) => boolean;
  readonly spell?: Spell;
}

const HEADER: NamedKind = {
  what: "header",
  otherwise: 431,
  any: ({ head }, name, test) => {
    const lower = name.toLowerCase();
    const hash = nameHash(lower);
    let i = head.next(hash, lower, 0);
    if (i < 0) return test(undefined);
    while (i >= 0 && !test(head.valueText(i))) i = head.next(hash, lower, i + 1);
    return i >= 0;
  },
  spell: octetText,
};
const COOKIE: NamedKind = {
  what: "cookie",
  otherwise: 431,
  any: (facts, name, test) => anyValue(facts.cookies.get(name), test),
  spell: octetText,
};
/** Read as letters already. */
const QUERY: NamedKind = {
  what: "query",
  otherwise: 414,
  any: (facts, name, test) => anyValue(facts.query.get(name), test),
};

function anyValue(values: readonly string[] | undefined, test: Test): boolean {
  return values === undefined ? test(undefined) : values.some(test);
}

function named(
  matches: readonly NamedMatch[],
  { what, otherwise, any, spell }: NamedKind,
): Condition[] {
  return matches.flatMap(({ name, match }) => {
    const test = testOf(match, spell);
    const text = `${what} ${name} ${wordsOf(match)}`;
    const holds = (facts: RequestFacts): boolean => any(facts, name, test);
    const isLong = (facts: RequestFacts): boolean => any(facts, name, isTooLong);
    return [...readable(`${what} ${name}`, [match], otherwise, isLong), { text, holds }];
  });
}

function isTooLong(text: string | undefined): boolean {
  return (text?.length ?? 0) > MAX_PATTERN_TEXT;
}

/** In front of a condition that looks for a pattern. */
function readable(
  what: string,
  matches: readonly TextMatch[],
  otherwise: TooLong,
  isLong: (facts: RequestFacts) => boolean,
): Condition[] {
  if (!matches.some(({ kind }) => kind === "regex")) return [];
  const holds = (facts: RequestFacts): boolean => !isLong(facts);
  return [{ text: `${what} of at most ${MAX_PATTERN_TEXT} letters`, holds, otherwise }];
}

function hostTest(hosts: readonly string[]): (host: string) => boolean {
  const names = hosts.filter((host) => !host.startsWith("*."));
  const exact = new Set(names.map((name) => (isIpv6(name) ? `[${name}]` : name)));
  const endings = hosts.filter((host) => host.startsWith("*.")).map((host) => host.slice(1));
  return (host) =>
    exact.has(host) || endings.some((end) => host.length > end.length && host.endsWith(end));
}

/** How a text of the configuration looks in a request. */
type Spell = (text: string) => string;

const asPath: Spell = (text) => rulePath(spelled(text));

function anyOf(paths: readonly TextMatch[]): Test {
  const tests = paths.map((path) => testOf(path, asPath));
  return (path) => tests.some((test) => test(path));
}

/** Without `spell` the texts of requests are read as letters before. */
function testOf(match: TextMatch, spell?: Spell): Test {
  switch (match.kind) {
    case "exact": {
      const value = spell?.(match.value) ?? match.value;
      return (text) => text === value;
    }
    case "prefix": {
      const value = spell?.(match.value) ?? match.value;
      return (text) => text !== undefined && text.startsWith(value);
    }
    case "regex": {
      const pattern = expression(match.pattern);
      if (spell === undefined || isAscii(match.pattern)) {
        return (text) => text !== undefined && pattern.test(text);
      }
      return (text) => text !== undefined && pattern.test(lettersOf(text));
    }
    case "present":
      return (text) => text !== undefined;
    case "absent":
      return (text) => text === undefined;
  }
}

function wordsOf(match: TextMatch): string {
  switch (match.kind) {
    case "exact":
      return `"${match.value}"`;
    case "prefix":
      return `prefix "${match.value}"`;
    case "regex":
      return `like /${match.pattern}/`;
    default:
      return match.kind;
  }
}
