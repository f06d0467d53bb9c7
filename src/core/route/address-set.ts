/** Addresses and prefixes (CIDR), asked whether they hold an address. */

import { parseIp } from "../../lib/ip-address.ts";

interface Prefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** ::ffff:0:0/96, RFC 4291 2.5.5.2: the same client, seen through an IPv6 socket. */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255);

export class AddressSet {
  readonly #prefixes: readonly Prefix[];

  /** What is not an address or prefix is left out: the configuration has refused it before. */
  constructor(texts: readonly string[]) {
    this.#prefixes = texts.flatMap((text) => parsePrefix(text) ?? []);
  }

  get isEmpty(): boolean {
    return this.#prefixes.length === 0;
  }

  has(address: string): boolean {
    if (this.isEmpty) return false;
    const bytes = plainBytes(address);
    return bytes !== undefined && this.#prefixes.some((prefix) => covers(prefix, bytes));
  }
}

/** `10.0.0.0/8`, `fd00::/8`, or an address alone; undefined when it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = "", width, rest] = text.split("/");
  const bytes = plainBytes(address);
  if (bytes === undefined || rest !== undefined) return undefined;
  const length = width === undefined ? bytes.length * 8 : Number(width);
  if (width === "" || !Number.isInteger(length) || length < 0 || length > bytes.length * 8) {
    return undefined;
  }
  return { bytes, length };
}

/** Of an IPv4 address, also of one that is mapped, 4. Undefined: it is none. */
export function plainBytes(address: string): Uint8Array | undefined {
  const bytes = parseIp(address);
  if (bytes?.length !== 16) return bytes;
  return MAPPED.every((octet, i) => bytes[i] === octet) ? bytes.subarray(12) : bytes;
}

function covers({ bytes, length }: Prefix, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[i]) return false;
  const rest = length & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return (bytes[whole]! & mask) === (address[whole]! & mask);
}
