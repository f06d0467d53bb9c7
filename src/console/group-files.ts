/**
 * The group's papers of one node, in `STATEDIR/group`: its certificate and key, and the authority that
 * it believes. Who may talk to whom is in the certificates: `nines://GROUP/NODE`, with the group's random
 * id, so that a certificate of another group of the same names is a stranger's.
 */

import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface GroupPaths {
  readonly folder: string;
  readonly authority: string;
  /** Only on the machine where the group was begun. */
  readonly authorityKey: string;
  readonly certificate: string;
  readonly key: string;
  /** Of a request that no invitation has answered yet. */
  readonly requestedKey: string;
}

export function groupPaths(stateDirectory: string): GroupPaths {
  const folder = join(stateDirectory, "group");
  return {
    folder,
    authority: join(folder, "ca.pem"),
    authorityKey: join(folder, "ca.key"),
    certificate: join(folder, "node.pem"),
    key: join(folder, "node.key"),
    requestedKey: join(folder, "requested.key"),
  };
}

export interface Papers {
  readonly group: string;
  readonly node: string;
  readonly endsMs: number;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Undefined: this node belongs to no group. Throws when its papers are not in order. */
export function readPapers(stateDirectory: string): Papers | undefined {
  const paths = groupPaths(stateDirectory);
  if (statSync(paths.certificate, { throwIfNoEntry: false }) === undefined) return undefined;
  const facts = statSync(paths.key);
  if ((facts.mode & 0o077) !== 0) {
    throw new Error(`others can read ${paths.key}: chmod 600 ${paths.key}`);
  }
  const [authority, certificate, key] = [paths.authority, paths.certificate, paths.key].map(
    (path) => readFileSync(path, "utf8"),
  ) as [string, string, string];
  return papersOf({ authority, certificate, key });
}

/** Throws with the reason when they do not belong together. */
export function papersOf(texts: Pick<Papers, "authority" | "certificate" | "key">): Papers {
  const certificate = new X509Certificate(texts.certificate);
  const member = memberOf(certificate.subjectAltName ?? "");
  if (member === undefined) throw new Error("the certificate names no node of a group");
  if (!certificate.checkPrivateKey(createPrivateKey(texts.key))) {
    throw new Error("the key does not belong to the certificate");
  }
  const issued = authoritiesIn(texts.authority).some(
    (one) => certificate.checkIssued(one) && certificate.verify(one.publicKey),
  );
  if (!issued) throw new Error("the certificate is not of this authority");
  return { ...texts, ...member, endsMs: Date.parse(certificate.validTo) };
}

/** While an authority is replaced, two of them are believed. */
export function authoritiesIn(text: string): readonly X509Certificate[] {
  return pemBlocks(text, "CERTIFICATE").map((one) => new X509Certificate(one));
}

export function pemBlocks(text: string, label: string): readonly string[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, "gu");
  return [...text.matchAll(pattern)].map(([block]) => `${block}\n`);
}

export interface Member {
  readonly group: string;
  readonly node: string;
}

/** Of a certificate's alternative names, as node prints them. */
export function memberOf(alternativeNames: string): Member | undefined {
  const uri = /(?:^|, )URI:nines:\/\/([0-9a-f]{32})\/([^,"]+)(?:,|$)/u.exec(alternativeNames);
  const [, group, name] = uri ?? [];
  if (group === undefined || name === undefined) return undefined;
  try {
    return { group, node: decodeURIComponent(name) };
  } catch {
    return undefined;
  }
}

/** Why a certificate with these names is not that node's; undefined: it is. */
export function strangenessOf(
  alternativeNames: string | undefined,
  { group, node }: Member,
): Error | undefined {
  const member = memberOf(alternativeNames ?? "");
  if (member?.group !== group) return new Error("it is of another group");
  return member.node === node ? undefined : new Error(`its certificate is of ${member.node}`);
}

export function memberUri({ group, node }: Member): string {
  return `nines://${group}/${encodeURIComponent(node)}`;
}
