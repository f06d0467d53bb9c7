/** What is right in itself and will hurt on this machine: files that are not there, mostly. */

import { type Diagnostic, Findings, type Place } from "../diagnostic.ts";
import type { HostFacts } from "../host-facts.ts";
import { warnAboutScripts } from "../hurts-scripts.ts";
import { serverScriptUses } from "../script-uses.ts";
import type { UnfinishedService } from "./service-model.ts";

/** Undefined: it can be read; else why not. */
export type FileTrouble = (path: string) => string | undefined;

/** Certificates, keys and authorities that will be opened, and scripts that will be run. */
export function serviceWarnings(
  service: UnfinishedService,
  troubleWith: FileTrouble,
  facts: HostFacts,
): Diagnostic[] {
  const findings = new Findings();
  const rules = service.vrrp.scripts;
  warnAboutScripts(serverScriptUses(service), { rules, facts, findings });
  for (const { path, key, what } of filesOf(service)) {
    const trouble = troubleWith(path);
    if (trouble === undefined) continue;
    const reason = `${what} ${path}: ${trouble}`;
    findings.error(placeOf(service, key), reason, "correct the path or its permissions");
  }
  return findings.list;
}

/** Files that can be read, and not be used: `reason` names them. `whose`: `frontend web`. */
export function fileErrors(
  service: UnfinishedService,
  troubles: readonly { readonly whose: string; readonly reason: string }[],
): Diagnostic[] {
  const findings = new Findings();
  for (const { whose, reason } of troubles) {
    findings.error(placeOf(service, whose), reason, "correct the file");
  }
  return findings.list;
}

/** Of files that can be used. */
export function fileWarnings(
  service: UnfinishedService,
  hurts: readonly { readonly whose: string; readonly reason: string; readonly next: string }[],
): Diagnostic[] {
  const findings = new Findings();
  for (const { whose, reason, next } of hurts) findings.warn(placeOf(service, whose), reason, next);
  return findings.list;
}

function placeOf(service: UnfinishedService, key: string): Place {
  return service.origins?.get(key) ?? { file: "", line: 1, column: 1, text: "" };
}

interface NamedFile {
  readonly path: string;
  /** Of `origins`. */
  readonly key: string;
  readonly what: string;
}

function filesOf({ balance, checks = [], console }: UnfinishedService): NamedFile[] {
  const files: NamedFile[] = [];
  const add = (key: string, what: string, path: string | undefined): void => {
    if (path !== undefined) files.push({ path, key, what });
  };
  for (const { name, tls } of balance?.frontends ?? []) {
    for (const pair of tls?.certificates ?? []) {
      add(`frontend ${name}`, "certificate", pair.certificate);
      if (pair.key !== pair.certificate) add(`frontend ${name}`, "key", pair.key);
    }
    add(`frontend ${name}`, "client_ca", tls?.clientCa);
  }
  for (const { name, tls } of balance?.pools ?? []) {
    add(`pool ${name}`, "ca", tls?.ca);
    add(`pool ${name}`, "certificate", tls?.certificate);
    add(`pool ${name}`, "key", tls?.key);
  }
  add("console", "certificate", console?.tls?.certificate);
  add("console", "key", console?.tls?.key);
  add("console", "client_ca", console?.tls?.clientCa);
  for (const { name, protocol } of checks) {
    add(`check ${name}`, "ca", "tls" in protocol ? protocol.tls?.ca : undefined);
  }
  return files;
}
