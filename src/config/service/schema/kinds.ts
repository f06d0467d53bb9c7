/**
 * Kinds of text that mean more than text: durations, sizes, addresses. Each knows how it is
 * written, how to convert it and what to say when it is wrong.
 */

import { VARIABLE_NAMES } from "../../../core/route/template.ts";
import type { HashKey, ServerEndpoint } from "../../../core/balance/pool-settings.ts";
import type { StatusRange } from "../../../core/check/check-settings.ts";
import type { Bind } from "../../../core/proxy/frontend-settings.ts";
import type { RateLimit } from "../../../core/route/route-settings.ts";
import { canonicalIp, isIpv6 } from "../../../lib/ip-address.ts";

/** What a text became, or why it could not. */
export type Converted<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly next: string };

export interface Kind {
  /** For people: `a duration such as 250ms, 1s or 5m`. */
  readonly what: string;
  /** For editors: ECMAScript, whole text. */
  readonly pattern?: string;
  /** `limits`: in the unit of the result. */
  readonly convert: (text: string, limits: Limits) => Converted;
}

/** Both ends included, in the unit of the result (milliseconds, bytes). */
export interface Limits {
  readonly min?: number;
  readonly max?: number;
}

function good<T>(value: T): Converted<T> {
  return { ok: true, value };
}

function bad(reason: string, next: string): Converted<never> {
  return { ok: false, reason, next };
}

const MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `250ms`, `1.5s`, `1h30m`; undefined: it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d))+$/u.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/gu)) {
    ms += Number(number) * MS[unit!]!;
  }
  return Math.round(ms * 1000) / 1000;
}

/** As short as it can be said: `1s`, `1500ms`, `2m`. The reverse of `parseDuration`. */
export function durationText(ms: number): string {
  if (ms === 0) return "0";
  if (!Number.isInteger(ms)) return `${Math.round(ms * 1000)}us`;
  const unit = (["d", "h", "m", "s"] as const).find((u) => Number.isInteger(ms / MS[u]!)) ?? "ms";
  return `${ms / MS[unit]!}${unit}`;
}

function convertDuration(text: string, limits: Limits): Converted<number> {
  const ms = parseDuration(text);
  if (ms === undefined) {
    const bare = /^\d+(\.\d+)?$/u.test(text);
    if (bare) return bad(`'${text}' has no unit`, `write ${text}s for seconds or ${text}ms`);
    return bad(`'${text}' is not a duration`, "write 250ms, 1s, 5m or 2h");
  }
  return inLimits(ms, limits, { text, show: durationText });
}

const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

function convertSize(text: string, limits: Limits): Converted<number> {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/u.exec(text) ?? [];
  const factor = BYTES[unit ?? "?"];
  if (number === undefined || factor === undefined) {
    return bad(`'${text}' is not a size`, "write 512, 16KiB, 1MiB or 10MB");
  }
  return inLimits(Math.round(Number(number) * factor), limits, { text, show: sizeText });
}

export function sizeText(bytes: number): string {
  if (bytes === 0) return "0";
  const unit =
    (["GiB", "MiB", "KiB"] as const).find((u) => Number.isInteger(bytes / BYTES[u]!)) ?? "";
  return `${bytes / BYTES[unit]!}${unit}`;
}

function inLimits(
  value: number,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Limits,
  { text, show }: { readonly text: string; readonly show: (value: number) => string },
): Converted<number> {
  if (value >= min && value <= max) return good(value);
  const range =
    max === Number.MAX_SAFE_INTEGER ? `${show(min)} or more` : `${show(min)} to ${show(max)}`;
  return bad(`${text} is out of range`, `write ${range}`);
}

function convertIp(text: string): Converted<string> {
  const address = canonicalIp(text);
  if (address !== undefined) return good(address);
  return bad(`'${text}' is not an IP address`, "write an address such as 192.0.2.1 or 2001:db8::1");
}

