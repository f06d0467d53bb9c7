/**
 * Begins a group, lets a node ask to be invited, invites it, and lets it accept: what `nines cert` does.
 * A node's key is made by the node itself and never leaves it.
 */

import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { makeAuthority, makeCertificate } from "../drivers/openssl.ts";
import { writePrivateFile } from "../drivers/private-file.ts";
import {
  authoritiesIn,
  groupPaths,
  memberUri,
  papersOf,
  pemBlocks,
  type Papers,
} from "./group-files.ts";

/** An authority outlives machines; a certificate is renewed every year. */
const AUTHORITY_DAYS = 3650;
export const CERTIFICATE_DAYS = 398;

/** Makes the authority here, and this node's own papers. Throws when there is one. */
export async function beginGroup(stateDirectory: string, node: string): Promise<Papers> {
  const paths = groupPaths(stateDirectory);
  if (existsSync(paths.authority)) {
    throw new Error(`this machine belongs to a group already: see ${paths.folder}`);
  }
  const group = randomBytes(16).toString("hex");
  const authority = await makeAuthority(`nines group ${group}`, AUTHORITY_DAYS);
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  writePrivateFile(paths.authorityKey, authority.key);
  writePrivateFile(paths.authority, authority.certificate, 0o644);
  const asked = { publicKey: makeRequest(stateDirectory), node, days: CERTIFICATE_DAYS };
  return accept(stateDirectory, await invite(stateDirectory, asked));
}

/** Makes a key, keeps it, and returns its public half (PEM). The last request of a node is the one that counts. */
export function makeRequest(stateDirectory: string): string {
  const paths = groupPaths(stateDirectory);
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  writePrivateFile(paths.requestedKey, privateKey);
  return publicKey;
}

export interface Asked {
  /** A request's text; it may have to be waited for, so it is asked for last. */
  readonly publicKey: string | (() => string);
  readonly node: string;
  readonly days: number;
}

/** The node's certificate and the authority's, as one text without a secret. */
export async function invite(
  stateDirectory: string,
  { publicKey, node, days }: Asked,
): Promise<string> {
  const paths = groupPaths(stateDirectory);
  if (!existsSync(paths.authorityKey)) {
    const next = "nodes are invited where the group was begun (nines cert init)";
    throw new Error(`there is no ${paths.authorityKey}: ${next}`);
  }
  const certificate = readFileSync(paths.authority, "utf8");
  const [first] = authoritiesIn(certificate);
  const group = /^CN=nines group ([0-9a-f]{32})$/mu.exec(first?.subject ?? "")?.[1];
  if (group === undefined) throw new Error(`${paths.authority} is not the authority of a group`);
  const authority = { certificate, key: readFileSync(paths.authorityKey, "utf8") };
  const naming = { name: node, uri: memberUri({ group, node }), days };
  const request = typeof publicKey === "string" ? publicKey : publicKey();
  return (await makeCertificate(authority, requestedBy(request), naming)) + certificate;
}

/** Throws when it is no request: a private key is none either, and has no business here. */
function requestedBy(text: string): string {
  const [publicKey] = pemBlocks(text, "PUBLIC KEY");
  try {
    if (publicKey !== undefined && createPublicKey(publicKey).asymmetricKeyType === "ec") {
      return publicKey;
    }
  } catch {
    // Told below: whatever is wrong with it, the next move is the same.
  }
  throw new Error("that is no request: make one on the node with `nines cert request`");
}

/** Writes an invitation down as this node's papers, after a look at whether it is in order. */
export function accept(stateDirectory: string, invitation: string): Papers {
  const paths = groupPaths(stateDirectory);
  const [certificate, ...authorities] = pemBlocks(invitation, "CERTIFICATE");
  if (certificate === undefined || authorities.length === 0) {
    throw new Error("that is no invitation: make one with `nines cert invite NODE`");
  }
  if (!existsSync(paths.requestedKey)) {
    throw new Error("this node has asked for no invitation: begin with `nines cert request`");
  }
  const key = readFileSync(paths.requestedKey, "utf8");
  const papers = papersOf({ authority: authorities.join(""), certificate, key });
  if (!existsSync(paths.authorityKey)) writePrivateFile(paths.authority, papers.authority, 0o644);
  // The certificate last: with it the papers are whole. Broken off before that, the request is still there.
  writePrivateFile(paths.key, key);
  writePrivateFile(paths.certificate, certificate, 0o644);
  rmSync(paths.requestedKey);
  return papers;
}
