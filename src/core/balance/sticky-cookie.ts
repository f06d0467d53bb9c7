/**
 * Cookies that bind a client to a server. The value names the server by a keyed digest, so that it
 * tells nothing, and is signed, so that nobody can bind himself to a server of his choice. Every
 * director with the same secret reads and writes the same values; nothing is stored.
 *
 *   0         1           9             14           19
 *   version   server id   issued at s   used at s    first 128 bits of the signature
 *
 * in base64url. Times are wall clock times, since a cookie outlives processes.
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { Stickiness } from "./pool-settings.ts";

export type CookieSettings = Extract<Stickiness, { kind: "cookie" }>;

/** Letters of each value. */
export const TOKEN_LENGTH = 47;

const VERSION = 1;
const ID_AT = 1;
const ID_LENGTH = 8;
const ISSUED_AT = 9;
const USED_AT = 14;
const SIGNED_LENGTH = 19;
const SIGNATURE_LENGTH = 16;
const TOKEN = /^[A-Za-z0-9_-]{47}$/;
/** A signature costs some microseconds; a client that comes back sends the same value. */
const MAX_VERIFIED = 8192;
/** The time of use is renewed when that part of the idle time has passed. */
const RENEW_PART = 10;

/** `bound`: the only good case. */
export type CookieWord =
  | "bound"
  | "absent"
  | "malformed"
  | "forged"
  | "expired"
  | "idle"
  | "server-gone";

/** The reader's own object, valid until its next call. */
export interface CookieRead {
  /** Undefined unless `bound`. */
  readonly server: string | undefined;
  readonly why: CookieWord;
  /** Send it again with this answer: not bound, or the idle time is to start anew. */
  readonly renew: boolean;
  /** When the binding began (wall clock): for `value` when it is renewed. 0 unless `bound`. */
  readonly issuedAtMs: number;
}

interface Token {
  readonly serverId: string;
  readonly issuedAtMs: number;
  readonly usedAtMs: number;
}

export class StickyCookie {
  readonly settings: CookieSettings;
  readonly #context: Uint8Array;
  readonly #idOf = new Map<string, Uint8Array>();
  readonly #nameOf = new Map<string, string>();
  readonly #verified = new Map<string, Token>();
  readonly #answer: { -readonly [Key in keyof CookieRead]: CookieRead[Key] };

  /**
   * `servers`: names; values for others are `server-gone`. A value made for one pool and cookie name is
   * worth nothing for another.
   */
  constructor(settings: CookieSettings, pool: string, servers: readonly string[]) {
    this.settings = settings;
    this.#context = utf8Bytes(`${pool}\0${settings.name}\0`);
    this.#answer = { server: undefined, why: "absent", renew: true, issuedAtMs: 0 };
    for (const name of servers) {
      const id = this.#digest("server", utf8Bytes(name)).subarray(0, ID_LENGTH);
      this.#idOf.set(name, id);
      this.#nameOf.set(id.toHex(), name);
    }
  }

  /** What the value of a request's cookie says; undefined = it sent none. */
  read(value: string | undefined, wallMs: number): CookieRead {
    if (value === undefined) return this.#no("absent");
    const token = this.#verified.get(value) ?? this.#verify(value);
    if (typeof token === "string") return this.#no(token);
    const { maxAgeMs, maxIdleMs } = this.settings;
    if (maxAgeMs > 0 && wallMs - token.issuedAtMs >= maxAgeMs) return this.#no("expired");
    const idleMs = wallMs - token.usedAtMs;
    if (maxIdleMs > 0 && idleMs >= maxIdleMs) return this.#no("idle");
    const server = this.#nameOf.get(token.serverId);
    if (server === undefined) return this.#no("server-gone");
    const answer = this.#answer;
    answer.server = server;
    answer.why = "bound";
    answer.renew = maxIdleMs > 0 && idleMs * RENEW_PART >= maxIdleMs;
    answer.issuedAtMs = token.issuedAtMs;
    return answer;
  }

  /** The value for a server of the pool. `issuedAtMs`: of a binding that is renewed. */
  value(server: string, wallMs: number, issuedAtMs: number = wallMs): string {
    const bytes = new Uint8Array(SIGNED_LENGTH + SIGNATURE_LENGTH);
    bytes[0] = VERSION;
    const id = this.#idOf.get(server) ?? this.#digest("server", utf8Bytes(server));
    bytes.set(id.subarray(0, ID_LENGTH), ID_AT);
    writeSeconds(bytes, ISSUED_AT, issuedAtMs);
    writeSeconds(bytes, USED_AT, wallMs);
    const signature = this.#digest("value", bytes.subarray(0, SIGNED_LENGTH));
    bytes.set(signature.subarray(0, SIGNATURE_LENGTH), SIGNED_LENGTH);
    return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  }

  #verify(value: string): Token | "malformed" | "forged" {
    if (!TOKEN.test(value)) return "malformed";
    const bytes = Uint8Array.fromBase64(value, { alphabet: "base64url" });
    if (bytes[0] !== VERSION) return "malformed";
    const signature = this.#digest("value", bytes.subarray(0, SIGNED_LENGTH));
    let difference = 0;
    for (let i = 0; i < SIGNATURE_LENGTH; i++) {
      difference |= signature[i]! ^ bytes[SIGNED_LENGTH + i]!;
    }
    if (difference !== 0) return "forged";
    const token: Token = {
      serverId: bytes.subarray(ID_AT, ID_AT + ID_LENGTH).toHex(),
      issuedAtMs: readSeconds(bytes, ISSUED_AT),
      usedAtMs: readSeconds(bytes, USED_AT),
    };
    if (this.#verified.size >= MAX_VERIFIED) {
      for (const oldest of this.#verified.keys()) {
        this.#verified.delete(oldest);
        break;
      }
    }
    this.#verified.set(value, token);
    return token;
  }

  #no(why: CookieWord): CookieRead {
    const answer = this.#answer;
    answer.server = undefined;
    answer.why = why;
    answer.renew = true;
    answer.issuedAtMs = 0;
    return answer;
  }

  #digest(purpose: "server" | "value", bytes: Uint8Array): Uint8Array {
    return hmac
      .create(sha256, this.settings.secret)
      .update(utf8Bytes(`${purpose}\0`))
      .update(this.#context)
      .update(bytes)
      .digest();
  }
}

/** Whole seconds, 40 bits: for 34,000 years. */
function writeSeconds(out: Uint8Array, at: number, ms: number): void {
  let seconds = Math.floor(ms / 1000);
  for (let i = 4; i >= 0; i--) {
    out[at + i] = seconds % 256;
    seconds = Math.floor(seconds / 256);
  }
}

function readSeconds(bytes: Uint8Array, at: number): number {
  let seconds = 0;
  for (let i = 0; i < 5; i++) seconds = seconds * 256 + bytes[at + i]!;
  return seconds * 1000;
}
