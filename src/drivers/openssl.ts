/**
 * Certificates for a group of nodes, made by the `openssl` program: node has keys and can read
 * certificates, but cannot write any. Needed where a group is begun and nodes are invited, not where a node
 * runs.
 */

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const WITHIN_MS = 30_000;
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** Signs certificates of nodes and nothing else. */
export function makeAuthority(name: string, days: number): Promise<KeyPair> {
  return inPrivateFolder(async (folder) => {
    const [key, certificate] = [join(folder, "key"), join(folder, "certificate")];
    await openssl(
      ["req", "-x509", ...CURVE, "-sha256", "-keyout", key, "-out", certificate],
      ["-days", String(days), "-set_serial", serial(), "-subj", `/CN=${escaped(name)}`],
      ["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"],
      ["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    );
    return { certificate: await readFile(certificate, "utf8"), key: await readFile(key, "utf8") };
  });
}

export interface Naming {
  readonly name: string;
  readonly uri: string;
  readonly days: number;
}

/** For both ends of a connection, and for whoever has the other half of this key (PEM, both). */
export function makeCertificate(
  authority: KeyPair,
  publicKey: string,
  naming: Naming,
): Promise<string> {
  const { name, uri, days } = naming;
  return inPrivateFolder(async (folder) => {
    const file = (what: string): string => join(folder, what);
    const extensions = [
      "basicConstraints=critical,CA:FALSE",
      "keyUsage=critical,digitalSignature",
      "extendedKeyUsage=serverAuth,clientAuth",
      `subjectAltName=URI:${uri}`,
      "authorityKeyIdentifier=keyid",
    ];
    await Promise.all([
      writeFile(file("public"), publicKey),
      writeFile(file("ca"), authority.certificate),
      writeFile(file("ca-key"), authority.key, { mode: 0o600 }),
      writeFile(file("extensions"), `${extensions.join("\n")}\n`),
    ]);
    await openssl(
      ["x509", "-new", "-sha256", "-force_pubkey", file("public"), "-out", file("certificate")],
      ["-CA", file("ca"), "-CAkey", file("ca-key"), "-set_serial", serial()],
      ["-subj", `/CN=${escaped(name)}`, "-days", String(days), "-extfile", file("extensions")],
    );
    return readFile(file("certificate"), "utf8");
  });
}

async function openssl(...words: readonly (readonly string[])[]): Promise<void> {
  try {
    await run("openssl", words.flat(), { timeout: WITHIN_MS });
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
    if (code === "ENOENT")
      throw new Error("openssl is not installed: apt install openssl", { cause: error });
    throw new Error(`openssl ${words[0]?.[0] ?? ""}: ${stderr ?? String(error)}`, { cause: error });
  }
}

/** Keys pass through files that only we can read, in a folder that nobody could foresee. */
async function inPrivateFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "nines-cert-"));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Positive, 159 random bits (RFC 5280 4.1.2.2: at most 20 octets). */
function serial(): string {
  const bytes = randomBytes(20);
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return `0x${bytes.toString("hex")}`;
}

/** In `-subj` these would begin another field. */
function escaped(name: string): string {
  return name.replaceAll(/[\\/+=]/gu, (sign) => `\\${sign}`);
}
