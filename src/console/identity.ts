/**
 * Who asks: somebody on the unix socket, the bearer of a token, of a client certificate or of the
 * cookie that was given for a token, or a reader on this very machine.
 */

import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Role, Viewer } from "./api.ts";
import { isSameDigest, type TokenBook, type TokenEntry } from "./tokens.ts";

/** A visitor shows the token again after that. */
const SESSION_MS = 12 * 3_600_000;

export interface Identity extends Viewer {
  /** By cookie: its end. */
  readonly sessionEndsMs?: number;
}

export interface IdentityRules {
  readonly tokens: TokenBook;
  /** Signs cookies. */
  readonly key: Buffer;
  /** May somebody on this machine read without a token? */
  readonly anonymous: "loopback" | "nobody";
}

export interface Door {
  readonly isLocal: boolean;
  readonly isTls: boolean;
}

/** `refused`: something was shown and it is worth nothing. Undefined: nothing was shown. */
export type Identified = Identity | { readonly refused: string } | undefined;

export function identify(
  request: IncomingMessage,
  door: Door,
  rules: IdentityRules,
  nowMs: number,
): Identified {
  const { authorization } = request.headers;
  if (authorization !== undefined) return byToken(authorization, rules, nowMs);
  const cookie = cookieOf(request.headers.cookie, cookieName(door.isTls));
  const session = cookie === undefined ? undefined : bySession(cookie, rules, nowMs);
  if (session !== undefined) return session;
  if (door.isLocal) return { role: "operate", who: "local" };
  const certified = door.isTls ? byCertificate(request.socket as TLSSocket) : undefined;
  if (certified !== undefined) return certified;
  const isLoopback = LOOPBACK.test(request.socket.remoteAddress ?? "");
  if (rules.anonymous === "loopback" && isLoopback) return { role: "read", who: "anonymous" };
  return undefined;
}

export function mayDo({ role }: Viewer, needed: Role): boolean {
  return role === "operate" || role === needed;
}

/** The whole Set-Cookie field; an empty token takes the cookie away. */
export function sessionCookie(
  token: TokenEntry | undefined,
  { key }: Pick<IdentityRules, "key">,
  { isTls }: Pick<Door, "isTls">,
  nowMs: number,
): { readonly field: string; readonly endsMs: number } {
  const endsMs = Math.min(nowMs + SESSION_MS, token?.expiresMs ?? Infinity);
  const name = cookieName(isTls);
  const rules = `Path=/; HttpOnly; SameSite=Strict${isTls ? "; Secure" : ""}`;
  if (token === undefined) return { field: `${name}=; Max-Age=0; ${rules}`, endsMs: 0 };
  const claim = `${token.sha256}.${endsMs}`;
  const maxAge = Math.floor((endsMs - nowMs) / 1000);
  return { field: `${name}=${claim}.${seal(key, claim)}; Max-Age=${maxAge}; ${rules}`, endsMs };
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/u;

/** The prefix makes browsers refuse the cookie from anywhere but us. */
function cookieName(isTls: boolean): string {
  return isTls ? "__Host-nines" : "nines";
}

function byToken(authorization: string, { tokens }: IdentityRules, nowMs: number): Identified {
  const token = /^Bearer ([\w-]{1,200})$/iu.exec(authorization)?.[1];
  const entry = token === undefined ? undefined : tokens.find(token, nowMs);
  if (entry === undefined) {
    return { refused: "the token is unknown, expired or revoked: see `nines token list`" };
  }
  return { role: entry.role, who: entry.name };
}

/** A forged, old or revoked cookie is as good as none: the visitor signs in again. */
function bySession(cookie: string, rules: IdentityRules, nowMs: number): Identity | undefined {
  const [, claim, digest, ends, sealed] =
    /^(([0-9a-f]{64})\.(\d{1,16}))\.([0-9a-f]{64})$/u.exec(cookie) ?? [];
  if (claim === undefined || digest === undefined || sealed === undefined) return undefined;
  if (!isSameDigest(seal(rules.key, claim), sealed) || nowMs >= Number(ends)) return undefined;
  const entry = rules.tokens.byDigest(digest, nowMs);
  if (entry === undefined) return undefined;
  return { role: entry.role, who: entry.name, sessionEndsMs: Number(ends) };
}

/** Only those whose chain was checked against `tls.client_ca`. */
function byCertificate(socket: TLSSocket): Identity | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const name = (subject as { readonly CN?: string } | undefined)?.CN;
  return name === undefined ? undefined : { role: "operate", who: name };
}

function seal(key: Buffer, claim: string): string {
  return createHmac("sha256", key).update(claim).digest("hex");
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? "").split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}
