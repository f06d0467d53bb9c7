/**
 * Who may do what: names, roles and digests of 256-bit tokens in one file. The tokens themselves are
 * shown once, when they are made. A file that others can read or write gives nobody anything.
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../drivers/private-file.ts";
import type { Role } from "./api.ts";

export interface TokenEntry {
  readonly name: string;
  readonly role: Role;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly createdMs: number;
  readonly expiresMs?: number;
}

export const MAX_TOKENS = 1000;
const PREFIX = "nines_";
const BYTES = 32;

export function tokensPath(stateDirectory: string): string {
  return join(stateDirectory, "tokens.json");
}

export interface TokenFile {
  readonly tokens: readonly TokenEntry[];
  /** Why none of the file counts. */
  readonly trouble?: string;
}

/** No file: no tokens, and no trouble. */
export function readTokens(path: string): TokenFile {
  try {
    const facts = statSync(path);
    const uid = process.getuid?.() ?? 0;
    if (facts.uid !== uid && facts.uid !== 0) {
      return none(`${path} belongs to user ${facts.uid}: chown it, or name another tokens_file`);
    }
    if ((facts.mode & 0o077) !== 0) {
      return none(`others can read or write ${path}, so no token counts: chmod 600 ${path}`);
    }
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    const tokens = (value as { readonly tokens?: unknown } | null)?.tokens;
    if (!Array.isArray(tokens) || !tokens.every(isEntry) || tokens.length > MAX_TOKENS) {
      return none(`${path} is not a file of tokens; make one: nines token create NAME`);
    }
    return { tokens };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { tokens: [] };
    return none(`${path} cannot be read: ${(error as Error).message}`);
  }
}

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly expiresMs?: number;
}

/** Makes one and writes its digest down. The token itself is known to the caller only. */
export function createToken(path: string, made: NewToken, nowMs: number): string {
  const { tokens, trouble } = readTokens(path);
  if (trouble !== undefined) throw new Error(trouble);
  const kept = tokens.filter((one) => isValidAt(one, nowMs));
  if (kept.some(({ name }) => name === made.name)) {
    throw new Error(`there is a token '${made.name}': nines token revoke ${made.name}`);
  }
  if (kept.length >= MAX_TOKENS) throw new Error(`there are ${MAX_TOKENS} tokens: revoke some`);
  const token = PREFIX + randomBytes(BYTES).toString("base64url");
  save(path, [...kept, { ...made, sha256: digestOf(token), createdMs: nowMs }]);
  return token;
}

/** False: there was none of that name. */
export function revokeToken(path: string, name: string): boolean {
  const { tokens, trouble } = readTokens(path);
  if (trouble !== undefined) throw new Error(trouble);
  const kept = tokens.filter((one) => one.name !== name);
  if (kept.length === tokens.length) return false;
  save(path, kept);
  return true;
}

export function isValidAt({ expiresMs }: TokenEntry, nowMs: number): boolean {
  return expiresMs === undefined || nowMs < expiresMs;
}

export function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Both are digests of the same length; equal or not takes the same time. */
export function isSameDigest(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left, "latin1"), Buffer.from(right, "latin1")];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The file as it is now, read again when it was changed. */
export class TokenBook {
  readonly #path: string;
  #file: TokenFile = { tokens: [] };
  #stamp = "";

  constructor(path: string) {
    this.#path = path;
  }

  get trouble(): string | undefined {
    return this.#fresh().trouble;
  }

  find(token: string, nowMs: number): TokenEntry | undefined {
    return token.startsWith(PREFIX) ? this.byDigest(digestOf(token), nowMs) : undefined;
  }

  byDigest(digest: string, nowMs: number): TokenEntry | undefined {
    const { tokens } = this.#fresh();
    return tokens.find((one) => isSameDigest(one.sha256, digest) && isValidAt(one, nowMs));
  }

  #fresh(): TokenFile {
    const stamp = stampOf(this.#path);
    if (stamp !== this.#stamp) {
      this.#file = readTokens(this.#path);
      this.#stamp = stamp;
    }
    return this.#file;
  }
}

function stampOf(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts === undefined
    ? "absent"
    : `${facts.ino} ${facts.mtimeMs} ${facts.ctimeMs} ${facts.size}`;
}

function save(path: string, tokens: readonly TokenEntry[]): void {
  writePrivateFile(path, `${JSON.stringify({ tokens }, undefined, 2)}\n`);
}

function none(trouble: string): TokenFile {
  return { tokens: [], trouble };
}

function isEntry(value: unknown): value is TokenEntry {
  const { name, role, sha256, createdMs, expiresMs } = (value ?? {}) as Partial<TokenEntry>;
  return (
    typeof name === "string" &&
    (role === "read" || role === "operate" || role === "probe") &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/u.test(sha256) &&
    typeof createdMs === "number" &&
    (expiresMs === undefined || typeof expiresMs === "number")
  );
}
