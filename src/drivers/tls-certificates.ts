/** Certificates of a frontend: which one for which name, and what a handshake asks of clients. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { FrontendTls } from "../core/proxy/frontend-settings.ts";

/** Names of one certificate; more are ignored. */
const MAX_NAMES = 1000;

export interface Certificates {
  /** For a client that names nobody we know, or nobody at all: the first certificate. */
  readonly fallback: SecureContextOptions;
  /** By exact name, then `*.` and the rest of it, lower case. */
  readonly byName: ReadonlyMap<string, SecureContext>;
}

/** Reads the files. Throws with the file's name when one cannot be used. */
export function loadCertificates(tls: FrontendTls): Certificates {
  const common = contextOptions(tls);
  const byName = new Map<string, SecureContext>();
  let fallback: SecureContextOptions | undefined;
  for (const { certificate, key: keyFile } of tls.certificates) {
    const cert = describe(certificate, () => readFileSync(certificate));
    const key = describe(keyFile, () => readFileSync(keyFile));
    const options = { ...common, cert, key };
    const context = describe(certificate, () => createSecureContext(options));
    fallback ??= options;
    // The first certificate that has a name keeps it.
    for (const name of namesOf(describe(certificate, () => new X509Certificate(cert)))) {
      if (!byName.has(name)) byName.set(name, context);
    }
  }
  if (fallback === undefined) throw new Error("TLS without a certificate");
  return { fallback, byName };
}

/** The context for what a client asked for (SNI, RFC 6066 section 3); undefined: the fallback. */
export function certificateFor(
  certificates: Certificates,
  serverName: string,
): SecureContext | undefined {
  const name = serverName.toLowerCase();
  const exact = certificates.byName.get(name);
  if (exact !== undefined) return exact;
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : certificates.byName.get(`*${name.slice(dot)}`);
}

function contextOptions(tls: FrontendTls): SecureContextOptions {
  const minVersion = tls.minimumVersion === "1.3" ? "TLSv1.3" : "TLSv1.2";
  const { clientCa } = tls;
  if (clientCa === undefined) return { minVersion };
  return { minVersion, ca: describe(clientCa, () => readFileSync(clientCa)) };
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

function describe<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { message } = error as Error;
    throw new Error(message.includes(file) ? message : `${file}: ${message}`, { cause: error });
  }
}

/** Why the certificates of a configuration cannot be used; undefined when all can. */
export function checkCertificates(settings: {
  readonly frontends: readonly { readonly name: string; readonly tls?: FrontendTls }[];
}): string | undefined {
  for (const { name, tls } of settings.frontends) {
    try {
      if (tls !== undefined) loadCertificates(tls);
    } catch (error) {
      return `frontend ${name}: ${(error as Error).message}`;
    }
  }
  return undefined;
}
