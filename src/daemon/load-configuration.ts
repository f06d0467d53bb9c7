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
  const { model, diagnostics: found, sourceLine } = readKeepalivedConf(file, options);
  const hurting = model === undefined ? [] : hostWarnings(model, gatherHostFacts());
  const diagnostics = sortDiagnostics([...found, ...hurting]);
  const lines = diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic, sourceLine(diagnostic)),
  );
  const later = model?.virtualServers.length ?? 0;
  if (later > 0) {
    const blocks = `${later} virtual_server ${later === 1 ? "block" : "blocks"}`;
    lines.push(`${file}: note: ${blocks} read and checked; this version does not balance yet`);
  }
  // What this host says may be an error too: a script that anybody could change.
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  return { ...(model === undefined || failed ? {} : { model }), diagnostics, lines };
}
