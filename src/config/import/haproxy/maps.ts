/**
 * `%[req.hdr(host),lower,map_dom(FILE,default)]` in a line: one rule for each value that the map gives.
 * Source: HAProxy, configuration manual, section 7.3.1.
 */

import type { Place } from "../../diagnostic.ts";
import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import { directoryOf } from "../../keepalived/parameters.ts";

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly at: Place;
}

/** Requests that get the same value: what stands between the braces of a condition. */
export interface Choice {
  readonly value: string;
  readonly words: readonly string[];
  readonly at: Place;
}

export interface Mapped {
  /** As it is written. */
  readonly sample: string;
  /** What is looked up. */
  readonly fetch: string;
  readonly ignoreCase: boolean;
  /** `str`, `beg`, `dom` … */
  readonly how: string;
  readonly path: string;
  readonly otherwise: string | undefined;
}

const CALL = /^map(?:_(str|beg|end|dom|dir|sub|reg|ip))?(?:_str)?\(([^,()]+)(?:,([^,()]*))?\)$/u;

export interface MappedText {
  readonly before: string;
  readonly after: string;
  readonly mapped: Mapped;
}

/** The first map of a text; undefined: it has none. */
export function mappedText(text: string): MappedText | undefined {
  for (const found of text.matchAll(/%\[([^\]]*)\]/gu)) {
    const mapped = mappedSample(found[1]!);
    const after = text.slice(found.index + found[0].length);
    if (mapped !== undefined) return { before: text.slice(0, found.index), after, mapped };
  }
  return undefined;
}

/** Undefined: it is no map, or none of something that routes ask for. */
export function mappedSample(sample: string): Mapped | undefined {
  const [fetch, ...converters] = sample.match(/(?:[^,(]|\([^)]*\))+/gu) ?? [];
  const call = CALL.exec(converters.pop() ?? "");
  if (fetch === undefined || call === null) return undefined;
  if (converters.some((one) => !/^(?:lower|(?:field|word)\(1,:\))$/u.test(one))) return undefined;
  const [, how = "str", path = "", otherwise] = call;
  const isAddress = how === "ip";
  if (isAddress !== (fetch === "src")) return undefined;
  const ignoreCase = converters.includes("lower");
  return { sample, fetch, ignoreCase, how, path, otherwise };
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
export function choicesOf(entries: readonly Entry[], { fetch, how, ignoreCase }: Mapped): Choice[] {
  const known = new Set<string>();
  const own = entries.filter(({ key }) => !known.has(key) && known.add(key) !== undefined);
  // Trees find the longest, lists the first.
  if (how === "beg") own.sort((a, b) => b.key.length - a.key.length);
  if (how === "ip") own.sort((a, b) => prefixOf(b.key) - prefixOf(a.key));
  const groups: Entry[][] = [];
  for (const entry of own) {
    const isSame = (group: Entry[] | undefined): boolean => group?.[0]?.value === entry.value;
    // Of host and path together a route says one.
    const near = fetch === "base" ? [] : how === "str" ? groups : groups.slice(-1);
    const group = near.find(isSame);
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

/**
 * `{ src,map_ip(FILE) -m found }` and `{ hdr(host),map(FILE) VALUE … }`: the keys that lead there, as the words of a
 * condition; "always". Undefined: keys before them would have to be ruled out.
 */
export function keysLeadingTo(
  entries: readonly Entry[],
  mapped: Mapped,
  wanted: readonly string[] | "found",
): readonly string[] | "always" | undefined {
  const { otherwise, fetch, how } = mapped;
  if (wanted === "found" && otherwise !== undefined) return "always";
  const isWanted = (value: string): boolean => wanted === "found" || wanted.includes(value);
  if (otherwise !== undefined && isWanted(otherwise)) return undefined;
  const choices = choicesOf(entries, mapped);
  const first = choices.findIndex(({ value }) => !isWanted(value));
  const found = choices.filter(({ value }) => isWanted(value));
  const isHidden = first >= 0 && choices.slice(first).some(({ value }) => isWanted(value));
  const [one, ...others] = found;
  if (one === undefined || (how !== "str" && isHidden)) return undefined;
  if (fetch === "base" && others.length > 0) return undefined;
  const flags = one.words.slice(0, fetch === "src" ? 1 : one.words.indexOf("--") + 1);
  return [...flags, ...found.flatMap(({ words }) => words.slice(flags.length))];
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
