/** Reads a configuration from disk with everything that can be said about it on this host. */

import { readdirSync } from "node:fs";
import type { Model } from "../config/model.ts";
import {
  formatDiagnostic,
  hostWarnings,
  readKeepalivedConf,
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
  const all = [...diagnostics];
  if (model !== undefined) all.push(...hostWarnings(model, { interfaces: interfaceNames() }));
  const lines = all.map((diagnostic) => formatDiagnostic(diagnostic, sourceLine(diagnostic)));
  if (virtualServers.length > 0) {
    const count = `${virtualServers.length} virtual_server ${virtualServers.length === 1 ? "block" : "blocks"}`;
    lines.push(`${file}: note: ${count} read and checked; this version does not balance yet`);
  }
  return { ...(model === undefined ? {} : { model }), diagnostics: all, lines };
}

function interfaceNames(): readonly string[] {
  try {
    return readdirSync("/sys/class/net");
  } catch {
    return [];
  }
}
