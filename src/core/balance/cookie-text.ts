/**
 * The texts of `Cookie` and `Set-Cookie` (RFC 6265) that stickiness reads and changes. Values are
 * taken as they stand, without the line's name and end.
 */

import { TOKEN_LENGTH, type CookieSettings } from "./sticky-cookie.ts";

/** Between our part and the application's in mode `prefix`. */
const PREFIX_END = "~";

/** Our part of what a request's `Cookie` says; undefined = it has none. */
export function tokenOf(header: string, settings: CookieSettings): string | undefined {
  const value = cookieValue(header, settings.name);
  if (value === undefined || settings.mode !== "prefix") return value;
  return value[TOKEN_LENGTH] === PREFIX_END ? value.slice(0, TOKEN_LENGTH) : undefined;
}

/** The `Cookie` that the server may see; undefined = nothing is left of it. */
export function cookieForServer(header: string, settings: CookieSettings): string | undefined {
  const { name, mode } = settings;
  if (mode === "rewrite") return header;
  const pairs = header.split(";").map((pair) => pair.trim());
  const kept = pairs.flatMap((pair) => {
    if (!pair.startsWith(`${name}=`)) return pair === "" ? [] : [pair];
    if (mode === "insert") return [];
    const value = pair.slice(name.length + 1);
    return value[TOKEN_LENGTH] === PREFIX_END
      ? [`${name}=${value.slice(TOKEN_LENGTH + 1)}`]
      : [pair];
  });
  return kept.length === 0 ? undefined : kept.join("; ");
}

/** Mode `insert`: the whole `Set-Cookie`. `leftMs`: of `maxAgeMs`, which counts from the beginning. */
export function setCookieText(settings: CookieSettings, token: string, leftMs: number): string {
  const { name, maxAgeMs, sameSite } = settings;
  const age = maxAgeMs === 0 ? "" : `; Max-Age=${Math.max(0, Math.floor(leftMs / 1000))}`;
  // Browsers refuse SameSite=None without Secure.
  const secure = settings.secure || sameSite === "none" ? "; Secure" : "";
  const site = sameSite[0]!.toUpperCase() + sameSite.slice(1);
  return `${name}=${token}; Path=/${age}; HttpOnly; SameSite=${site}${secure}`;
}

/**
 * Modes `prefix` and `rewrite`: the application's `Set-Cookie` with our part in it; undefined when it
 * sets another cookie.
 */
export function markedSetCookie(
  header: string,
  settings: CookieSettings,
  token: string,
): string | undefined {
  const { name, mode } = settings;
  const start = header.length - header.trimStart().length;
  if (!header.startsWith(`${name}=`, start)) return undefined;
  const semicolon = header.indexOf(";", start);
  const end = semicolon === -1 ? header.length : semicolon;
  const own = mode === "prefix" ? PREFIX_END + header.slice(start + name.length + 1, end) : "";
  return `${name}=${token}${own}${header.slice(end)}`;
}

/** The first one of that name, as a server would take it. */
function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const trimmed = pair.trim();
    if (trimmed.startsWith(`${name}=`)) return trimmed.slice(name.length + 1);
  }
  return undefined;
}
