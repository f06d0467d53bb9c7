/**
 * Logging in to MySQL and MariaDB: the server's greeting, the client's answer, and the two ways to
 * prove a password that need no second secret. Source: MySQL's documentation, "Connection Phase".
 */

import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import { ByteReader, textOf } from "./byte-reader.ts";

const LONG_PASSWORD = 0x1;
const CONNECT_WITH_DATABASE = 0x8;
const PROTOCOL_41 = 0x200;
const TRANSACTIONS = 0x2000;
const SECURE_CONNECTION = 0x8000;
const PLUGIN_AUTH = 0x80000;

const MAX_PACKET = 0xffffff;
/** utf8mb4_general_ci: known to both. */
const CHARACTER_SET = 45;
const RESERVED = 23;
const SALT = 20;
/** Of MySQL's first versions that are still met. */
const NATIVE = "mysql_native_password";
const CACHING = "caching_sha2_password";

export interface Greeting {
  /** `MySQL 8.4.3`, `MariaDB 10.11.19-MariaDB`. */
  readonly server: string;
  readonly plugin: string;
  readonly salt: Uint8Array;
}

/** Undefined: it is none. */
export function readGreeting(payload: Uint8Array): Greeting | undefined {
  const reader = new ByteReader(payload);
  if (reader.u8() !== 10) return undefined;
  const version = textOf(reader.zeroEnded());
  reader.take(4);
  const first = reader.take(8);
  reader.take(1);
  let capabilities = reader.u16le();
  reader.take(3);
  capabilities += reader.u16le() * 0x10000;
  const length = reader.u8();
  reader.take(10);
  if ((capabilities & SECURE_CONNECTION) === 0 || reader.left === 0) return undefined;
  const second = reader.take(Math.max(13, length - 8)).subarray(0, SALT - first.length);
  const plugin = (capabilities & PLUGIN_AUTH) === 0 ? NATIVE : textOf(reader.zeroEnded());
  // The prefix is there for old replicas, which look at the first digit.
  const server = version.includes("MariaDB")
    ? `MariaDB ${version.replace(/^5\.5\.5-/, "")}`
    : `MySQL ${version}`;
  return { server, plugin, salt: Uint8Array.from([...first, ...second]) };
}

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export function loginResponse({ plugin, salt }: Greeting, login: Login): Uint8Array {
  const flags =
    LONG_PASSWORD |
    PROTOCOL_41 |
    TRANSACTIONS |
    SECURE_CONNECTION |
    PLUGIN_AUTH |
    (login.database === "" ? 0 : CONNECT_WITH_DATABASE);
  // Of a plugin that we do not know: the server will ask us to switch.
  const proof = proofOf(plugin, login.password, salt) ?? new Uint8Array(0);
  const name = proofOf(plugin, "", salt) === undefined ? NATIVE : plugin;
  return Uint8Array.from([
    ...littleEndian(flags),
    ...littleEndian(MAX_PACKET),
    CHARACTER_SET,
    ...new Uint8Array(RESERVED),
    ...utf8Bytes(login.user),
    0,
    proof.length,
    ...proof,
    ...(login.database === "" ? [] : [...utf8Bytes(login.database), 0]),
    ...utf8Bytes(name),
    0,
  ]);
}

/** Answers the server's wish for another plugin (0xfe NAME 0 SALT 0). */
export function switchResponse(
  payload: Uint8Array,
  password: string,
): { readonly proof: Uint8Array } | { readonly error: string } {
  const reader = new ByteReader(payload, 1);
  const plugin = textOf(reader.zeroEnded());
  const salt = reader.rest().subarray(0, SALT);
  const proof = proofOf(plugin, password, salt);
  if (proof !== undefined) return { proof };
  return { error: `the server wants ${plugin}; give the user ${NATIVE} or ${CACHING}` };
}

/** Undefined: a plugin that we do not speak. */
function proofOf(plugin: string, password: string, salt: Uint8Array): Uint8Array | undefined {
  if (plugin !== NATIVE && plugin !== CACHING) return undefined;
  if (password === "") return new Uint8Array(0);
  const secret = utf8Bytes(password);
  if (plugin === NATIVE) {
    const once = sha1(secret);
    return mixed(once, sha1(Uint8Array.from([...salt, ...sha1(once)])));
  }
  const once = sha256(secret);
  return mixed(once, sha256(Uint8Array.from([...sha256(once), ...salt])));
}

function mixed(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, i) => octet ^ b[i]!);
}

function littleEndian(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255];
}
