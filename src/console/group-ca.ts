/** Begins a group, invites nodes into it, and lets a node accept: what `nines cert` does. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
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
  return accept(stateDirectory, await invite(stateDirectory, node, CERTIFICATE_DAYS));
}

/** Everything that a node needs, as one text; it holds a key. */
export async function invite(stateDirectory: string, node: string, days: number): Promise<string> {
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
  const uri = memberUri({ group, node });
  const made = await makeCertificate(authority, { name: node, uri, days });
  return made.certificate + made.key + certificate;
}

/** Writes an invitation down as this node's papers, after a look at whether it is in order. */
export function accept(stateDirectory: string, invitation: string): Papers {
  const [certificate, ...authorities] = pemBlocks(invitation, "CERTIFICATE");
  const [key] = pemBlocks(invitation, "PRIVATE KEY");
  if (certificate === undefined || key === undefined || authorities.length === 0) {
    throw new Error("that is no invitation: make one with `nines cert invite NODE`");
  }
  const papers = papersOf({ authority: authorities.join(""), certificate, key });
  const paths = groupPaths(stateDirectory);
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  if (!existsSync(paths.authorityKey)) writePrivateFile(paths.authority, papers.authority, 0o644);
  // The certificate last: with it the papers are whole.
  writePrivateFile(paths.key, key);
  writePrivateFile(paths.certificate, certificate, 0o644);
  return papers;
}
