/** The entrance of this folder: a file becomes a model, or a list of everything wrong with it. */

import { hostname, uptime } from "node:os";
import { Prng } from "../lib/prng.ts";
import { type Diagnostic, Findings, type Place, sortDiagnostics } from "./diagnostic.ts";
import { DISK, unreadable } from "./disk.ts";
import { type ConfigurationFiles, LineReader } from "./keepalived/lines.ts";
import { buildModel } from "./keepalived/model/build.ts";
import { rulePreferences } from "./keepalived/model/context.ts";
import { parseTree } from "./keepalived/tree.ts";
import type { Model } from "./model.ts";

export type { Diagnostic } from "./diagnostic.ts";
export { formatDiagnostic, sortDiagnostics } from "./diagnostic.ts";
export { explain, explainText } from "./explain.ts";
export {
  gatherHostFacts,
  hostWarnings,
  machineWarnings,
  type FileFact,
  type HostFacts,
} from "./hurts.ts";
export { pairWarnings } from "./hurts-between.ts";
export type { ConfigurationFiles } from "./keepalived/lines.ts";

export interface ReadOptions {
  /** Unknown keywords and missing addresses are warnings, as in keepalived. Default false. */
  readonly permissive?: boolean;
  /** `--config-id`, for `@id` lines. Default: the first label of the host name. */
  readonly configId?: string;
  /** Default: the host name of this machine. */
  readonly hostName?: string;
  /** For `${_ENV NAME}`. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For `${_RANDOM}`. Default: the time. */
  readonly seed?: number;
  /** keepalived's `-P` and `-C`: only the addresses, or only the virtual servers. Default: both. */
  readonly part?: "vrrp" | "check";
  /** keepalived's `-s`, in place of `net_namespace`. */
  readonly networkNamespace?: string;
  /** Time since the machine was started, for `vrrp_delay_after_boot`. Default: this machine's. */
  readonly uptimeMs?: number;
}

export interface Reading {
  /** Absent when there is an error. */
  readonly model?: Model;
  /** In its place: what could be read all the same. To be talked about, never to be run. */
  readonly unfinished?: Model;
  /** In reading order. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read - it and what it includes - as it is on disk. */
  readonly texts: ReadonlyMap<string, string>;
  /** The line a diagnostic is about, for its caret. */
  readonly sourceLine: (at: Place) => string | undefined;
}

/** Reads keepalived's language. Never throws on what a file contains. */
export function readKeepalivedConf(
  path: string,
  options: ReadOptions = {},
  files: ConfigurationFiles = DISK,
): Reading {
  const hostName = options.hostName ?? hostname();
  const permissive = options.permissive ?? false;
  const findings = new Findings();
  const around = {
    configId: options.configId ?? hostName.split(".")[0]!,
    environment: options.environment ?? process.env,
    prng: new Prng(options.seed ?? Date.now()),
    permissive,
  };
  const reader = new LineReader(files, around, findings);
  if (!reader.read(path)) {
    const at = { file: path, line: 1, column: 1, text: "" };
    findings.error(at, ...unreadable(path, files));
    return { diagnostics: findings.list, texts: new Map(), sourceLine: () => undefined };
  }
  const tree = parseTree(reader.lines, findings);
  if (tree.length === 0 && !findings.failed) {
    // Mostly it is being written anew, and a reload would give every address up.
    const severity = permissive ? "warning" : "error";
    const at = { file: path, line: 1, column: 1, text: "" };
    const next = "write a vrrp_instance; --permissive starts with nothing all the same";
    findings.add(severity, at, "nothing is configured here: everything would be stopped", next);
  }
  const model = buildModel(tree, path, {
    findings,
    permissive,
    hostName,
    uptimeMs: options.uptimeMs ?? uptime() * 1000,
    readFile: (file) => files.readFile(file),
    glob: (pattern) => files.glob(pattern),
    origins: new Map(),
    rulePreferences: rulePreferences(),
  });
  return {
    ...(findings.failed ? { unfinished: model } : { model }),
    diagnostics: sortDiagnostics(findings.list),
    texts: reader.texts,
    sourceLine: (at) => reader.sources.get(at.file)?.[at.line - 1],
  };
}
