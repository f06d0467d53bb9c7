/** Certificates of a frontend: which one for which name, and what a handshake asks of clients. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";
import { type Credential, identityOf } from "./tls-context.ts";
import { checkPair, describe, type PoolTls, readAuthorities, readPoolFiles } from "./tls-files.ts";

/** Names of one certificate; more are ignored. */
const MAX_NAMES = 1000;
/** What OpenSSL takes. */
const SESSION_CONTEXT_BYTES = 32;

interface FileCredential extends Credential {
  readonly file: string;
}

/** What clients who ask for a name are shown. */
export interface Certificate {
  readonly file: string;
  /** Position among all of them. */
  readonly index: number;
  readonly credentials: readonly FileCredential[];
  /** Of Node, which takes no more than one of them: the first. */
  readonly context: SecureContext;
}

export interface Certificates {
  /** In the order of the configuration; the first is for clients that name nobody we know. */
  readonly all: readonly Certificate[];
  readonly fallback: SecureContextOptions;
  /** By exact name, then `*.` and the rest of it, lower case. */
  readonly byName: ReadonlyMap<string, Certificate>;
  /** Authorities of clients. */
  readonly clientCa: Uint8Array | undefined;
}

/** Reads the files. Throws with the file's name when one cannot be used. */
export function loadCertificates(tls: FrontendTls): Certificates {
  const { clientCa: caFile } = tls;
  const clientCa = caFile && readAuthorities(caFile);
  const minVersion = tls.minimumVersion === "1.3" ? "TLSv1.3" : "TLSv1.2";
  const read = tls.certificates.map(({ certificate: file, key }) => ({
    file,
    cert: describe(file, () => readFileSync(file)),
    key: describe(key, () => readFileSync(key)),
  }));
  const identity = identityOf({
    minimumVersion: tls.minimumVersion,
    clientCertificate: tls.clientCertificate,
    certificates: read.map(({ cert }) => cert),
    ...(clientCa ? { clientCa } : {}),
  });
  const common = {
    minVersion,
    ...(clientCa ? { ca: clientCa } : {}),
    // All frontends seal with the same keys.
    sessionIdContext: Buffer.from(identity).toString("hex").slice(0, SESSION_CONTEXT_BYTES),
  } as const;
  const all: Certificate[] = [];
  const byName = new Map<string, Certificate>();
  let fallback: SecureContextOptions | undefined;
  for (const { file, names, credentials } of grouped(read)) {
    const { cert, key } = credentials[0]!;
    const options = { ...common, cert: Buffer.from(cert), key: Buffer.from(key) };
    const context = describe(file, () => createSecureContext(options));
    fallback ??= options;
    const certificate = { file, index: all.length, credentials, context };
    all.push(certificate);
    // The first certificate that has a name keeps it.
    for (const name of names) if (!byName.has(name)) byName.set(name, certificate);
  }
  if (fallback === undefined) throw new Error("TLS without a certificate");
  return { all, fallback, byName, clientCa: clientCa || undefined };
}

interface Group {
  readonly file: string;
  readonly names: readonly string[];
  readonly kinds: (string | undefined)[];
  readonly credentials: FileCredential[];
}

/** Certificates of the same names with keys of different kinds, as RSA and ECDSA, are shown by turns. */
function grouped(read: readonly FileCredential[]): Group[] {
  const groups: Group[] = [];
  for (const { file, cert, key } of read) {
    const x509 = describe(file, () => new X509Certificate(cert));
    const names = namesOf(x509);
    const kind = x509.publicKey.asymmetricKeyType;
    checkPair(file, cert, key);
    const same = groups.find(
      (group) => sameNames(group.names, names) && !group.kinds.includes(kind),
    );
    if (same === undefined) {
      groups.push({ file, names, kinds: [kind], credentials: [{ file, cert, key }] });
      continue;
    }
    same.kinds.push(kind);
    same.credentials.push({ file, cert, key });
  }
  return groups;
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length > 0 && one.toSorted().join() === other.toSorted().join();
}

/** The certificate for what a client asked for (SNI, RFC 6066 section 3); undefined: the first. */
export function certificateFor(
  certificates: Certificates,
  serverName: string,
): Certificate | undefined {
  const name = serverName.toLowerCase();
  const exact = certificates.byName.get(name);
  if (exact !== undefined) return exact;
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : certificates.byName.get(`*${name.slice(dot)}`);
}

/** `DNS:` names of the subject alternative names; without any, the common name. RFC 6125. */
function namesOf(certificate: X509Certificate): readonly string[] {
  const alternatives = (certificate.subjectAltName ?? "")
    .split(", ")
    .filter((part) => part.startsWith("DNS:"))
    .map((part) => part.slice(4).toLowerCase());
  if (alternatives.length > 0) return alternatives.slice(0, MAX_NAMES);
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

/** Why files for TLS cannot be used, and whose they are: `frontend web`. */
export function tlsFileTroubles({
  frontends,
  pools,
}: {
  readonly frontends: readonly { readonly name: string; readonly tls?: FrontendTls }[];
  readonly pools: readonly { readonly name: string; readonly tls?: PoolTls }[];
}): readonly { readonly whose: string; readonly reason: string }[] {
  const found: { whose: string; reason: string }[] = [];
  const look = (whose: string, body: () => void): void => {
    try {
      body();
    } catch (error) {
      found.push({ whose, reason: `${whose}: ${(error as Error).message}` });
    }
  };
  for (const { name, tls } of frontends)
    look(`frontend ${name}`, () => tls && loadCertificates(tls));
  for (const { name, tls } of pools) look(`pool ${name}`, () => tls && readPoolFiles(tls));
  return found;
}

/** A certificate that ends sooner is told. */
const SOON_MS = 14 * 86_400_000;

/** Undefined: a file has changed since it was found to be well. Whoever uses it tells what is wrong with it. */
function loadedNow(tls: FrontendTls): Certificates | undefined {
  try {
    return loadCertificates(tls);
  } catch {
    return undefined;
  }
}

/** What will hurt of certificates that can be used. */
export function certificateWarnings(
  frontends: readonly { readonly name: string; readonly tls?: FrontendTls }[],
  wallMs: number,
): readonly { readonly whose: string; readonly reason: string; readonly next: string }[] {
  const found: { whose: string; reason: string; next: string }[] = [];
  for (const { name, tls } of frontends) {
    if (tls === undefined) continue;
    const whose = `frontend ${name}`;
    const loaded = loadedNow(tls);
    if (loaded === undefined) continue;
    const { all, byName } = loaded;
    const shown = new Set([all[0], ...byName.values()]);
    for (const certificate of all) {
      if (!shown.has(certificate)) {
        const reason = `${certificate.file} is shown to nobody: others before it have its names`;
        found.push({ whose, reason, next: "remove it, or put it before them" });
      }
      for (const { file, cert } of certificate.credentials) {
        const endMs = Date.parse(new X509Certificate(cert).validTo);
        if (endMs > wallMs + SOON_MS) continue;
        const end = new Date(endMs).toISOString();
        const reason = `the certificate ${file} ${endMs < wallMs ? "ended" : "ends"} at ${end}`;
        found.push({ whose, reason, next: "put a fresh one there and reload" });
      }
    }
  }
  return found;
}
