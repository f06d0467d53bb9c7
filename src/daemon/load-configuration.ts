/** Reads a configuration from disk with everything that can be said about it on this host. */

import type { Model } from "../config/model.ts";
import {
  formatDiagnostic,
  gatherHostFacts,
  hostWarnings,
  pairWarnings,
  readKeepalivedConf,
  sortDiagnostics,
  type Diagnostic,
  type Reading,
} from "../config/read-configuration.ts";

export interface LoadOptions {
  readonly permissive: boolean;
  /** For lines marked `@id`; absent: the host name. */
  readonly configId?: string;
  /** The other node's configuration, to be compared with this one. */
  readonly peer?: PeerFile;
}

export interface PeerFile {
  readonly file: string;
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
  const here = readKeepalivedConf(file, options);
  const { model } = here;
  const there = options.peer === undefined ? undefined : readPeer(options.peer, options);
  const diagnostics = sortDiagnostics([
    ...here.diagnostics,
    ...(model === undefined ? [] : hostWarnings(model, gatherHostFacts())),
    // What the peer's own host would say, only that host can tell.
    ...(there?.diagnostics ?? []),
    ...(model === undefined || there?.model === undefined ? [] : pairWarnings(model, there.model)),
  ]);
  const lines = diagnostics.map((diagnostic) => {
    const line = here.sourceLine(diagnostic) ?? there?.sourceLine(diagnostic);
    return formatDiagnostic(diagnostic, line);
  });
  const later = model?.virtualServers.length ?? 0;
  if (later > 0) {
    const blocks = `${later} virtual_server ${later === 1 ? "block" : "blocks"}`;
    lines.push(`${file}: note: ${blocks} read and checked; this version does not balance yet`);
  }
  // What this host says may be an error too: a script that anybody could change.
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  return { ...(model === undefined || failed ? {} : { model }), diagnostics, lines };
}

function readPeer({ file, configId }: PeerFile, { permissive }: LoadOptions): Reading {
  return readKeepalivedConf(
    file,
    configId === undefined ? { permissive } : { permissive, configId },
  );
}