/** `10.0.0.0/8`, or one address. */
function convertPrefix(text: string): Converted<string> {
  const [ip = "", length, more] = text.split("/");
  const address = canonicalIp(ip);
  if (address === undefined || more !== undefined) {
    return bad(`'${text}' is not an address or prefix`, "write 10.0.0.0/8 or 2001:db8::/32");
  }
  if (length === undefined) return good(address);
  const most = isIpv6(address) ? 128 : 32;
  if (/^\d+$/u.test(length) && Number(length) <= most) return good(`${address}/${Number(length)}`);
  return bad(`the prefix length in '${text}' is wrong`, `write /0 to /${most}`);
}

function convertRegex(text: string): Converted<string> {
  try {
    return good(new RegExp(text, "u").source);
  } catch (error) {
    const why = (error as Error).message.replace(/^Invalid regular expression: /u, "");
    return bad(`the expression is wrong: ${why}`, "it is ECMAScript's, with the flag u");
  }
}

function convertHex(text: string): Converted<Uint8Array> {
  const digits = text.replace(/^0x/iu, "").replace(/[\s:]/gu, "");
  if (/^([\da-fA-F]{2})*$/u.test(digits)) return good(new Uint8Array(Buffer.from(digits, "hex")));
  return bad(`'${text}' is not hexadecimal`, "two digits 0-9a-f a byte");
}

/** Names are spoken, typed into commands and shown in tables. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@[\]/-]*$/u;

function convertName(text: string): Converted<string> {
  if (NAME.test(text) && text.length <= 128) return good(text);
  return bad(`'${text}' cannot be a name`, "letters, digits and _ . : @ - / only, up to 128");
}

/** RFC 9110 5.6.2 token. */
function convertToken(text: string): Converted<string> {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u.test(text)) return good(text);
  return bad(`'${text}' is not one word`, "letters, digits and - only, e.g. X-User or GET");
}

function orNothing(convert: (text: string) => Converted<string>): Kind["convert"] {
  return (text) => (text === "" ? good(text) : convert(text));
}

/** Header values: no control characters (RFC 9110 5.5). */
function convertFieldValue(text: string): Converted<string> {
  if (/^[\t\u0020-\u007E\u0080-\u{10FFFF}]*$/u.test(text)) return good(text);
  return bad("a header value cannot hold line ends or control characters", "write it on one line");
}

/** A header value or address with variables of the request in it. */
function convertTemplate(text: string): Converted<string> {
  const unknown = [...text.matchAll(/\$\{([^}]*)\}/gu)].find(
    ([, name = ""]) => !VARIABLE_NAMES.includes(name),
  );
  if (unknown === undefined) return convertFieldValue(text);
  const known = VARIABLE_NAMES.map((name) => `\${${name}}`).join(" ");
  return bad(`there is no variable ${unknown[0]}`, `there are ${known}`);
}

