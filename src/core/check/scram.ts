/** The client's side of SCRAM-SHA-256, without channel binding. RFC 5802, RFC 7677. */

import { hmac } from "@noble/hashes/hmac.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { latin1Text, utf8Bytes } from "../../lib/text-bytes.ts";

/** Servers ask for 4096; more than this would keep the processor busy for seconds. */
const MAX_ITERATIONS = 200_000;
const MAX_KEYS = 256;
const KEY_BYTES = 32;

/** Salted passwords take 4096 hashes to make and stay the same: kept from check to check. */
export class DerivedKeys {
  readonly #keys = new Map<string, Uint8Array>();

  /** RFC 5802 section 2.2, `Hi`. */
  saltedPassword(password: string, salt: Uint8Array, iterations: number): Uint8Array {
    const name = `${iterations} ${salt.toBase64()} ${password}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const options = { c: iterations, dkLen: KEY_BYTES };
    const key = pbkdf2(sha256, utf8Bytes(password.normalize("NFKC")), salt, options);
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}

export class ScramClient {
  readonly #password: string;
  readonly #keys: DerivedKeys;
  readonly #first: string;
  readonly #nonce: string;
  #wantedSignature = "";

  /** `random`: 18 bytes that nobody can guess. The name of the user is left to the protocol around. */
  constructor(password: string, random: Uint8Array, keys: DerivedKeys) {
    this.#password = password;
    this.#keys = keys;
    this.#nonce = random.toBase64();
    this.#first = `n=,r=${this.#nonce}`;
  }

  get firstMessage(): string {
    return `n,,${this.#first}`;
  }

  /** The answer to the server's first message, or why there is none. */
  finalMessage(serverFirst: string): { readonly message: string } | { readonly error: string } {
    const [, nonce = "", saltText = "", count = ""] =
      /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? [];
    const salt = fromBase64(saltText);
    const iterations = Number(count);
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce || salt === undefined) {
      return { error: "the server's part of SCRAM is malformed" };
    }
    if (iterations < 1 || iterations > MAX_ITERATIONS) {
      return { error: `the server wants ${count} iterations of SCRAM` };
    }
    const salted = this.#keys.saltedPassword(this.#password, salt, iterations);
    const clientKey = hmac(sha256, salted, utf8Bytes("Client Key"));
    const withoutProof = `c=biws,r=${nonce}`;
    const signed = utf8Bytes(`${this.#first},${serverFirst},${withoutProof}`);
    const signature = hmac(sha256, sha256(clientKey), signed);
    const proof = clientKey.map((octet, i) => octet ^ signature[i]!);
    const serverKey = hmac(sha256, salted, utf8Bytes("Server Key"));
    this.#wantedSignature = hmac(sha256, serverKey, signed).toBase64();
    return { message: `${withoutProof},p=${proof.toBase64()}` };
  }

  /** Whether the server knows the password too. */
  verifies(serverFinal: Uint8Array): boolean {
    const text = latin1Text(serverFinal, 0, serverFinal.length);
    return this.#wantedSignature !== "" && text === `v=${this.#wantedSignature}`;
  }
}

function fromBase64(text: string): Uint8Array | undefined {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) &&
    text !== ""
    ? Uint8Array.fromBase64(text)
    : undefined;
}
