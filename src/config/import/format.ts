/** Whose configuration a file is. */

export const FORMATS = ["keepalived", "haproxy", "nginx"] as const;

export type Format = (typeof FORMATS)[number];

/** Words at the start of a line that only one of them has. */
const SIGNS: readonly (readonly [Format, RegExp])[] = [
  ["haproxy", /^\s*(?:frontend|backend|listen|defaults|global)(?:\s+[^{;]*)?$/mu],
  [
    "keepalived",
    /^\s*(?:vrrp_\w+|global_defs|virtual_server(?:_group)?|static_\w+|track_file)\b/mu,
  ],
  ["nginx", /^\s*(?:http|events|server|upstream|stream|location\b.*)\s*\{/mu],
];

/** By its words, else by its name; undefined: it is none of them. */
export function formatOf(path: string, source: string): Format | undefined {
  const sign = SIGNS.find(([, pattern]) => pattern.test(source));
  if (sign !== undefined) return sign[0];
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name.endsWith(".cfg")) return "haproxy";
  return FORMATS.find((format) => name.includes(format));
}
