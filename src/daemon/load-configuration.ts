/** Reads a configuration from disk with everything that can be said about it on this host. */

import { accessSync, constants } from "node:fs";
import { dirname, resolve } from "node:path";
import { DISK } from "../config/disk.ts";
import type { ConfigurationFiles } from "../config/keepalived/lines.ts";
import type { HostFacts } from "../config/host-facts.ts";
import type { Model } from "../config/model.ts";
import {
  formatDiagnostic,
  gatherHostFacts,
  hostWarnings,
  machineWarnings,
  pairWarnings,
  sortDiagnostics,
  type Diagnostic,
  type ReadOptions,
} from "../config/read-configuration.ts";
import { languageOf, readEither } from "../config/read-either.ts";
import { fileErrors, fileWarnings, serviceWarnings } from "../config/service/service-hurts.ts";
import type { ServiceModel, ServiceReading } from "../config/service/service-model.ts";
import { certificateWarnings, tlsFileTroubles } from "../drivers/tls-certificates.ts";

export interface LoadOptions extends Pick<ReadOptions, "part" | "networkNamespace"> {
  readonly permissive: boolean;
  /** For lines marked `@id`; absent: the host name. */
  readonly configId?: string;
  /** Which of the nodes of nines.yaml this is; absent: the host name tells. */
  readonly node?: string;
  /** Where files are read; absent: from disk. */
  readonly files?: ConfigurationFiles;
  /** The other node's configuration, to be compared with this one. */
  readonly peer?: PeerFile;
  /** The file that this one would take the place of: names in it are seen from there. */
  readonly inPlaceOf?: string;
}

export interface PeerFile {
  readonly file: string;
  readonly configId?: string;
  readonly node?: string;
}

export interface LoadedConfiguration {
  /** Absent when there are errors. */
  readonly service?: ServiceModel;
  /** Its part for addresses. */
  readonly model?: Model;
  /** Every file that was read - it and what it includes - with its text. */
  readonly texts: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
  /** What virtual servers of a keepalived.conf are and are not here. */
  readonly notes?: readonly string[];
  /** All of it as text, diagnostics with their source lines. */
  readonly lines: readonly string[];
}

export function loadConfiguration(file: string, options: LoadOptions): LoadedConfiguration {
  const { path, files } = standIn(file, { ...options, files: readOnce(options.files ?? DISK) });
  const reading = readEither(path, options, files);
  const { service, unfinished, diagnostics: found, texts, sourceLine, notes = [] } = reading;
  const model = service?.vrrp;
  const there = options.peer === undefined ? undefined : readPeer(options.peer, options);
  const peerModel = there?.service?.vrrp;
  const facts = gatherHostFacts();
  const diagnostics = sortDiagnostics([
    ...found,
    ...(model === undefined ? [] : hostWarnings(model, facts)),
    ...(service === undefined ? [] : filesToldOf(service, facts)),
    // Both at once: whoever mends the file wants to know what else is in the way.
    ...(unfinished === undefined ? [] : machineWarnings(unfinished.vrrp, facts)),
    ...(unfinished === undefined ? [] : serviceWarnings(unfinished, troubleWith, facts)),
    // What the peer's own host would say, only that host can tell.
    ...(there?.diagnostics ?? []),
    ...(model === undefined || peerModel === undefined ? [] : pairWarnings(model, peerModel)),
  ]);
  const lines = diagnostics.map((diagnostic) => {
    const line = sourceLine(diagnostic) ?? there?.sourceLine(diagnostic);
    // Whoever mends it opens the file that was given.
    const shown = diagnostic.file === path ? { ...diagnostic, file } : diagnostic;
    return formatDiagnostic(shown, line);
  });
  lines.push(...notes.map((note) => `${file}: note: ${note}`));
  // What this host says may be an error too: a script that anybody could change.
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  const place = dirname(resolve(path));
  if ((service === undefined || failed) && place !== dirname(resolve(file))) {
    lines.push(`${file}: note: it would stand in ${place}: relative paths in it lead from there`);
  }
  const usable = service === undefined || failed ? {} : { service, model: service.vrrp };
  return { ...usable, texts, diagnostics, ...(notes.length === 0 ? {} : { notes }), lines };
}

/** A pipe gives its text once, and a file that is being replaced must not be two files. */
function readOnce(files: ConfigurationFiles): ConfigurationFiles {
  const texts = new Map<string, string | undefined>();
  return {
    trouble: (path) => files.trouble?.(path),
    glob: (pattern) => files.glob(pattern),
    readFile(path) {
      if (!texts.has(path)) texts.set(path, files.readFile(path));
      return texts.get(path);
    },
  };
}

/** What is in another language stays where it is: it cannot take that place. */
function standIn(
  file: string,
  { inPlaceOf: path, files = DISK }: LoadOptions,
): { readonly path: string; readonly files: ConfigurationFiles } {
  if (path === undefined) return { path: file, files };
  const language = (name: string): string => languageOf(name, files.readFile(name));
  if (language(path) !== language(file)) return { path: file, files };
  const at = (name: string): string => (name === path ? file : name);
  return {
    path,
    files: {
      glob: (pattern) => files.glob(pattern),
      readFile: (name) => files.readFile(at(name)),
      trouble: (name) => files.trouble?.(at(name)),
    },
  };
}

/** What cannot be read is not told of as what is in it. */
function filesToldOf(service: ServiceModel, facts: HostFacts): Diagnostic[] {
  const told = serviceWarnings(service, troubleWith, facts);
  if (told.some(({ severity }) => severity === "error")) return told;
  const errors = fileErrors(service, tlsFileTroubles(service.balance));
  if (errors.length > 0) return [...told, ...errors];
  const hurts = certificateWarnings(service.balance.frontends, Date.now());
  return [...told, ...fileWarnings(service, hurts)];
}

/** One of `lines`; notes are none. */
export function isWarning(line: string): boolean {
  return /^[^\n]*?:\d+:\d+: warning: /u.test(line);
}

/** Of all `lines` the first for which nothing is started: warnings before it are not why. */
export function firstMistake(lines: readonly string[]): string | undefined {
  const line = lines.find((one) => one.includes(": error: ")) ?? lines[0];
  return line?.split("\n", 1)[0];
}

function troubleWith(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
  }
}

function readPeer(
  { file, ...identity }: PeerFile,
  { permissive, files }: LoadOptions,
): ServiceReading {
  return readEither(file, { permissive, ...identity }, files);
}
