/** What TLS needs from disk, read and looked into: who cannot use a file says which one it is. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";
import type { CheckTls } from "../core/check/check-settings.ts";
import type { PoolSettings } from "../core/balance/pool-settings.ts";

export type PoolTls = NonNullable<PoolSettings["tls"]>;

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;

/** Throws what `body` throws, with the file's name; the system's own errors have it already. */
export function describe<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { message } = error as Error;
    if (message.includes(file)) throw error;
    throw new Error(`${file}: ${message}`, { cause: error });
  }
}

/** OpenSSL takes a file without any for one that trusts nobody. */
export function readAuthorities(file: string): Buffer {
  return describe(file, () => {
    const pem = readFileSync(file);
    const isThere = CERTIFICATE.test(pem.toString("latin1"));
    // Throws what is wrong with the first one.
    if (isThere && new X509Certificate(pem).raw.length > 0) return pem;
    throw new Error("it holds no certificate");
  });
}

/** OpenSSL itself says nothing of a key that is of another kind than its certificate's. */
export function checkPair(
  file: string,
  certificate: Uint8Array,
  key: Uint8Array,
  passphrase?: string,
): void {
  describe(file, () => {
    const secret = passphrase === undefined ? {} : { passphrase };
    const own = createPrivateKey({ key: Buffer.from(key), ...secret });
    if (new X509Certificate(certificate).checkPrivateKey(own)) return;
    throw new Error("its key is another one");
  });
}

/** What is not configured is absent. */
export interface PoolFiles {
  readonly ca?: Buffer;
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

/** Of a pool whose servers speak TLS. */
export function readPoolFiles(tls: PoolTls): PoolFiles {
  const { ca: caFile, certificate: file } = tls;
  const trust = caFile === undefined ? {} : { ca: readAuthorities(caFile) };
  if (file === undefined) return trust;
  return { ...trust, ...readPair(file, tls.key) };
}

function readPair(
  file: string,
  keyFile = file,
  passphrase?: string,
): { readonly certificate: Buffer; readonly key: Buffer } {
  const certificate = describe(file, () => readFileSync(file));
  const key = describe(keyFile, () => readFileSync(keyFile));
  checkPair(file, certificate, key, passphrase);
  return { certificate, key };
}

/** What a check shows its server, as Node wants it. */
export function readOwnCertificate({
  certificate: file,
  key: keyFile,
  keyPassword: passphrase,
}: CheckTls): SecureContextOptions {
  if (file === undefined) return {};
  const { certificate: cert, key } = readPair(file, keyFile, passphrase);
  return { cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
}
