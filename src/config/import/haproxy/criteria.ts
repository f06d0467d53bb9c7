/** One criterion of an ACL: a fetch, flags, values. Source: configuration manual, section 7. */

import type { Term } from "../conditions.ts";
import { ecmascript, literal } from "../expressions.ts";
import type { AclContext } from "./acls.ts";
import { keysLeadingTo, type Mapped, mappedSample, readEntries } from "./maps.ts";

interface Flags {
  ignoreCase: boolean;
  /** `beg`, `end`, `reg` …; empty: the fetch tells. */
  how: string;
}

/** Undefined: routes have no such condition. */
export function criterion(words: readonly string[], context: AclContext): Term {
  const [whole = "", ...rest] = words;
  const mapped = mappedSample(whole);
  if (mapped !== undefined) return mappedCriterion(mapped, rest, context);
  const fetch = whole.replace(/,lower$|,field\(1,:\)/gu, "");
  const flags: Flags = { ignoreCase: whole.endsWith(",lower"), how: "" };
  const listed: string[] = [];
  let i = 0;
  for (; i < rest.length && rest[i]!.startsWith("-"); i++) {
    if (rest[i] === "-i") flags.ignoreCase = true;
    else if (rest[i] === "-m") flags.how = rest[++i] ?? "";
    else if (rest[i] === "-f") {
      const found = context.readFile(rest[++i] ?? "");
      if (found === undefined) return undefined;
      listed.push(...patternsIn(found));
      if (listed.length > MOST_PATTERNS) return undefined;
      if (listed.length === 0) return "false";
    } else if (rest[i] === "--") {
      i++;
      break;
    } else return undefined;
  }
  const values = [...listed, ...rest.slice(i)];
  return staticCriterion(fetch, values, context) ?? requestCriterion(fetch, values, flags);
}

/** What the map says is there, or is one of these values. */
function mappedCriterion(mapped: Mapped, rest: readonly string[], context: AclContext): Term {
  const text = context.readFile(mapped.path);
  const isFound = rest.join(" ") === "-m found";
  const start =
    /^(?:-m (?:str|int) |eq |-- )/u.exec(`${rest.join(" ")} `)?.[0].split(" ").length ?? 1;
  const values = rest.slice(start - 1).filter((word) => word !== "--");
  if (text === undefined || (!isFound && values.length === 0)) return undefined;
  if (!isFound && values.some((value) => value.startsWith("-"))) return undefined;
  const entries = readEntries(mapped.path, text);
  if (entries.length > MOST_PATTERNS) return undefined;
  if (isFound && entries.length === 0 && mapped.otherwise === undefined) return "false";
  const keys = keysLeadingTo(entries, mapped, isFound ? "found" : values);
  return keys === "always" ? "true" : keys && criterion(keys, context);
}

/** Of a file: more than that is data, not configuration. */
const MOST_PATTERNS = 2000;

/** One in each line, but for empty ones and comments. */
function patternsIn(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const pattern = line.trim();
    return pattern === "" || pattern.startsWith("#") ? [] : [pattern];
  });
}

