/** Reads a configuration from disk with everything that can be said about it on this host. */

import type { Model } from "../config/model.ts";
import {
  formatDiagnostic,
  gatherHostFacts,
  hostWarnings,
  readKeepalivedConf,
  sortDiagnostics,
  type Diagnostic,
} from "../config/read-configuration.ts";

export interface LoadOptions {
  readonly permissive: boolean;
  /** For lines marked `@id`; absent: the host name. */
  readonly configId?: string;
}

export interface LoadedConfiguration {
  /** Absent when there are errors. */
  readonly model?: Model;
  readonly diagnostics: readonly Diagnostic[];
  /** The diagnostics as text, each with its source line. */
  readonly lines: readonly string[];
}

export function loadConfiguration(file: string, options: LoadOptions): LoadedConfiguration {
  const { model, diagnostics, sourceLine } = readKeepalivedConf(file, options);
  const { virtualServers = [] } = model ?? {};
  const hurts = model === undefined ? [] : hostWarnings(model, gatherHostFacts());
  const all = sortDiagnostics([...diagnostics, ...hurts]);
  // An unsafe script shows only on the machine itself, and refuses the file all the same.
  const refused = hurts.some((diagnostic) => diagnostic.severity === "error");
  const lines = all.map((diagnostic) => formatDiagnostic(diagnostic, sourceLine(diagnostic)));
  if (virtualServers.length > 0) {
    const count = `${virtualServers.length} virtual_server ${virtualServers.length === 1 ? "block" : "blocks"}`;
    lines.push(`${file}: note: ${count} read and checked; this version does not balance yet`);
  }
  return { ...(model === undefined || refused ? {} : { model }), diagnostics: all, lines };
}
