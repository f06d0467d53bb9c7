/**
 * One path for all its spellings (RFC 3986 6.2.2): percent codes of unreserved characters decoded,
 * the others in upper case, dot segments removed. A rule for `/admin` must not be passed by
 * `/x/../%61dmin`.
 */

import { coded, codedOctets } from "./letters.ts";

export function normalPath(path: string): string {
  if (!/[%.\x80-\xff]|\/\//.test(path)) return path;
  const plain = normalCodes(codedOctets(path));
  if (!plain.startsWith("/")) return plain;
  const kept: string[] = [];
  const segments = plain.slice(1).split("/");
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== "." && (segment !== "" || isLast)) kept.push(segment);
    if (isLast && (segment === "." || segment === "..")) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/**
 * What rules are held against: here `%2F` is a slash, too, since most servers take it for one, and
 * `/admin%2Fx` must not pass a rule for `/admin/*`. `normal` is a normal path.
 */
export function rulePath(normal: string): string {
  return normal.includes("%2F") ? normalPath(normal.replaceAll("%2F", "/")) : normal;
}

/** A path, or the beginning of one, that somebody wrote down: spelled as normal paths are. */
export function spelled(path: string): string {
  return normalCodes(coded(path));
}

function normalCodes(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (code) => {
    const char = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : code.toUpperCase();
  });
}
