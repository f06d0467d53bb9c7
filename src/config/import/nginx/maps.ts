/**
 * `map $host $backend { … }` and `geo $inside { … }` where its variable is used: one variant of the line for each value, in the order in
 * which nginx finds the keys. Source: nginx, ngx_http_map_module, ngx_http_geo_module.
 */

import type { Condition, Term } from "../conditions.ts";
import { ecmascript, literal } from "../expressions.ts";
import { parseIp } from "../../../lib/ip-address.ts";
import { termsOf } from "./conditions-of-if.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";

/** What the variable is when the condition holds and none before it did. */
export interface MapChoice {
  readonly when: Condition;
  readonly value: string;
}

export interface NginxMap {
  readonly directive: Directive;
  /** Undefined: routes have no such conditions. The last one always holds. */
  readonly choices: readonly MapChoice[] | undefined;
}

/** By the name of the variable that they make. `tls`: of the frontend that asks. */
export function mapsOf(http: Scope, tls: boolean): Map<string, NginxMap> {
  const maps = new Map<string, NginxMap>();
  for (const directive of http.own) {
    if (directive.name === "geo") {
      maps.set(directive.args.at(-1)!, { directive, choices: choicesOfGeo(directive) });
    }
    const [source = "", variable = ""] = directive.args;
    // Upgrades are told apart by everybody, and passed on by themselves.
    if (directive.name !== "map" || source === "$http_upgrade") continue;
    maps.set(variable, { directive, choices: choicesOf(directive, tls) });
  }
  return maps;
}

/** The smallest network counts. */
function choicesOfGeo({ args, block = [] }: Directive): MapChoice[] | undefined {
  if (args.length > 1 && args[0] !== "$remote_addr") return undefined;
  const networks = block.filter(({ name }) => name !== "default");
  if (networks.some(({ name }) => parseIp(name.split("/")[0]!) === undefined)) return undefined;
  const bits = ({ name }: Directive): number =>
    Number(name.split("/")[1] ?? (name.includes(":") ? 128 : 32));
  const choices = networks
    .toSorted((a, b) => bits(b) - bits(a))
    .map(({ name, args: [value = ""] }) => ({ when: { source: [name] }, value }));
  const otherwise = block.find(({ name }) => name === "default")?.args[0] ?? "";
  return [...choices, { when: {}, value: otherwise }];
}

interface Key {
  readonly text: string;
  readonly value: string;
  readonly term: Term;
  /** The smaller, the earlier. */
  readonly rank: number;
}

/** Exact ones, masks with the asterisk in front (the longest first), those with it at the end, expressions. */
function choicesOf({ args, block = [] }: Directive, tls: boolean): MapChoice[] | undefined {
  const source = /^\$(\w+)$/u.exec(args[0] ?? "")?.[1];
  if (source === undefined) return undefined;
  const hasMasks = block.some(({ name }) => name === "hostnames");
  let otherwise = "";
  const keys: Key[] = [];
  for (const { name, args: values } of block) {
    const value = values[0] ?? "";
    if (name === "hostnames" || name === "volatile") continue;
    if (name === "default") otherwise = value;
    else {
      const { terms, rank } = termsOfKey(source, name, { hasMasks, tls });
      keys.push(...terms.map((term) => ({ text: name, value, term, rank })));
    }
  }
  if (keys.some(({ term }) => term === undefined)) return undefined;
  keys.sort((a, b) => a.rank - b.rank || (a.rank < 3 ? b.text.length - a.text.length : 0));
  const choices: MapChoice[] = [];
  for (const { term, value } of keys) {
    if (term === "false") continue;
    const last = choices.at(-1);
    const hosts = [last?.when, term].map((one) => (one as Condition | undefined)?.["host"]);
    const isAlike = last?.value === value && hosts.every((list) => Array.isArray(list));
    if (isAlike) choices[choices.length - 1] = { value, when: { host: hosts.flat() } };
    else choices.push({ value, when: term === "true" ? {} : (term as Condition) });
  }
  return [...choices, { when: {}, value: otherwise }];
}

function termsOfKey(
  source: string,
  key: string,
  { hasMasks, tls }: { readonly hasMasks: boolean; readonly tls: boolean },
): { readonly terms: readonly Term[]; readonly rank: number } {
  const isNamed = /^(?:arg|cookie|http)_/u.test(source) && source !== "http_host";
  if (key.startsWith("~")) {
    const how = key.startsWith("~*") ? "~*" : "~";
    const pattern = key.slice(how.length);
    // nginx holds no expression of a map against an empty text.
    const some = isNamed && findsNothing(pattern) ? `^(?=[^])[^]*?(?:${pattern})` : pattern;
    return { terms: termsOf(source, how, some, tls), rank: 3 };
  }
  const text = key.replace(/^\\/u, "");
  const isHost = source === "host" || source === "http_host";
  if (hasMasks && isHost && /^\*?\./u.test(text)) {
    const host = [
      ...(text.startsWith(".") ? [text.slice(1)] : []),
      `*.${text.replace(/^\*?\./u, "")}`,
    ];
    return { terms: [{ host }], rank: 1 };
  }
  if (hasMasks && isHost && text.endsWith(".*")) {
    const regex = `(?i:^${literal(text.slice(0, -1))})`;
    return { terms: [{ headers: { Host: { regex } } }], rank: 2 };
  }
  // Texts are compared without regard to case there.
  const terms = isNamed
    ? termsOf(source, "~*", `^${literal(text)}$`, tls)
    : termsOf(source, "=", text, tls);
  return { terms, rank: 0 };
}

function findsNothing(pattern: string): boolean {
  const regex = ecmascript(pattern);
  return regex !== undefined && new RegExp(regex, "u").test("");
}

/** The map whose variable these words have; of several the first. */
export function mapIn(
  words: readonly string[],
  maps: ReadonlyMap<string, NginxMap>,
): readonly [variable: string, map: NginxMap] | undefined {
  for (const [, name] of words.join(" ").matchAll(/\$\{?(\w+)/gu)) {
    const map = maps.get(`$${name}`);
    if (map !== undefined) return [`$${name}`, map];
  }
  return undefined;
}

/** The line with that value in place of the variable. */
export function withValue(line: Directive, variable: string, value: string): Directive {
  const name = variable.slice(1);
  const pattern = new RegExp(`\\$(?:\\{${name}\\}|${name}\\b)`, "gu");
  return { ...line, args: line.args.map((arg) => arg.replace(pattern, () => value)) };
}