function convertPath(text: string): Converted<string> {
  if (/^\/[^\s#?]*(\?[^\s#]*)?$/u.test(text)) return good(text);
  return bad(`'${text}' is not a path`, "it starts with / and has no spaces, e.g. /health");
}

function convertHost(text: string): Converted<string> {
  const host = text.toLowerCase();
  if (
    /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/u.test(host)
  ) {
    return good(host);
  }
  const ip = canonicalIp(host.replace(/^\[(.*)\]$/u, "$1"));
  if (ip !== undefined) return good(ip);
  return bad(
    `'${text}' is not a host name`,
    "write www.example.com or *.example.com, without port",
  );
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`, `www1:80`, `unix:/run/x.sock`; port 0: none was given. */
export function parseEndpoint(text: string): ServerEndpoint | undefined {
  const path = /^unix:(\/\S+)$/u.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const whole = canonicalIp(text);
  if (whole !== undefined) return { kind: "ip", address: whole, port: 0 };
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/u.exec(text) ?? [];
  const port = digits === undefined ? 0 : Number(digits);
  const host = bracketed ?? plain;
  if (host === undefined || port > 65535 || (digits !== undefined && port === 0)) return undefined;
  const address = canonicalIp(host);
  if (address !== undefined) return { kind: "ip", address, port };
  const looksLikeName = /^(?=.*[A-Za-z])[\w-]+(\.[\w-]+)*$/u.test(host);
  if (bracketed !== undefined || !looksLikeName) return undefined;
  return { kind: "name", host: host.toLowerCase(), port };
}

export function endpointText(endpoint: ServerEndpoint | Bind): string {
  if (endpoint.kind === "unix") return `unix:${endpoint.path}`;
  const host = endpoint.kind === "name" ? endpoint.host : endpoint.address;
  return `${host.includes(":") ? `[${host}]` : host}${endpoint.port === 0 ? "" : `:${endpoint.port}`}`;
}

function convertEndpoint(text: string): Converted<ServerEndpoint> {
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined) return good(endpoint);
  const next = "write 10.0.0.1:8080, [2001:db8::1]:80, name:80 or unix:/path";
  return bad(`'${text}' is not the address of a server`, next);
}

/** `:80` and `*:80` take IPv4 and IPv6. */
function convertBind(text: string): Converted<Bind> {
  const next = "write :80, 10.0.0.100:443, [2001:db8::1]:80 or unix:/path";
  const wide = /^(?:\*?:)?(\d{1,5})$/u.exec(text)?.[1];
  const endpoint = parseEndpoint(wide === undefined ? text : `[::]:${wide}`);
  if (endpoint?.kind === "unix") return good({ ...endpoint, mode: 0o666 });
  if (endpoint?.kind === "ip" && endpoint.port > 0) return good(endpoint);
  if (endpoint?.kind === "ip") return bad(`'${text}' has no port`, next);
  if (endpoint !== undefined) return bad(`'${text}' is a name`, "write the address itself");
  return bad(`'${text}' is nothing to listen on`, next);
}

function convertMode(text: string): Converted<number> {
  if (/^0?[0-7]{3}$/u.test(text)) return good(Number.parseInt(text, 8));
  return bad(`'${text}' is not a file mode`, "write 660 or 666");
}

/** Of `source/64`: addresses of IPv4, which are shorter, count as a whole. */
function prefixOf(text: string): number | undefined {
  const bits = Number(/^source\/(\d{1,3})$/u.exec(text)?.[1]);
  return bits >= 1 && bits <= 128 ? bits : undefined;
}

function convertHashKey(text: string): Converted<HashKey> {
  if (text === "source") return good({ of: "source" });
  const prefix = prefixOf(text);
  if (prefix !== undefined) return good({ of: "source", prefix });
  if (text === "path" || text === "uri") return good({ of: "uri", withQuery: text === "uri" });
  const [, of, name] = /^(header|cookie|query):(.+)$/u.exec(text) ?? [];
  if (name !== undefined) return good({ of: of as "header" | "cookie" | "query", name });
  const next = "write source, source/24, path, uri, header:NAME, cookie:NAME or query:NAME";
  return bad(`'${text}' cannot be hashed`, next);
}

function convertRateKey(text: string): Converted<RateLimit["per"]> {
  if (text === "source" || text === "route") return good(text);
  const prefix = prefixOf(text);
  if (prefix !== undefined) return good({ prefix });
  const header = /^header:(.+)$/u.exec(text)?.[1];
  if (header !== undefined) return good({ header: header.toLowerCase() });
  return bad(`'${text}' cannot be limited`, "write source, source/64, route or header:NAME");
}

const PER_SECOND: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Per second. */
function convertRate(text: string): Converted<number> {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\/([smh])$/u.exec(text) ?? [];
  const rate = Number(count) / PER_SECOND[unit ?? "s"]!;
  if (unit !== undefined && rate > 0) return good(rate);
  return bad(`'${text}' is not a rate`, "write 100/s, 30/m or 5/h");
}

/** `200`, `200-399`. */
function convertStatus(text: string): Converted<StatusRange> {
  const [, low, high = low] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/u.exec(text) ?? [];
  const range = { from: Number(low), to: Number(high) };
  if (low !== undefined && range.from <= range.to) return good(range);
  return bad(`'${text}' is not a status`, "write 200 or 200-399");
}

/** An instant with its offset, so that it means the same on every machine. */
function convertTime(text: string): Converted<number> {
  const form = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/u;
  const ms = form.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(ms)) return good(ms);
  return bad(`'${text}' is not a time with its offset`, "write 2026-11-22T02:00:00+01:00 or …Z");
}

function convertUrl(text: string): Converted<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return good(url.href);
  return bad(`'${text}' is not a URL`, "write https://HOST/PATH");
}

const ANY: Kind["convert"] = (text) => good(text);

export const KINDS = {
  duration: {
    what: "a duration such as 250ms, 1s or 5m",
    pattern: "^(0|(\\d+(\\.\\d+)?(us|ms|s|m|h|d))+)$",
    convert: convertDuration,
  },
  size: {
    what: "a size such as 512, 16KiB or 1MB",
    pattern: "^\\d+(\\.\\d+)?\\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?$",
    convert: convertSize,
  },
  ip: { what: "an IP address", convert: convertIp },
  prefix: { what: "an IP address or prefix such as 10.0.0.0/8", convert: convertPrefix },
  regex: { what: "a regular expression", convert: convertRegex },
  hex: { what: "bytes in hexadecimal", convert: convertHex },
  name: { what: "a name", convert: convertName },
  token: { what: "a word such as X-User or GET", convert: convertToken },
  field: { what: "a text on one line", convert: convertFieldValue },
  template: { what: "a text with variables such as ${host}", convert: convertTemplate },
  fieldName: { what: "the name of a header, or nothing", convert: orNothing(convertToken) },
  ownPath: { what: "a path such as /healthz, or nothing", convert: orNothing(convertPath) },
  path: { what: "a path such as /health", pattern: "^/\\S*$", convert: convertPath },
  host: { what: "a host name", convert: convertHost },
  endpoint: { what: "ADDRESS:PORT or unix:PATH", convert: convertEndpoint },
  bind: { what: ":PORT, ADDRESS:PORT or unix:PATH", convert: convertBind },
  mode: { what: "a file mode such as 660", pattern: "^0?[0-7]{3}$", convert: convertMode },
  hashKey: {
    what: "source, source/24 (one key for a network), path, uri, header:NAME, cookie:NAME or query:NAME",
    pattern: "^(source(/\\d{1,3})?|path|uri|(header|cookie|query):.+)$",
    convert: convertHashKey,
  },
  rateKey: {
    what: "source, source/64 (one limit for a network), route or header:NAME",
    pattern: "^(source(/\\d{1,3})?|route|header:.+)$",
    convert: convertRateKey,
  },
  rate: { what: "a rate such as 100/s", pattern: "^\\d+(\\.\\d+)?/[smh]$", convert: convertRate },
  status: {
    what: "a status or a range such as 200-399",
    pattern: "^[1-5]\\d\\d(-[1-5]\\d\\d)?$",
    convert: convertStatus,
  },
  time: {
    what: "a time such as 2026-11-22T02:00:00+01:00",
    pattern: "^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d.*(Z|[+-]\\d\\d:\\d\\d)$",
    convert: convertTime,
  },
  /** Names in it are seen from the file that says so: `expand.ts`. */
  file: { what: "the path of a file", convert: ANY },
  url: { what: "a URL", pattern: "^https?://\\S+$", convert: convertUrl },
  /** A text, or `{ file: PATH }` whose content is taken; never shown in messages. */
  secret: { what: "a secret, or { file: PATH }", convert: ANY },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;
