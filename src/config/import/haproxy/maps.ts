/**
 * `use_backend %[req.hdr(host),lower,map_dom(FILE,default)]` as rules, one for each pool that the map leads to.
 * Source: HAProxy, configuration manual, section 7.3.1 and `use_backend`.
 */

import type { Place } from "../../diagnostic.ts";
import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import { directoryOf } from "../../keepalived/parameters.ts";

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly at: Place;
}

/** Requests that go to the same name: what stands between the braces of a condition. */
export interface Choice {
  readonly value: string;
  readonly words: readonly string[];
  readonly at: Place;
}

export interface MappedName {
  readonly before: string;
  readonly after: string;
  /** What is looked up. */
  readonly fetch: string;
  readonly ignoreCase: boolean;
  /** `str`, `beg`, `dom` … */
  readonly how: string;
  readonly path: string;
  readonly otherwise: string | undefined;
}

const CALL = /^map(?:_(str|beg|end|dom|dir|sub|reg|ip))?(?:_str)?\(([^,()]+)(?:,([^,()]*))?\)$/u;

/** Undefined: the name is computed some other way. */
export function mappedName(text: string): MappedName | undefined {
  const [, before = "", sample = "", after = ""] = /^(.*?)%\[(.+)\](.*)$/u.exec(text) ?? [];
  const [fetch, ...converters] = sample.match(/(?:[^,(]|\([^)]*\))+/gu) ?? [];
  const call = CALL.exec(converters.pop() ?? "");
  if (fetch === undefined || call === null) return undefined;
  if (converters.some((one) => !/^(?:lower|(?:field|word)\(1,:\))$/u.test(one))) return undefined;
  const [, how = "str", path = "", otherwise] = call;
  const isAddress = how === "ip";
  if (isAddress !== (fetch === "src")) return undefined;
  const ignoreCase = converters.includes("lower");
  return { before, after, fetch, ignoreCase, how, path, otherwise };
}

/** A key, blanks, and the rest of the line. */
export function readEntries(path: string, text: string): Entry[] {
  return text.split(/\r?\n/u).flatMap((line, index) => {
    const [, key, value = ""] = /^\s*([^\s#]\S*)(?:\s+(.*?))?\s*$/u.exec(line) ?? [];
    if (key === undefined) return [];
    return [{ key, value, at: { file: path, line: index + 1, column: 1, text: line.trim() } }];
  });
}

/** In the order in which HAProxy would find them. */
export function choicesOf(entries: readonly Entry[], mapped: MappedName): Choice[] {
  const { fetch, how, ignoreCase } = mapped;
  const known = new Set<string>();
  const own = entries.filter(({ key }) => !known.has(key) && known.add(key) !== undefined);
  // Trees find the longest, lists the first.
  if (how === "beg") own.sort((a, b) => b.key.length - a.key.length);
  if (how === "ip") own.sort((a, b) => prefixOf(b.key) - prefixOf(a.key));
  const groups: Entry[][] = [];
  for (const entry of own) {
    const isSame = (group: Entry[] | undefined): boolean => group?.[0]?.value === entry.value;
    const group = how === "str" ? groups.find(isSame) : groups.slice(-1).find(isSame);
    if (group === undefined) groups.push([entry]);
    else group.push(entry);
  }
  const flags = how === "ip" ? [] : [...(ignoreCase ? ["-i"] : []), "-m", how, "--"];
  return groups.map((group) => ({
    value: group[0]!.value,
    words: [fetch, ...flags, ...group.map(({ key }) => key)],
    at: group[0]!.at,
  }));
}

function prefixOf(address: string): number {
  const [, bits] = address.split("/");
  if (bits !== undefined) return Number(bits);
  return address.includes(":") ? 128 : 32;
}

/**
 * HAProxy looks for relative ones where it was started (`default-path` is not for names of backends): the folder
 * of the configuration is the best guess.
 */
export function mapReader(
  configuration: string,
  files: ConfigurationFiles,
): (path: string) => string | undefined {
  const base = directoryOf(configuration);
  return (path) => files.readFile(path.startsWith("/") ? path : `${base}/${path}`);
}