/** Of logins and certificates: who is not known to have one has none. */
export const PROOFS = /^(?:http_auth(?:_group)?\(|ssl_c_used$|ssl_c_verify$|ssl_fc_has_crt$)/u;

/** A certificate that is not good ends the handshake, so nobody has one. */
function proofTerm(fetch: string, values: readonly string[], { certificates }: AclContext): Term {
  if (fetch.startsWith("http_") || certificates === "none") return "false";
  if (fetch === "ssl_c_verify") return values.join(" ") === "0" ? "true" : "false";
  return certificates === "all" ? "true" : { client_certificate: true };
}

/** What the frontend itself decides. */
function staticCriterion(fetch: string, values: readonly string[], context: AclContext): Term {
  if (fetch === "ssl_fc") return context.tls ? "true" : "false";
  if (fetch === "always_true") return "true";
  if (fetch === "always_false") return "false";
  if (PROOFS.test(fetch)) return proofTerm(fetch, values, context);
  if (fetch !== "dst_port") return undefined;
  const wanted = values.filter((value) => value !== "eq").map(Number);
  if (wanted.some(Number.isNaN)) return undefined;
  const among = context.ports.filter((port) => wanted.includes(port)).length;
  return among === 0 ? "false" : among === context.ports.length ? "true" : undefined;
}

function requestCriterion(fetch: string, values: readonly string[], flags: Flags): Term {
  if (fetch === "src") return values.length === 0 ? undefined : { source: values.map(withPrefix) };
  if (fetch === "method") return methodTerm(values);
  if (/^base(?:_beg)?$/u.test(fetch))
    return baseTerm(values, fetch === "base" ? flags : { ...flags, how: "beg" });
  if (fetch === "ssl_fc_sni") return hostTerm(values, flags.how === "" ? "str" : flags.how);
  const path = /^(path|url)(?:_(beg|end|reg|sub|dir))?$/u.exec(fetch);
  if (path !== null) {
    const how = path[2] ?? (flags.how === "" ? "str" : flags.how);
    // The url has the query, too: only its beginning is that of the path.
    const isOfPath = how === "beg" && values.every((value) => !value.includes("?"));
    if (path[1] === "url" && !isOfPath) return undefined;
    const matches = values.map((value) => pathText(value, how, flags.ignoreCase));
    return matches.includes(undefined) || matches.length === 0 ? undefined : { path: matches };
  }
  return namedCriterion(fetch, values, flags);
}

/** HAProxy compares them as they stand: `get` is not the GET that clients send. */
function methodTerm(values: readonly string[]): Term {
  const method = values.filter((value) => value === value.toUpperCase());
  return method.length === 0 ? "false" : { method };
}

/** Host and path in one: of one host, and not of the beginning of its name. */
function baseTerm(values: readonly string[], { how, ignoreCase }: Flags): Term {
  const parts = values.map((value) => /^([^/:]+)(\/.*)$/u.exec(value));
  const hosts = new Set(parts.map((part) => part?.[1]?.toLowerCase()));
  if (hosts.size !== 1 || parts.includes(null)) return undefined;
  const path = parts.map((part) => pathText(part![2]!, how === "" ? "str" : how, ignoreCase));
  const isSaid = ["", "str", "beg"].includes(how) && !path.includes(undefined);
  return isSaid ? { host: [...hosts], path } : undefined;
}

/** `10.0.0.0/255.0.0.0` with the length of its prefix. */
function withPrefix(source: string): string {
  const [, address, mask] = /^(.*)\/(\d+\.\d+\.\d+\.\d+)$/u.exec(source) ?? [];
  if (mask === undefined) return source;
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  return /^1*0*$/u.test(bits) ? `${address}/${bits.replace(/0+$/u, "").length}` : source;
}

/** How a path of a route is written in short: `/x`, `/x*`, `~ expression`. */
function pathText(value: string, how: string, ignoreCase: boolean): string | undefined {
  const isPlain = !ignoreCase && !/^~|[*]$/u.test(value);
  if (how === "str" && isPlain) return value;
  if (how === "beg" && isPlain) return `${value}*`;
  const expression = expressionOf(value, how);
  if (expression === undefined) return undefined;
  return `~ ${ignoreCase ? `(?i:${expression})` : expression}`;
}

/** Where a text begins and ends. */
const WHOLE = { from: "^", to: "$" };
/** To `hdr` each value is a list, and it looks at each thing of it. */
const AMONG_OTHERS = { from: "(?:^|,)\\s*", to: "\\s*(?:,|$)" };

function expressionOf(value: string, how: string, { from, to } = WHOLE): string | undefined {
  const plain = literal(value);
  switch (how) {
    case "str":
      return `${from}${plain}${to}`;
    case "beg":
      return `${from}${plain}`;
    case "end":
      return `${plain}${to}`;
    case "sub":
      return plain;
    case "dir":
      return `(${from}|/)${plain.replace(/^\/|\/$/gu, "")}(/|${to})`;
    case "dom":
      return `(${from}|[/?.:])${plain}([/?.:]|${to})`;
    case "reg":
      return ecmascript(value);
    default:
      return undefined;
  }
}

const SECTIONS: Readonly<Record<string, string>> = {
  cook: "cookies",
  fhdr: "headers",
  hdr: "headers",
  url_param: "query",
  urlp: "query",
};

const NAMED =
  /^(?:req\.)?(cook|hdr|fhdr|urlp|url_param)(?:_(beg|end|reg|sub|dom|dir|cnt))?\(([^),]+)[^)]*\)$/u;

function namedCriterion(fetch: string, values: readonly string[], flags: Flags): Term {
  const [, what, suffix, name] = NAMED.exec(fetch) ?? [];
  if (what === undefined || name === undefined) return undefined;
  const section = SECTIONS[what]!;
  if (suffix === "cnt") return countTerm(section, name, values);
  const how = suffix ?? (flags.how === "" ? "str" : flags.how);
  if (how === "found") return { [section]: { [name]: "*" } };
  if (values.length === 0) return undefined;
  if (section === "headers" && name.toLowerCase() === "host") {
    const host = hostTerm(values, how);
    if (host !== undefined) return host;
  }
  const ignoreCase = flags.ignoreCase || name.toLowerCase() === "host";
  const isList = what === "hdr" && name.toLowerCase() !== "host";
  if (how === "str" && values.length === 1 && !ignoreCase && !isList) {
    return { [section]: { [name]: { exact: values[0] } } };
  }
  const ends = isList ? AMONG_OTHERS : WHOLE;
  const expressions = values.map((value) => expressionOf(value, how, ends));
  if (expressions.includes(undefined)) return undefined;
  const all = expressions.length === 1 ? expressions[0]! : `(?:${expressions.join("|")})`;
  return { [section]: { [name]: { regex: ignoreCase ? `(?i:${all})` : all } } };
}

/** `gt 0` is there, `eq 0` is not. */
function countTerm(section: string, name: string, values: readonly string[]): Term {
  const text = values.join(" ");
  if (["gt 0", "ge 1"].includes(text)) return { [section]: { [name]: "*" } };
  return ["eq 0", "0", "lt 1"].includes(text) ? { [section]: { [name]: false } } : undefined;
}

/** Hosts of routes are names without port, or `*.name`. Undefined: the port counts, or the name is none. */
function hostTerm(values: readonly string[], how: string): Term {
  const names = values.map((value) => value.toLowerCase());
  const hosts = names.map((name) => {
    if (how === "end") return /^\.[^:]*$/u.test(name) ? `*${name}` : undefined;
    const host = name.replace(/:\d+$/u, "");
    return how === "str" && names.includes(host) ? host : undefined;
  });
  return hosts.includes(undefined) ? undefined : { host: [...new Set(hosts)] };
}
