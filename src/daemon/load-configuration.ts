/** Reads a configuration from disk with everything that can be said about it on this host. */

import { accessSync, constants } from "node:fs";
import type { ConfigurationFiles } from "../config/keepalived/lines.ts";
import type { Model } from "../config/model.ts";
import {
  formatDiagnostic,
  gatherHostFacts,
  hostWarnings,
  sortDiagnostics,
  type Diagnostic,
} from "../config/read-configuration.ts";
import { readEither } from "../config/read-either.ts";
import { serviceWarnings } from "../config/service/service-hurts.ts";
import type { ServiceModel } from "../config/service/service-model.ts";

export interface LoadOptions {
  readonly permissive: boolean;
  /** For lines marked `@id`; absent: the host name. */
  readonly configId?: string;
  /** Which of the nodes of nines.yaml this is; absent: the host name tells. */
  readonly node?: string;
  /** Where files are read; absent: from disk. */
  readonly files?: ConfigurationFiles;
}

export interface LoadedConfiguration {
  /** Absent when there are errors. */
  readonly service?: ServiceModel;
  /** Its part for addresses. */
  readonly model?: Model;
  readonly diagnostics: readonly Diagnostic[];
  /** The diagnostics as text, each with its source line. */
  readonly lines: readonly string[];
}

export function loadConfiguration(file: string, options: LoadOptions): LoadedConfiguration {
  const { service, diagnostics: found, sourceLine } = readEither(file, options, options.files);
  const model = service?.vrrp;
  const hurting = model === undefined ? [] : hostWarnings(model, gatherHostFacts());
  const missing = service === undefined ? [] : serviceWarnings(service, troubleWith);
  const diagnostics = sortDiagnostics([...found, ...hurting, ...missing]);
  const lines = diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic, sourceLine(diagnostic)),
  );
  const later = model?.virtualServers.length ?? 0;
  if (later > 0) {
    const blocks = `${later} virtual_server ${later === 1 ? "block" : "blocks"}`;
    const next = `nines import ${file} writes a nines.yaml that balances`;
    lines.push(`${file}: note: ${blocks} read and checked, not carried out - ${next}`);
  }
  // What this host says may be an error too: a script that anybody could change.
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  const usable = service === undefined || failed ? {} : { service, model: service.vrrp };
  return { ...usable, diagnostics, lines };
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
