/**
 * Names of routing tables, protocols, scopes, realms and the like: iproute2's own and those that
 * the files under /etc/iproute2 give, as `ip route` reads them.
 */

import { closest } from "../../../lib/spelling.ts";
import type { Word } from "../source-line.ts";
import type { Context } from "./context.ts";

interface NumberKind {
  /** In the sentences told. */
  readonly name: string;
  /** Of iproute2, or a whole path. */
  readonly file: string;
  readonly most: number;
  readonly known: Readonly<Record<string, number>>;
}

export const TABLE: NumberKind = {
  name: "routing table",
  file: "rt_tables",
  most: 0xffff_ffff,
  known: { default: 253, main: 254, local: 255 },
};
export const PROTOCOL: NumberKind = {
  name: "routing protocol",
  file: "rt_protos",
  most: 255,
  known: {
    redirect: 1,
    kernel: 2,
    boot: 3,
    static: 4,
    ra: 9,
    zebra: 11,
    bird: 12,
    dhcp: 16,
    keepalived: 18,
  },
};
export const SCOPE: NumberKind = {
  name: "scope",
  file: "rt_scopes",
  most: 255,
  known: { global: 0, universe: 0, site: 200, link: 253, host: 254, nowhere: 255 },
};
export const REALM: NumberKind = {
  name: "realm",
  file: "rt_realms",
  most: 0xffff,
  known: { cosmos: 0 },
};
export const SERVICE: NumberKind = {
  name: "type of service",
  file: "rt_dsfield",
  most: 255,
  known: {},
};
export const IP_PROTOCOL: NumberKind = {
  name: "protocol",
  file: "/etc/protocols",
  most: 255,
  known: { icmp: 1, tcp: 6, udp: 17, dccp: 33, gre: 47, esp: 50, ah: 51, icmpv6: 58, sctp: 132 },
};
export const LINK_GROUP: NumberKind = {
  name: "interface group",
  file: "group",
  most: 0xffff_ffff,
  known: { default: 0 },
};

/** Debian 12 has them in the first, newer iproute2 its own in the second. */
const FOLDERS = ["/etc/iproute2/", "/usr/share/iproute2/"];

/** The number that a word means, written as such or by name; undefined after telling. */
export function readNamed(
  word: Word | undefined,
  kind: NumberKind,
  context: Context,
): number | undefined {
  if (word === undefined) return undefined;
  const { text } = word;
  if (/^(\d+|0x[\da-fA-F]+)$/u.test(text) && Number(text) <= kind.most) return Number(text);
  if (/^\d/u.test(text)) {
    const reason = `${kind.name} must be a whole number, not '${text}'`;
    context.findings.error(word, reason, `write 0 to ${kind.most}`);
    return undefined;
  }
  if (kind.known[text] !== undefined) return kind.known[text];
  const named = namesIn(kind, context);
  const number = named.get(text);
  if (number !== undefined) return number;
  const near = closest(text, [...Object.keys(kind.known), ...named.keys()]);
  const where = kind.file.startsWith("/") ? kind.file : `${FOLDERS[0]!}${kind.file}`;
  const next =
    near === undefined ? `write its number, or name it in ${where}` : `did you mean '${near}'?`;
  context.findings.error(word, `the ${kind.name} '${text}' is not known on this machine`, next);
  return undefined;
}

/** A line is a number and a name (iproute2), or a name and a number (/etc/protocols). */
function namesIn(kind: NumberKind, context: Context): Map<string, number> {
  const named = new Map<string, number>();
  for (const path of pathsOf(kind, context)) {
    for (const line of (context.readFile(path) ?? "").split("\n")) {
      const [first = "", second = ""] = line.replace(/#.*/u, "").trim().split(/\s+/u);
      const [number, name] = kind.file.startsWith("/") ? [second, first] : [first, second];
      if (!/^(\d+|0x[\da-fA-F]+)$/u.test(number) || name === "") continue;
      if (Number(number) <= kind.most && !named.has(name)) named.set(name, Number(number));
    }
  }
  return named;
}

function pathsOf({ file }: NumberKind, context: Context): readonly string[] {
  if (file.startsWith("/")) return [file];
  return FOLDERS.flatMap((folder) => [
    `${folder}${file}`,
    ...context.glob(`${folder}${file}.d/*.conf`),
  ]);
}
